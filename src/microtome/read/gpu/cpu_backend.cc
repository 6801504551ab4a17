#include "microtome/read/gpu/cpu_backend.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "microtome/read/fetch_tile.h"
#include "microtome/read/gpu/decode_tile.h"

namespace microtome::gpu {
namespace {

// Tiles that a thread takes at once, so that their bytes are read together.
constexpr size_t kMostAtOnce = 8, kShare = 32;

}  // namespace

CpuBackend::CpuBackend(CrewOptions options, ReadCounters* counters)
    : counters_(counters),
      crew_(
          std::move(options),
          [](const JobList&, size_t left) { return std::clamp<size_t>(left / kShare, 1, kMostAtOnce); },
          [this](JobList& list, size_t begin, size_t end, Worker& worker) {
            decode(list, begin, end, worker);
          }) {}

size_t CpuBackend::plane_bytes(const Slide& slide, const TileKey& key, const TileRef& ref) {
  auto known = plane_bytes_.find(ref.format);
  if (known == plane_bytes_.end()) {
    size_t bytes = 0, packed_bytes = 0;
    const auto packed = fetch_tile(looks_, slide, key, ref, {}, packed_bytes);
    if (const auto decoder = looks_.decoder(*ref.format); packed.ok() && decoder.ok()) {
      const auto layout = (*decoder)->plane_layout(*packed, *ref.format);
      if (layout && layout->size == ref.format->size) bytes = layout->bytes();
    }
    looks_.shrink();
    known = plane_bytes_.emplace(ref.format, bytes).first;
  }
  return known->second;
}

size_t CpuBackend::slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) {
  const size_t pixels = pixel_slot_bytes(*ref.format, part.size());
  // Planes are of the whole tile; of one that is used in part, pixels may be less. Those of 4:4:4 are as many
  // bytes as pixels, but for the ends of rows.
  const size_t planes = plane_bytes(slide, key, ref);
  return planes != 0 && planes <= pixels + pixels / 4 ? planes : pixels;
}

void CpuBackend::decode(const JobList& list, size_t begin, size_t end, Worker& worker) {
  std::array<ByteRange, kMostAtOnce> next;
  for (size_t i = begin; i < end; ++i) {
    size_t ahead = 0;
    for (size_t j = i + 1; j < end && list.jobs[j].slide == list.jobs[i].slide; ++j)
      next[ahead++] = list.jobs[j].ref.bytes;
    decode_tile(list.jobs[i], worker, std::span(next).first(ahead), counters_);
  }
}

Status CpuBackend::queue(JobList&, const cuda::Stream&) {
  return ok_status();
}

}  // namespace microtome::gpu
