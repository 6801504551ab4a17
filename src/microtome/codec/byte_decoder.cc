#include "microtome/codec/byte_decoder.h"

#include <bit>
#include <cstring>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/codec/part_rows.h"
#include "microtome/codec/stored_samples.h"
#include "microtome/simd/kernels.h"

namespace microtome {
namespace {

bool is_float(SampleType type) {
  return type == SampleType::f16 || type == SampleType::f32 || type == SampleType::f64;
}

Status check_predictor(const TileFormat& format) {
  switch (format.predictor) {
    case Predictor::none:
      return ok_status();
    case Predictor::horizontal:
      if (!is_packed(format)) return ok_status();
      return unsupported("the horizontal predictor with {}-bit samples is not supported", format.bits);
    case Predictor::floating_point:
      if (is_float(format.type) && (!is_packed(format) || format.bits == 24)) return ok_status();
      return unsupported("the floating-point predictor with {}-bit samples of {} is not supported",
                         format.bits, sample_name(format.type));
  }
  return unsupported("predictor {} (unknown) is not supported", static_cast<int>(format.predictor));
}

Status check_supported(const TileFormat& format) {
  if (format.color == Color::ycbcr) MICROTOME_TRY(check_ycbcr(format));
  if (is_packed(format)) MICROTOME_TRY(check_packed(format));
  return check_predictor(format);
}

/// What the first `rows` rows take.
size_t stored_bytes(const TileFormat& format, int64_t rows) {
  if (format.color == Color::ycbcr) return ycbcr_bytes(format, rows);
  return stored_row_bytes(format) * static_cast<size_t>(rows);
}

}  // namespace

Status ByteDecoder::decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
  Status status = decode_checked(packed, format, want);
  if (!status.ok()) return std::move(status).error().with_prefix(name_);
  return status;
}

Status ByteDecoder::decode_checked(std::span<const std::byte> packed, const TileFormat& format,
                                   const Want& want) {
  MICROTOME_TRY(check_request(format, want));
  MICROTOME_TRY(check_full_resolution(want));
  MICROTOME_TRY(check_supported(format));
  MICROTOME_TRY(tile_bytes(format));
  const size_t row_bytes = stored_row_bytes(format), whole = stored_bytes(format, format.size.h);
  const int64_t rows_needed = want.bounds().bottom();
  const size_t need = stored_bytes(format, rows_needed);
  if (need / max_expansion_ > packed.size()) {
    return corrupt("{} bytes cannot hold the {} rows of {} bytes that are needed", packed.size(), rows_needed,
                   need / static_cast<size_t>(rows_needed));
  }
  const TilePart& first = want.parts.front();
  const bool plain = !is_packed(format) && format.color != Color::ycbcr;
  const bool straight = plain && want.parts.size() == 1 && first.src.size() == format.size &&
                        first.dst.row_stride == static_cast<int64_t>(row_bytes);
  std::span<std::byte> room(first.dst.data, whole);
  if (!straight) {
    MICROTOME_ASSIGN(room, tile_.at_least(whole));
  }
  if (format.lsb_first) {
    MICROTOME_ASSIGN(const std::span<std::byte> reversed, reversed_.at_least(packed.size()));
    reverse_bits(packed, reversed.data());
    packed = reversed;
  }
  MICROTOME_ASSIGN(const std::span<const std::byte> rows, unpack(packed, room, need));
  if (rows.size() < need) {
    return corrupt("premature end: {} bytes, expected {} ({} rows of {})", rows.size(), need, rows_needed,
                   need / static_cast<size_t>(rows_needed));
  }
  return place(rows, format, want);
}

Status ByteDecoder::place(std::span<const std::byte> rows, const TileFormat& format, const Want& want) {
  if (format.color == Color::ycbcr) return place_ycbcr(rows, format, want);
  if (format.predictor == Predictor::floating_point) return place_float(rows, format, want);
  if (is_packed(format)) return place_packed(rows, format, want);
  const size_t width = sample_bytes(format.type);
  const bool swap = width > 1 && format.big_endian != (std::endian::native == std::endian::big);
  const bool predicted = format.predictor == Predictor::horizontal;
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, band_));
  const Rect& bounds = parts.bounds();
  const size_t stream_row = static_cast<size_t>(format.size.w) * parts.pixel_bytes();
  const size_t left = static_cast<size_t>(bounds.x) * parts.pixel_bytes();

  // A prediction starts at the row's first pixel, so the row is undone from there to the region's right edge.
  std::span<std::byte> line;
  if (predicted && left > 0) {
    MICROTOME_ASSIGN(line, line_.at_least(left + parts.row_bytes()));
  }
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    const std::byte* const stored = rows.data() + static_cast<size_t>(y) * stream_row;
    std::byte* const out = parts.row(y);
    if (!swap && !predicted) {
      if (stored == out) continue;
      parts.put(y, stored + left);
      continue;
    }
    const size_t skip = predicted ? 0 : left;
    std::byte* const target = line.empty() ? out : line.data();
    const size_t bytes = left - skip + parts.row_bytes();
    if (swap) {
      simd::swap_bytes(stored + skip, width, bytes / width, target);
    } else if (stored + skip != target) {
      std::memcpy(target, stored + skip, bytes);
    }
    if (predicted) {
      simd::unpredict(target, width, format.samples, static_cast<size_t>(bounds.right()));
      if (target != out) std::memcpy(out, target + left, parts.row_bytes());
    }
    parts.done(y);
  }
  parts.end();
  return ok_status();
}

Status ByteDecoder::place_packed(std::span<const std::byte> rows, const TileFormat& format,
                                 const Want& want) {
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, band_));
  const Rect& bounds = parts.bounds();
  const size_t stored = stored_row_bytes(format), samples = format.samples;
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    unpack_samples(rows.data() + static_cast<size_t>(y) * stored, format,
                   static_cast<size_t>(bounds.x) * samples, static_cast<size_t>(bounds.w) * samples,
                   parts.row(y));
    parts.done(y);
  }
  parts.end();
  return ok_status();
}

Status ByteDecoder::place_ycbcr(std::span<const std::byte> rows, const TileFormat& format, const Want& want) {
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, band_));
  const Rect& bounds = parts.bounds();
  ycbcr_.prepare(format.ycbcr);
  const size_t stored = stored_row_bytes(format);
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    if (format.predictor == Predictor::none) {
      ycbcr_.row(rows.data(), format, y, bounds.x, bounds.w, parts.row(y));
    } else {  // and no subsampling: pixels of three samples, as of any other colour
      MICROTOME_ASSIGN(const std::span<std::byte> line, line_.at_least(stored));
      std::memcpy(line.data(), rows.data() + static_cast<size_t>(y) * stored, stored);
      simd::unpredict(line.data(), 1, format.samples, static_cast<size_t>(bounds.right()));
      std::memcpy(parts.row(y), line.data() + static_cast<size_t>(bounds.x) * parts.pixel_bytes(),
                  parts.row_bytes());
      ycbcr_.convert(parts.row(y), bounds.w);
    }
    parts.done(y);
  }
  parts.end();
  return ok_status();
}

Status ByteDecoder::place_float(std::span<const std::byte> rows, const TileFormat& format, const Want& want) {
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, band_));
  const Rect& bounds = parts.bounds();
  const size_t stored = stored_row_bytes(format);
  MICROTOME_ASSIGN(const std::span<std::byte> line, line_.at_least(stored));
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    std::memcpy(line.data(), rows.data() + static_cast<size_t>(y) * stored, stored);
    unpredict_float(line, format, static_cast<size_t>(bounds.x), static_cast<size_t>(bounds.w), parts.row(y));
    parts.done(y);
  }
  parts.end();
  return ok_status();
}

}  // namespace microtome
