#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/codec/jpeg2000/tile.cc"

#include "microtome/codec/jpeg2000/tile.h"

#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "microtome/codec/jpeg2000/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

void RunTile(const TileJob& job) {
  TileRun(job).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <new>

#include "microtome/codec/jpeg2000/markers.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg2000 {

HWY_EXPORT(RunTile);

namespace {

constexpr size_t kAlign = 64;

size_t round_up(size_t n) {
  return (n + kAlign - 1) / kAlign * kAlign;
}

// What the library would refuse, or what has more bits than a byte, is its.
bool fits(const Coding& coding, const TileFormat& format, const Want& want) {
  if (format.type != SampleType::u8 || coding.components != format.samples) return false;
  for (size_t i = 0; i < coding.components; ++i) {
    if (coding.component[i].bits > format.bits) return false;
  }
  return want.reduce <= coding.levels && check_stream_size({coding.width, coding.height}, format, want).ok();
}

}  // namespace

struct TileDecoder::Memory {
  BlockMemory block;
  std::unique_ptr<std::byte[]> data;
  size_t size = 0;
};

TileDecoder::TileDecoder() : memory_(std::make_unique<Memory>()) {}
TileDecoder::~TileDecoder() = default;

// The layout for segments_, kept or made in the place of the one that was used longest ago.
const Layout* TileDecoder::layout_for_segments() {
  ++uses_;
  for (Known& kept : known_) {
    if (kept.used == 0 || kept.segments != segments_) continue;
    kept.used = uses_;
    return kept.declined ? nullptr : &kept.layout;
  }
  Known& oldest = *std::min_element(known_.begin(), known_.end(),
                                    [](const Known& a, const Known& b) { return a.used < b.used; });
  oldest.used = 0;  // in step with the layout should the next lines throw
  Coding coding;
  oldest.declined = !read_coding(segments_, coding) || !make_layout(coding, oldest.layout);
  oldest.segments = segments_;
  oldest.used = uses_;
  return oldest.declined ? nullptr : &oldest.layout;
}

bool TileDecoder::take_memory(const Layout& layout, TileJob& job) {
  job.line_stride = (size_t{layout.coding.width} + 2 * kPadding + kAlign) / kAlign * kAlign;
  const size_t values = round_up((layout.values + kPadding) * sizeof(int16_t)),
               samples = round_up((layout.samples + kPadding) * sizeof(float)),
               rings = round_up(layout.ring_bytes + 2 * kAlign),
               lines = round_up(kScratchLines * job.line_stride * sizeof(float));
  job.byte_stride = round_up(layout.coding.width + 4 * kAlign);
  const size_t bytes = kMaxComponents * job.byte_stride, total = values + samples + rings + bytes + lines;
  if (memory_->size < total) {
    memory_->size = 0;
    memory_->data.reset(new (std::nothrow) std::byte[total + kAlign]());
    if (!memory_->data) return false;
    memory_->size = total;
  }
  std::byte* at = memory_->data.get();
  at += (kAlign - reinterpret_cast<uintptr_t>(at) % kAlign) % kAlign;
  job.block = &memory_->block;
  job.values = reinterpret_cast<int16_t*>(at);
  job.samples = at + values;
  job.rings = reinterpret_cast<uint8_t*>(at + values + samples);
  job.bytes = job.rings + rings;
  job.lines = at + values + samples + rings + bytes;
  return true;
}

bool TileDecoder::decode(std::span<const std::byte> codestream, const TileFormat& format, bool ycbcr,
                         const Want& want) {
  std::span<const std::byte> packets;
  if (!find_packets(codestream, segments_, packets)) return false;
  const Layout* const layout = layout_for_segments();
  if (layout == nullptr || !fits(layout->coding, format, want)) return false;
  TileJob job;
  job.layout = layout;
  job.windows.choose(*layout, size_t{layout->coding.levels} - want.reduce, want.bounds());
  job.packets = &packets_;
  job.ycbcr = ycbcr;
  if (!packets_.read(*layout, packets) || !take_memory(*layout, job)) return false;
  const auto parts = PartRows::make(want, 1, row_);
  if (!parts.ok()) return false;
  job.parts = &*parts;
  MICROTOME_DISPATCH(RunTile)(job);
  return true;
}

}  // namespace microtome::jpeg2000
#endif
