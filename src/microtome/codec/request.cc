#include "microtome/codec/request.h"

#include <algorithm>
#include <new>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {

namespace {

Status check_part(const TileFormat& format, const Size& tile, const TilePart& part) {
  const Rect& r = part.src;
  const ImageView& dst = part.dst;
  // Written as differences, which cannot overflow once x and y are known to lie inside.
  const bool inside = r.x >= 0 && r.y >= 0 && r.w > 0 && r.h > 0 && r.x < tile.w && r.y < tile.h &&
                      r.w <= tile.w - r.x && r.h <= tile.h - r.y;
  if (!inside) {
    return invalid_argument("region {},{} {}x{} is not inside the tile of {}x{}", r.x, r.y, r.w, r.h, tile.w,
                            tile.h);
  }
  if (dst.size != r.size()) {
    return invalid_argument("output of {}x{}, expected the region's {}x{}", dst.size.w, dst.size.h, r.w, r.h);
  }
  if (dst.samples != format.samples || dst.type != format.type) {
    return invalid_argument("output of {} samples of {}, expected {} of {}", dst.samples,
                            sample_name(dst.type), format.samples, sample_name(format.type));
  }
  return ok_status();
}

}  // namespace

Size reduced_size(const Size& size, int reduce) noexcept {
  const int64_t unit = int64_t{1} << reduce;
  const auto up = [unit](int64_t n) { return n / unit + (n % unit != 0 ? 1 : 0); };
  return {up(size.w), up(size.h)};
}

Rect Want::bounds() const noexcept {
  Rect all;
  for (const TilePart& part : parts) all = unite(all, part.src);
  return all;
}

Status check_request(const TileFormat& format, const Want& want) {
  if (format.size.empty() || format.samples == 0) {
    return invalid_argument("a tile of {}x{} pixels with {} samples", format.size.w, format.size.h,
                            format.samples);
  }
  constexpr int kMaxReduce = 16;
  if (want.reduce > kMaxReduce) {
    return invalid_argument("a reduction by 2^{}, expected at most 2^{}", want.reduce, kMaxReduce);
  }
  if (want.parts.empty()) return invalid_argument("no part of the tile is asked for");
  const Size tile = reduced_size(format.size, want.reduce);
  for (const TilePart& part : want.parts) MICROTOME_TRY(check_part(format, tile, part));
  if (format.planar) return unsupported("planar samples (each in a tile of its own) are not supported");
  return ok_status();
}

Status check_whole_samples(const TileFormat& format) {
  if (format.bits == 8 * sample_bytes(format.type)) return ok_status();
  return unsupported("{}-bit samples packed into bytes are not supported", format.bits);
}

Status check_full_resolution(const Want& want) {
  if (want.reduce == 0) return ok_status();
  return unsupported("decoding at 1/{} of the resolution is not supported", 1 << want.reduce);
}

Result<size_t> tile_bytes(const TileFormat& format) {
  constexpr int64_t kLimit = int64_t{1} << 31;
  const auto bytes = checked_mul(format.size.w, format.size.h, int64_t{format.samples},
                                 static_cast<int64_t>(sample_bytes(format.type)));
  if (!bytes || *bytes > kLimit) {
    return unsupported("a tile of {}x{} pixels with {} samples of {} is larger than 2 GiB", format.size.w,
                       format.size.h, format.samples, sample_name(format.type));
  }
  return static_cast<size_t>(*bytes);
}

Status check_stream_size(const Size& stream, const TileFormat& format, const Want& want) {
  const Rect bounds = want.bounds();
  const Size shown = reduced_size(stream, want.reduce), tile = reduced_size(format.size, want.reduce);
  if (!Rect{0, 0, shown.w, shown.h}.contains(bounds)) {
    return corrupt("{}x{} pixels do not cover the region {},{} {}x{} of a tile of {}x{}", shown.w, shown.h,
                   bounds.x, bounds.y, bounds.w, bounds.h, tile.w, tile.h);
  }
  // Small tiles are let be: what is 256 x 256 costs nobody much.
  constexpr int64_t kMaxFactor = 4, kMinLimit = int64_t{1} << 16;
  const auto area = checked_mul(stream.w, stream.h), expected = checked_mul(format.size.w, format.size.h);
  const auto limit = expected ? checked_mul(kMaxFactor, *expected) : std::nullopt;
  if (!area || (limit && *area > std::max(kMinLimit, *limit))) {
    return unsupported("{}x{} pixels in a tile of {}x{} are more than {} times as many", stream.w, stream.h,
                       format.size.w, format.size.h, kMaxFactor);
  }
  return ok_status();
}

Result<std::span<std::byte>> Scratch::at_least(size_t bytes) {
  if (bytes > size_) {
    data_.reset();
    size_ = 0;
    data_.reset(new (std::nothrow) std::byte[bytes]);
    if (!data_) return out_of_memory("{} bytes of scratch memory", bytes);
    size_ = bytes;
  }
  return std::span(data_.get(), bytes);
}

}  // namespace microtome
