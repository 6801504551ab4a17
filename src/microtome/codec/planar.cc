#include "microtome/codec/planar.h"

#include <cstring>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/part_rows.h"

namespace microtome {
namespace {

constexpr size_t kSizeBytes = sizeof(uint64_t);

// The format of each sample's own tile. What the samples mean together concerns none of them.
TileFormat one_sample_of(const TileFormat& format) {
  TileFormat one = format;
  one.planar = false;
  one.samples = 1;
  one.color = Color::black_is_zero;
  return one;
}

template <size_t kWidth>
void interleave(const std::byte* planes, size_t plane_bytes, size_t samples, size_t pixels, std::byte* to) {
  for (size_t s = 0; s < samples; ++s, planes += plane_bytes) {
    for (size_t i = 0; i < pixels; ++i) {
      std::memcpy(to + (i * samples + s) * kWidth, planes + i * kWidth, kWidth);
    }
  }
}

using Interleave = void (*)(const std::byte*, size_t, size_t, size_t, std::byte*);

Interleave interleave_for(SampleType type) {
  switch (sample_bytes(type)) {
    case 1:
      return interleave<1>;
    case 2:
      return interleave<2>;
    case 4:
      return interleave<4>;
    default:
      return interleave<8>;
  }
}

}  // namespace

size_t plane_bytes::head(size_t planes) noexcept {
  return planes * kSizeBytes;
}

void plane_bytes::write_size(std::span<std::byte> packed, size_t plane, uint64_t size) noexcept {
  std::memcpy(packed.data() + plane * kSizeBytes, &size, kSizeBytes);
}

Status PlanarDecoder::decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
  TileFormat whole = format;
  whole.planar = false;
  MICROTOME_TRY(check_request(whole, want));
  MICROTOME_TRY(tile_bytes(format));
  if (!format.planar) return internal("a tile whose samples are not stored apart");
  const bool is_ycbcr = format.color == Color::ycbcr;
  if (is_ycbcr) {
    MICROTOME_TRY(check_ycbcr(format));
    ycbcr_.prepare(format.ycbcr);
  }

  const size_t samples = format.samples;
  if (packed.size() < plane_bytes::head(samples)) return internal("planes without their sizes");
  const TileFormat one = one_sample_of(format);
  const Rect bounds = want.bounds();
  const size_t row_bytes = static_cast<size_t>(bounds.w) * sample_bytes(format.type);
  const size_t plane = row_bytes * static_cast<size_t>(bounds.h);
  MICROTOME_ASSIGN(const std::span<std::byte> planes, planes_.at_least(plane * samples));
  std::span<const std::byte> rest = packed.subspan(plane_bytes::head(samples));
  for (size_t s = 0; s < samples; ++s) {
    uint64_t size = 0;
    std::memcpy(&size, packed.data() + s * kSizeBytes, kSizeBytes);
    if (size > rest.size()) return internal("planes that are shorter than their sizes");
    const ImageView view{planes.data() + s * plane, bounds.size(), static_cast<int64_t>(row_bytes), 1,
                         format.type};
    const TilePart part{bounds, view};
    MICROTOME_TRY(one_sample_->decode(rest.first(static_cast<size_t>(size)), one,
                                      {{&part, 1}, Stores::cached, want.reduce}));
    rest = rest.subspan(static_cast<size_t>(size));
  }

  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, row_));
  const Interleave interleave = interleave_for(format.type);
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    const size_t row = static_cast<size_t>(y - bounds.y) * row_bytes;
    interleave(planes.data() + row, plane, samples, static_cast<size_t>(bounds.w), parts.row(y));
    if (is_ycbcr) ycbcr_.convert(parts.row(y), bounds.w);
    parts.done(y);
  }
  parts.end();
  return ok_status();
}

}  // namespace microtome
