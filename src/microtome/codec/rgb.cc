#include "microtome/codec/rgb.h"

#include <algorithm>
#include <cstring>

#include "microtome/base/fail.h"
#include "microtome/codec/part_rows.h"

namespace microtome {
namespace {

constexpr uint16_t kMostTableBits = 16;

bool is_unsigned(SampleType type) {
  return type == SampleType::u8 || type == SampleType::u16 || type == SampleType::u32 ||
         type == SampleType::u64;
}

Status check_form(const RgbForm& form) {
  const TileFormat& stored = form.stored;
  switch (stored.color) {
    case Color::white_is_zero:
    case Color::black_is_zero:
    case Color::mask:
    case Color::rgb:
    case Color::ycbcr:
      break;
    case Color::palette:
      if (stored.bits <= kMostTableBits && form.color_map.size() == size_t{3} << stored.bits) break;
      return unsupported("palette indices of {} bits as RGB: the color map has {} values", stored.bits,
                         form.color_map.size());
    default:
      return unsupported("{} as RGB; channels=\"stored\" gives the samples", color_name(stored.color));
  }
  if (!is_unsigned(stored.type))
    return unsupported("samples of {} as RGB of 8 bits; channels=\"stored\" gives the samples",
                       sample_name(stored.type));
  if (stored.samples < color_samples(stored.color))
    return corrupt("{} with {} samples, expected at least {}", color_name(stored.color), stored.samples,
                   color_samples(stored.color));
  return ok_status();
}

uint64_t largest(uint16_t bits) {
  return bits >= 64 ? UINT64_MAX : (uint64_t{1} << bits) - 1;
}

/// `value` of `bits` bits on a scale of 8, rounded to nearest.
uint8_t to_8_bits(uint64_t value, uint16_t bits) {
  if (bits == 8) return static_cast<uint8_t>(value);
  const uint64_t most = largest(bits);
  if (bits > 32) return to_8_bits(value >> (bits - 32), 32);
  return static_cast<uint8_t>((std::min(value, most) * 255 + most / 2) / most);
}

template <class T>
uint64_t load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

uint64_t load(const std::byte* from, SampleType type) {
  switch (sample_bytes(type)) {
    case 1:
      return load<uint8_t>(from);
    case 2:
      return load<uint16_t>(from);
    case 4:
      return load<uint32_t>(from);
    default:
      return load<uint64_t>(from);
  }
}

uint8_t compose(uint32_t color, uint32_t alpha, Alpha kind) {
  if (kind == Alpha::straight) return static_cast<uint8_t>((color * alpha + 127) / 255 + 255 - alpha);
  return static_cast<uint8_t>(std::min<uint32_t>(color + 255 - alpha, 255));
}

}  // namespace

void RgbDecoder::prepare(const RgbForm& form) {
  const TileFormat& stored = form.stored;
  table_.clear();
  if (stored.bits > kMostTableBits) return;
  const size_t count = size_t{1} << stored.bits;
  table_.resize(count);
  for (size_t value = 0; value < count; ++value) {
    if (stored.color == Color::palette) {
      for (size_t c = 0; c < 3; ++c) table_[value][c] = to_8_bits(form.color_map[c * count + value], 16);
    } else {
      table_[value].fill(
          to_8_bits(stored.color == Color::white_is_zero ? count - 1 - value : value, stored.bits));
    }
  }
}

Status RgbDecoder::decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
  if (!format.rgb_form) return internal("a tile without a form as RGB");
  const RgbForm& form = *format.rgb_form;
  const TileFormat& stored = form.stored;
  MICROTOME_TRY(check_form(form));
  if (prepared_for_ != format.rgb_form) {
    prepare(form);
    prepared_for_ = format.rgb_form;
  }
  const Rect bounds = want.bounds();
  ImageView view{nullptr, bounds.size(), 0, stored.samples, stored.type};
  view.row_stride = static_cast<int64_t>(view.row_bytes());
  MICROTOME_ASSIGN(const std::span<std::byte> pixels,
                   pixels_.at_least(view.row_bytes() * static_cast<size_t>(bounds.h)));
  view.data = pixels.data();
  const TilePart part{bounds, view};
  Status decoded = stored_->decode(packed, stored, {{&part, 1}, Stores::cached, want.reduce});
  decoded_by_ = stored_->decoded_by();
  MICROTOME_TRY(std::move(decoded));

  const size_t width = sample_bytes(stored.type), pixel = view.pixel_bytes();
  const size_t colors = color_samples(stored.color);
  const bool composed = form.alpha != Alpha::none && stored.samples > colors;
  const auto value_of = [&](const std::byte* from, size_t channel) {
    const uint64_t value = load(from, stored.type);
    if (value < table_.size()) return table_[static_cast<size_t>(value)][channel];
    const bool inverted = stored.color == Color::white_is_zero;
    return to_8_bits(inverted ? largest(stored.bits) - value : value, stored.bits);
  };
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, row_));
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    const std::byte* from = view.row(y - bounds.y);
    std::byte* to = parts.row(y);
    for (int64_t x = 0; x < bounds.w; ++x, from += pixel, to += 3) {
      const uint32_t alpha =
          composed ? to_8_bits(load(from + colors * width, stored.type), stored.bits) : 255;
      for (size_t c = 0; c < 3; ++c) {
        const uint8_t color = value_of(colors == 3 ? from + c * width : from, c);
        to[c] = static_cast<std::byte>(composed ? compose(color, alpha, form.alpha) : color);
      }
    }
    parts.done(y);
  }
  parts.end();
  return ok_status();
}

}  // namespace microtome
