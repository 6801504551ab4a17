#include "microtome/slide/tiff_strips.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

/// Of one stored row; nothing where rows do not stand by themselves.
std::optional<uint64_t> row_bytes(const TiffImage& image) {
  const TileFormat& format = image.format;
  const bool subsampled = format.color == Color::ycbcr && format.ycbcr.across * format.ycbcr.down != 1;
  if (format.compression != Compression::none || subsampled) return std::nullopt;
  const auto samples = format.planar ? uint64_t{1} : uint64_t{format.samples};
  const auto bits = checked_mul(static_cast<uint64_t>(image.size.w), samples, uint64_t{format.bits});
  return bits ? std::optional(ceil_div(*bits, uint64_t{8})) : std::nullopt;
}

}  // namespace

Result<std::optional<CutStrips>> cut_strip(const tiff::Directory& directory, const TiffImage& image) {
  const auto row = row_bytes(image);
  const auto whole = row ? checked_mul(*row, static_cast<uint64_t>(image.size.h)) : std::nullopt;
  const bool large = whole && *whole > kLargeStripBytes;
  if (!large || !directory.has(tag::kStripOffsets)) return std::optional<CutStrips>();

  const uint64_t planes = image.format.planar ? image.format.samples : 1;
  MICROTOME_ASSIGN(const auto starts, directory.unsigned_values(tag::kStripOffsets, planes));
  std::vector<uint64_t> sizes(planes, *whole);  // where old writers left them out
  if (directory.has(tag::kStripByteCounts)) {
    MICROTOME_ASSIGN(sizes, directory.unsigned_values(tag::kStripByteCounts, planes));
  }
  if (starts.size() != planes || sizes.size() != planes) return std::optional<CutStrips>();
  for (size_t plane = 0; plane < planes; ++plane) {
    const auto end = checked_add(starts[plane], *whole);
    if (sizes[plane] < *whole || !end || *end > directory.encoding().source->size())
      return std::optional<CutStrips>();
  }

  CutStrips cut;
  cut.rows = std::max<int64_t>(1, static_cast<int64_t>(kLargeStripBytes / 4 / *row));
  std::vector<uint64_t> offsets, byte_counts;
  for (const uint64_t start : starts) {
    for (int64_t y = 0; y < image.size.h; y += cut.rows) {
      offsets.push_back(start + static_cast<uint64_t>(y) * *row);
      byte_counts.push_back(static_cast<uint64_t>(std::min(cut.rows, image.size.h - y)) * *row);
    }
  }
  cut.offsets = tiff::LazyArray::of(std::move(offsets));
  cut.byte_counts = tiff::LazyArray::of(std::move(byte_counts));
  return std::optional(std::move(cut));
}

}  // namespace microtome
