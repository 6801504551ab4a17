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

// Memory that begins at a cache line, as zeros, and grows.
class Aligned {
 public:
  /// False: there is none.
  bool at_least(size_t size) {
    if (size_ >= size) return true;
    size_ = 0;
    data_.reset(new (std::nothrow) std::byte[size + kAlign]());
    if (data_) size_ = size;
    return size_ >= size;
  }
  std::byte* begin() const {
    std::byte* const at = data_.get();
    return at + (kAlign - reinterpret_cast<uintptr_t>(at) % kAlign) % kAlign;
  }

 private:
  std::unique_ptr<std::byte[]> data_;
  size_t size_ = 0;
};

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
  Aligned zeros, others;
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
  // Apart from what follows: it is kept as zeros, whatever the next tile's layout.
  const size_t zeros = round_up((layout.values + kPadding) * sizeof(int16_t)) + layout.rows;
  if (!memory_->zeros.at_least(zeros)) return false;
  const size_t samples = round_up((layout.samples + kPadding) * sizeof(float)),
               rings = round_up(layout.ring_bytes + 2 * kAlign),
               lines = round_up(kScratchLines * job.line_stride * sizeof(float));
  job.byte_stride = round_up(layout.coding.width + 4 * kAlign);
  const size_t bytes = kMaxComponents * job.byte_stride;
  if (!memory_->others.at_least(samples + rings + bytes + lines)) return false;
  job.block = &memory_->block;
  job.values = reinterpret_cast<int16_t*>(memory_->zeros.begin());
  job.rows = reinterpret_cast<uint8_t*>(memory_->zeros.begin() + zeros - layout.rows);
  job.samples = memory_->others.begin();
  job.rings = reinterpret_cast<uint8_t*>(job.samples + samples);
  job.bytes = job.rings + rings;
  job.lines = job.samples + samples + rings + bytes;
  return true;
}

bool TileDecoder::decode(std::span<const std::byte> codestream, const TileFormat& format, bool ycbcr,
                         const Want& want) {
  std::span<const std::byte> packets;
  if (!find_packets(codestream, segments_, joined_, packets)) return false;
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
