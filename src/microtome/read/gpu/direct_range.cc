#include "microtome/read/gpu/direct_range.h"

#include <bit>

#include "microtome/base/checked.h"

namespace microtome::gpu {
namespace {

bool is_plain(const TileFormat& format) noexcept {
  const size_t bytes = sample_bytes(format.type);
  const bool is_native = bytes == 1 || format.big_endian == (std::endian::native == std::endian::big);
  return format.compression == Compression::none && format.predictor == Predictor::none &&
         format.color != Color::ycbcr && format.bits == 8 * bytes && is_native && !format.planar &&
         !format.lsb_first && format.rgb_form == nullptr;
}

}  // namespace

bool may_be_direct(const TileFormat& format, Size tile) noexcept {
  const auto bytes = checked_mul(static_cast<size_t>(tile.w), static_cast<size_t>(tile.h),
                                 size_t{format.samples}, sample_bytes(format.type));
  return is_plain(format) && bytes.value_or(SIZE_MAX) >= kLeastDirectBytes;
}

std::optional<DirectRange> direct_range(const TileFormat& format, const ByteRange& packed, const Rect& part) {
  constexpr uint64_t kPage = DirectRange::kPage;
  if (!is_plain(format) || part.empty() || part.y < 0) return std::nullopt;
  const size_t pixel = format.samples * sample_bytes(format.type);
  const auto pitch = checked_mul(static_cast<size_t>(format.size.w), pixel);
  if (!pitch) return std::nullopt;
  const auto end = checked_mul(*pitch, static_cast<size_t>(part.bottom()));
  if (!end || *end > packed.size || *pitch > UINT32_MAX) return std::nullopt;
  DirectRange range;
  range.pitch = *pitch;
  range.first_row = part.y;
  range.rows = part.h;
  range.bytes = *pitch * static_cast<size_t>(part.h);
  const auto wanted = static_cast<size_t>(part.w) * static_cast<size_t>(part.h) * pixel;
  if (range.bytes < kLeastDirectBytes || range.bytes > wanted + wanted / 16) return std::nullopt;
  const auto begin =
      checked_add(packed.offset, static_cast<uint64_t>(*pitch) * static_cast<uint64_t>(part.y));
  if (!begin || *begin % sample_bytes(format.type) != 0) return std::nullopt;
  range.lead = static_cast<size_t>(*begin % kPage);
  range.pages = {*begin - range.lead, (range.lead + range.bytes + kPage - 1) / kPage * kPage};
  return range;
}

}  // namespace microtome::gpu
