#include "microtome/codec/stored_samples.h"

#include <array>
#include <bit>
#include <cstring>

#include "microtome/base/fail.h"
#include "microtome/simd/kernels.h"

namespace microtome {
namespace {

bool is_signed_integer(SampleType type) {
  return type == SampleType::i8 || type == SampleType::i16 || type == SampleType::i32;
}

// Numbers of `bits` bits from the highest bit of each byte on.
class BitReader {
 public:
  BitReader(const std::byte* bytes, size_t first_bit) : next_(bytes + first_bit / 8) {
    if (const auto skipped = static_cast<unsigned>(first_bit % 8); skipped > 0) {
      buffer_ = std::to_integer<uint64_t>(*next_++);
      count_ = 8 - skipped;
    }
  }
  uint32_t read(unsigned bits) {
    while (count_ < bits) {
      buffer_ = buffer_ << 8 | std::to_integer<uint64_t>(*next_++);
      count_ += 8;
    }
    count_ -= bits;
    return static_cast<uint32_t>(buffer_ >> count_ & ((uint64_t{1} << bits) - 1));
  }

 private:
  const std::byte* next_;
  uint64_t buffer_ = 0;
  unsigned count_ = 0;
};

// What stands above bit 0 of a 32-bit number goes into all bits above `bits` of a signed one.
uint32_t extend_sign(uint32_t value, unsigned bits) {
  const uint32_t sign = uint32_t{1} << (bits - 1);
  return (value ^ sign) - sign;
}

template <class T>
void unpack_bits(BitReader reader, const TileFormat& format, size_t count, std::byte* to) {
  const bool is_signed = is_signed_integer(format.type);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t stored = reader.read(format.bits);
    const auto value = static_cast<T>(is_signed ? extend_sign(stored, format.bits) : stored);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
}

// A number of 24 bits with the exponent's bias of 63 as one of 32 bits with 127.
uint32_t widen_float(uint32_t stored) {
  const uint32_t sign = stored >> 23 << 31, exponent = stored >> 16 & 0x7F, fraction = stored & 0xFFFF;
  if (exponent == 0x7F) return sign | 0x7F800000 | fraction << 7;  // infinity, or no number
  if (exponent != 0) return sign | (exponent + 127 - 63) << 23 | fraction << 7;
  if (fraction == 0) return sign;
  // Numbers below the normal ones of 24 bits are normal in 32.
  const auto leading = static_cast<uint32_t>(std::countl_zero(fraction)) - 15;
  return sign | (127 - 62 - leading) << 23 | (fraction << leading & 0xFFFF) << 7;
}

void unpack_triples(const std::byte* from, const TileFormat& format, size_t count, std::byte* to) {
  const bool is_signed = is_signed_integer(format.type), is_float = format.type == SampleType::f32;
  for (size_t i = 0; i < count; ++i, from += 3) {
    const auto byte = [from](size_t at) { return std::to_integer<uint32_t>(from[at]); };
    uint32_t value =
        format.big_endian ? byte(0) << 16 | byte(1) << 8 | byte(2) : byte(2) << 16 | byte(1) << 8 | byte(0);
    if (is_signed) value = extend_sign(value, 24);
    if (is_float) value = widen_float(value);
    std::memcpy(to + i * sizeof value, &value, sizeof value);
  }
}

constexpr std::array<uint8_t, 256> kReversed = [] {
  std::array<uint8_t, 256> table{};
  for (unsigned value = 0; value < 256; ++value) {
    unsigned reversed = 0;
    for (unsigned bit = 0; bit < 8; ++bit) reversed |= (value >> bit & 1) << (7 - bit);
    table[value] = static_cast<uint8_t>(reversed);
  }
  return table;
}();

// Sample i of a row takes one byte of each plane; the first plane has the highest ones.
template <size_t kWidth>
void join_planes(const std::byte* row, size_t plane, size_t first, size_t count, std::byte* to) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < kWidth; ++k) {
      const size_t at = std::endian::native == std::endian::big ? k : kWidth - 1 - k;
      to[i * kWidth + at] = row[k * plane + first + i];
    }
  }
}

void join_triples(const std::byte* row, size_t plane, size_t first, size_t count, std::byte* to) {
  for (size_t i = first; i < first + count; ++i, to += sizeof(uint32_t)) {
    const auto byte = [&](size_t k) { return std::to_integer<uint32_t>(row[k * plane + i]); };
    const uint32_t value = widen_float(byte(0) << 16 | byte(1) << 8 | byte(2));
    std::memcpy(to, &value, sizeof value);
  }
}

}  // namespace

size_t stored_row_bytes(const TileFormat& format) noexcept {
  return (static_cast<size_t>(format.size.w) * format.samples * format.bits + 7) / 8;
}

bool is_packed(const TileFormat& format) noexcept {
  return format.bits != 8 * sample_bytes(format.type);
}

Status check_packed(const TileFormat& format) {
  const bool integer = is_signed_integer(format.type) || format.type == SampleType::u8 ||
                       format.type == SampleType::u16 || format.type == SampleType::u32;
  if (integer && format.bits > 0 && format.bits < 8 * sample_bytes(format.type)) return ok_status();
  if (format.type == SampleType::f32 && format.bits == 24) return ok_status();
  return unsupported("samples of {} in {} bits are not supported", sample_name(format.type), format.bits);
}

void unpack_samples(const std::byte* row, const TileFormat& format, size_t first, size_t count,
                    std::byte* to) {
  if (format.bits == 24) return unpack_triples(row + 3 * first, format, count, to);
  const BitReader reader(row, first * format.bits);
  switch (sample_bytes(format.type)) {
    case 1:
      return unpack_bits<uint8_t>(reader, format, count, to);
    case 2:
      return unpack_bits<uint16_t>(reader, format, count, to);
    default:
      return unpack_bits<uint32_t>(reader, format, count, to);
  }
}

void reverse_bits(std::span<const std::byte> from, std::byte* to) {
  for (size_t i = 0; i < from.size(); ++i)
    to[i] = static_cast<std::byte>(kReversed[std::to_integer<size_t>(from[i])]);
}

void unpredict_float(std::span<std::byte> row, const TileFormat& format, size_t first, size_t count,
                     std::byte* to) {
  const size_t samples = format.samples, plane = static_cast<size_t>(format.size.w) * samples;
  simd::unpredict(row.data(), 1, samples, row.size() / samples);
  switch (format.bits / 8) {
    case 2:
      return join_planes<2>(row.data(), plane, first * samples, count * samples, to);
    case 3:
      return join_triples(row.data(), plane, first * samples, count * samples, to);
    case 4:
      return join_planes<4>(row.data(), plane, first * samples, count * samples, to);
    default:
      return join_planes<8>(row.data(), plane, first * samples, count * samples, to);
  }
}

}  // namespace microtome
