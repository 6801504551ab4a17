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
  job.wide ? TileRun<Wide>(job).run() : TileRun<Narrow>(job).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <new>

#include "microtome/codec/jpeg2000/packet_count.h"
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

bool is_signed(SampleType type) {
  return type == SampleType::i8 || type == SampleType::i16 || type == SampleType::i32;
}

// What the library would refuse is its. Pixels of a subsampled component are of samples of another tile where
// a tile begins between two of them.
bool fits(const Coding& coding, const Area& image, const TileFormat& format, const Want& want) {
  if (coding.components != format.samples || want.reduce > coding.least_levels) return false;
  for (size_t i = 0; i < coding.components; ++i) {
    const ComponentCoding& c = coding.component[i];
    if (c.bits > format.bits || c.is_signed != is_signed(format.type)) return false;
    const auto splits = [&want](uint32_t begin, uint32_t first, unsigned sampling) {
      return begin != first && sampling > 1 && begin % (sampling << want.reduce) != 0;
    };
    if (splits(coding.tile.x0, image.x0, c.dx) || splits(coding.tile.y0, image.y0, c.dy)) return false;
  }
  return true;
}

// Whether Narrow has room for it all; and pixels find their samples in pairs, if not each in its own.
bool is_wide(const Coding& coding, unsigned planes, const TileFormat& format, const Want& want) {
  if (format.type != SampleType::u8 || planes > Narrow::kMaxPlanes) return true;
  for (size_t i = 0; i < coding.components; ++i) {
    const ComponentCoding& c = coding.component[i];
    if (c.region_shift != 0 || c.dx > 2 || (c.dx == 2 && coding.tile.x0 % (2u << want.reduce) != 0))
      return true;
  }
  return false;
}

}  // namespace

struct TileDecoder::Memory {
  BlockMemory block;
  Aligned zeros, others;
};

TileDecoder::TileDecoder() : memory_(std::make_unique<Memory>()) {}
TileDecoder::~TileDecoder() = default;

// The layout for a tile's segments, kept or made in the place of the one that was used longest ago.
const Layout* TileDecoder::layout_of(size_t tile) {
  stream_.segments_of(tile, segments_);
  ++uses_;
  for (Known& kept : known_) {
    if (kept.used == 0 || kept.tile != tile || kept.segments != segments_) continue;
    kept.used = uses_;
    return kept.declined ? nullptr : &kept.layout;
  }
  Known& oldest = *std::min_element(known_.begin(), known_.end(),
                                    [](const Known& a, const Known& b) { return a.used < b.used; });
  oldest.used = 0;  // in step with the layout should the next lines throw
  Coding coding;
  oldest.declined =
      !read_coding(segments_, stream_.grid().tile(tile), coding) || !make_layout(coding, oldest.layout);
  oldest.segments = segments_;
  oldest.tile = tile;
  oldest.used = uses_;
  return oldest.declined ? nullptr : &oldest.layout;
}

bool TileDecoder::take_memory(const Layout& layout, TileJob& job) {
  job.line_stride = (size_t{layout.widest} + 2 * kPadding + kAlign) / kAlign * kAlign;
  const size_t value = job.wide ? sizeof(Wide::Value) : sizeof(Narrow::Value),
               pixel = job.wide ? sizeof(Wide::Pixel) : sizeof(Narrow::Pixel);
  // Apart from what follows: it is kept as zeros, whatever the next tile's layout.
  const size_t zeros = round_up((layout.values + kPadding) * value) + layout.rows;
  if (!memory_->zeros.at_least(zeros)) return false;
  const size_t samples = round_up((layout.samples + kPadding) * sizeof(float)),
               rings = round_up((layout.ring_samples + 2 * kAlign) * pixel),
               lines = round_up(kScratchLines * job.line_stride * sizeof(float));
  job.row_stride = round_up(layout.coding.tile.w() + 4 * kAlign);
  const size_t row = kMaxComponents * job.row_stride * pixel;
  if (!memory_->others.at_least(samples + rings + row + lines)) return false;
  job.block = &memory_->block;
  job.values = memory_->zeros.begin();
  job.rows = reinterpret_cast<uint8_t*>(memory_->zeros.begin() + zeros - layout.rows);
  job.samples = memory_->others.begin();
  job.rings = job.samples + samples;
  job.row = job.rings + rings;
  job.lines = job.row + row;
  return true;
}

bool TileDecoder::decode(std::span<const std::byte> codestream, const TileFormat& format, bool ycbcr,
                         const Want& want) {
  if (!stream_.find(codestream)) return false;
  const Area& image = stream_.grid().image;
  if (!check_stream_size({image.w(), image.h()}, format, want).ok()) return false;
  // Otherwise the picture's pixels at that resolution have no samples of their own.
  if (image.x0 % (1u << want.reduce) != 0 || image.y0 % (1u << want.reduce) != 0) return false;
  if (!check_packet_count(codestream, stream_.grid(), stream_.components()).ok()) return false;
  if (stream_.tiles() == 1) return decode_tile(0, format, ycbcr, want);
  for (size_t tile = 0; tile < stream_.tiles(); ++tile) {
    if (!decode_part_of(tile, format, ycbcr, want)) return false;
  }
  return true;
}

// What the parts have of one of several codestream tiles.
bool TileDecoder::decode_part_of(size_t tile, const TileFormat& format, bool ycbcr, const Want& want) {
  const auto reduced = [&want](uint32_t at) {
    return static_cast<int64_t>((uint64_t{at} + (1u << want.reduce) - 1) >> want.reduce);
  };
  const Area area = stream_.grid().tile(tile), &image = stream_.grid().image;
  const Rect place{reduced(area.x0) - reduced(image.x0), reduced(area.y0) - reduced(image.y0),
                   reduced(area.x1) - reduced(area.x0), reduced(area.y1) - reduced(area.y0)};
  if (place.empty()) return false;
  parts_.clear();
  for (const TilePart& part : want.parts) {
    const Rect common = intersect(part.src, place);
    if (common.empty()) continue;
    parts_.push_back({{common.x - place.x, common.y - place.y, common.w, common.h},
                      part.dst.part({common.x - part.src.x, common.y - part.src.y, common.w, common.h})});
  }
  return decode_tile(tile, format, ycbcr, {parts_, want.stores, want.reduce});
}

// Headers of all packets are read of tiles that no part wants, too: which others the library decodes with
// those that are wanted, and may refuse, is not known here.
bool TileDecoder::decode_tile(size_t tile, const TileFormat& format, bool ycbcr, const Want& want) {
  const Layout* const layout = layout_of(tile);
  if (layout == nullptr || !fits(layout->coding, stream_.grid().image, format, want)) return false;
  if (!packets_.read(*layout, stream_.bytes_of(tile))) return false;
  if (want.parts.empty()) return true;
  TileJob job;
  job.layout = layout;
  job.windows.choose(*layout, want.reduce, want.bounds());
  job.packets = &packets_;
  job.wide = is_wide(layout->coding, packets_.most_planes(), format, want);
  job.type = format.type;
  job.ycbcr = ycbcr;
  if (!take_memory(*layout, job)) return false;
  const auto parts = PartRows::make(want, 1, row_);
  if (!parts.ok()) return false;
  job.parts = &*parts;
  MICROTOME_DISPATCH(RunTile)(job);
  return true;
}

}  // namespace microtome::jpeg2000
#endif
