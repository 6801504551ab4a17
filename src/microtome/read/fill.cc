// make_fill(): one pixel of background from the numbers a caller gave.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "microtome/base/fail.h"
#include "microtome/read/reader.h"

namespace microtome {

namespace {

template <class T>
void append(std::vector<std::byte>& pixel, T value) {
  const size_t end = pixel.size();
  pixel.resize(end + sizeof value);
  std::memcpy(pixel.data() + end, &value, sizeof value);
}

template <class T>
Status append_integer(std::vector<std::byte>& pixel, double value, SampleType type) {
  using Limits = std::numeric_limits<T>;
  // max() + 1 is a power of two, which a double holds exactly; max() itself of 64 bits it does not.
  const double below = static_cast<double>(Limits::min());
  const double beyond = std::ldexp(1.0, Limits::digits);
  if (!(value >= below && value < beyond) || value != std::trunc(value))
    return invalid_argument("fill: {} is not a {}: expected a whole number from {} to {}", value,
                            sample_name(type), Limits::min(), Limits::max());
  append(pixel, static_cast<T>(value));
  return ok_status();
}

/// IEEE 754 binary16 of a finite value of magnitude below 65520, rounded to nearest, ties to even.
uint16_t to_half(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  // Steps between halves near `magnitude`: 2^(exponent - 10), and 2^-24 among the subnormal ones.
  const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  const auto steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  // A normal number has 1024 … 2048 steps; the carry of 2048 into the exponent is the sum's own.
  const int biased = exponent + 14;
  return static_cast<uint16_t>(sign | static_cast<uint16_t>((biased << 10) + steps));
}

Status append_float(std::vector<std::byte>& pixel, double value, SampleType type) {
  // Half a step beyond the largest value is the first that rounds to infinity.
  const double beyond = type == SampleType::f16   ? 65520.0
                        : type == SampleType::f32 ? 0x1.ffffffp127
                                                  : std::numeric_limits<double>::infinity();
  if (std::isfinite(value) && std::fabs(value) >= beyond)
    return invalid_argument("fill: {} is beyond the range of {}", value, sample_name(type));
  if (type == SampleType::f64) {
    append(pixel, value);
  } else if (type == SampleType::f32) {
    append(pixel, static_cast<float>(value));
  } else if (std::isfinite(value)) {
    append(pixel, to_half(value));
  } else {
    append(pixel,
           static_cast<uint16_t>((std::signbit(value) ? 0x8000 : 0) | (std::isnan(value) ? 0x7e00 : 0x7c00)));
  }
  return ok_status();
}

Status append_sample(std::vector<std::byte>& pixel, double value, SampleType type) {
  switch (type) {
    case SampleType::u8:
      return append_integer<uint8_t>(pixel, value, type);
    case SampleType::u16:
      return append_integer<uint16_t>(pixel, value, type);
    case SampleType::u32:
      return append_integer<uint32_t>(pixel, value, type);
    case SampleType::u64:
      return append_integer<uint64_t>(pixel, value, type);
    case SampleType::i8:
      return append_integer<int8_t>(pixel, value, type);
    case SampleType::i16:
      return append_integer<int16_t>(pixel, value, type);
    case SampleType::i32:
      return append_integer<int32_t>(pixel, value, type);
    case SampleType::i64:
      return append_integer<int64_t>(pixel, value, type);
    case SampleType::f16:
    case SampleType::f32:
    case SampleType::f64:
      return append_float(pixel, value, type);
  }
  return internal("fill: sample type {}", static_cast<int>(type));
}

}  // namespace

Result<std::vector<std::byte>> make_fill(std::span<const double> values, uint16_t samples, SampleType type) {
  if (values.size() != 1 && values.size() != samples) {
    return invalid_argument("fill: {} values, expected {}", values.size(),
                            samples == 1 ? std::string("1") : fmt::format("1 or {}", samples));
  }
  std::vector<std::byte> pixel;
  pixel.reserve(samples * sample_bytes(type));
  for (size_t i = 0; i < samples; ++i)
    MICROTOME_TRY(append_sample(pixel, values[values.size() == 1 ? 0 : i], type));
  return pixel;
}

}  // namespace microtome
