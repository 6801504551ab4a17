#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/codec/jpeg/tile.cc"

#include "microtome/codec/jpeg/tile.h"

#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "microtome/codec/jpeg/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

bool RunTile(const TileJob& job) {
  return TileRun(job).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <new>

#include "microtome/simd/kernels.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg {

HWY_EXPORT(RunTile);

namespace {

constexpr size_t kAlign = 64;

size_t round_up(size_t n) {
  return (n + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

struct TileDecoder::Memory {
  alignas(kAlign) std::array<int16_t, kMaxGroups * kGroupSize> coefficients{};
  alignas(kAlign) std::array<QuantFactors, 3> quant{};
  std::unique_ptr<uint8_t[]> planes;
  size_t size = 0;
};

TileDecoder::TileDecoder() : memory_(std::make_unique<Memory>()) {}
TileDecoder::~TileDecoder() = default;

bool TileDecoder::take_tables(const Frame& frame, TileJob& job) {
  for (size_t c = 0; c < frame.components; ++c) {
    const Component& component = frame.component[c];
    job.tables[c] = tables_.get(frame.tables.dc[component.dc], frame.tables.ac[component.ac]);
    if (job.tables[c] == nullptr) return false;
    const QuantTable& quant = frame.tables.quant[component.quant];
    for (size_t i = 0; i < 64; ++i) {
      const size_t row = i / 8, column = i % 8,
                   place = 8 * group_row(row, column) + word_of_block(row, column);
      memory_->quant[c][place] = static_cast<int16_t>(quant.natural[i]);
    }
  }
  job.quant = memory_->quant.data();
  return true;
}

// Rows are an odd number of cache lines apart, so that the rows of a block do not share a few sets of the
// cache.
bool TileDecoder::take_memory(TileJob& job) {
  const int chunk = job.layout.chunk_mcus;
  const auto chunks = static_cast<size_t>((job.layout.mcus_across + chunk - 1) / chunk);
  std::array<size_t, 3> sizes{};
  size_t total = 0;
  for (size_t c = 0; c < static_cast<size_t>(job.layout.components); ++c) {
    const ComponentLayout& component = job.layout.component[c];
    const auto width = static_cast<size_t>(chunk * component.h * component.block) * chunks;
    const auto rows = static_cast<size_t>(2 * component.v * component.block);
    Plane& plane = job.planes[c];
    plane.stride = round_up(width + 2 * kPlaneMargin) | kAlign;
    plane.mask = static_cast<int64_t>(rows) - 1;
    sizes[c] = plane.stride * rows + kAlign;
    total += sizes[c];
  }
  if (memory_->size < total) {
    memory_->size = 0;
    memory_->planes.reset(new (std::nothrow) uint8_t[total + kAlign]());
    if (!memory_->planes) return false;
    memory_->size = total;
  }
  uint8_t* at = memory_->planes.get();
  at += (kAlign - reinterpret_cast<uintptr_t>(at) % kAlign) % kAlign;
  for (size_t c = 0; c < 3; at += sizes[c], ++c) job.planes[c].origin = at + kPlaneMargin;
  job.coefficients = memory_->coefficients.data();
  return true;
}

bool TileDecoder::prepare(const Frame& frame, const Rect& bounds, int reduce, TileJob& job) {
  job.layout = make_layout(frame, reduce);
  job.bounds = bounds;
  job.needed = needed_for(job.layout, bounds);
  job.restart_interval = frame.restart_interval;
  if (!take_tables(frame, job)) return false;
  const int64_t mcus = job.layout.mcus_across * job.layout.mcus_down, interval = frame.restart_interval;
  const int64_t segments = interval == 0 ? 1 : (mcus + interval - 1) / interval;
  job.scan = unstuffer_.run(frame.scan, static_cast<size_t>(segments));
  return job.scan != nullptr && take_memory(job);
}

// A tile that is declined half way leaves coefficients behind.
bool TileDecoder::run(const TileJob& job) {
  const bool done = MICROTOME_DISPATCH(RunTile)(job);
  if (job.stream) simd::stream_end();
  if (!done) memory_->coefficients.fill(0);
  return done;
}

bool TileDecoder::decode(const Frame& frame, bool ycbcr, const Want& want) {
  TileJob job;
  if (!prepare(frame, want.bounds(), want.reduce, job)) return false;
  job.ycbcr = ycbcr;
  // Subsampled colours that are not chroma: nobody writes them.
  const bool subsampled = job.layout.across != Stretch::none || job.layout.down != Stretch::none;
  if (subsampled && !ycbcr) return false;
  job.parts = want.parts;
  job.stream = want.stores == Stores::streaming;
  return run(job);
}

bool TileDecoder::decode_planes(const Frame& frame, std::span<const ImageView> planes) {
  TileJob job;
  if (!prepare(frame, {0, 0, frame.size.w, frame.size.h}, 0, job)) return false;
  job.planes_out = planes;
  return run(job);
}

Size TileDecoder::plane_size(const Frame& frame, int component) {
  const ComponentLayout layout = make_layout(frame, 0).component[static_cast<size_t>(component)];
  return {layout.width, layout.height};
}

}  // namespace microtome::jpeg
#endif
