#include "microtome/tiff/values.h"

#include <array>
#include <cstring>
#include <limits>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/tiff/byte_order.h"
#include "microtome/tiff/type.h"

namespace microtome::tiff {
namespace {

/// Calls `use(index, value)` for each stored value read as unsigned U.
template <class U, class Use>
void for_each(std::span<const std::byte> stored, size_t count, bool big_endian, Use use) {
  for (size_t i = 0; i < count; ++i) use(i, load<U>(stored.data() + i * sizeof(U), big_endian));
}

template <class U>
void widen(std::span<const std::byte> stored, bool big_endian, std::span<uint64_t> dst) {
  for_each<U>(stored, dst.size(), big_endian, [&](size_t i, U value) { dst[i] = value; });
}

/// Sign-extends to 64 bits, so that what is negative has the top bit.
template <class U, class S>
void widen_signed(std::span<const std::byte> stored, bool big_endian, std::span<uint64_t> dst) {
  for_each<U>(stored, dst.size(), big_endian,
              [&](size_t i, U value) { dst[i] = static_cast<uint64_t>(int64_t{static_cast<S>(value)}); });
}

template <class U, class Number>
void convert(std::span<const std::byte> stored, bool big_endian, std::span<double> dst) {
  for_each<U>(stored, dst.size(), big_endian,
              [&](size_t i, U value) { dst[i] = static_cast<double>(std::bit_cast<Number>(value)); });
}

Status check_integers(const Encoding& encoding, const Entry& entry) {
  MICROTOME_TRY(checked_value_size(encoding, entry));
  if (!is_integer(entry.type))
    return corrupt("{} has type {}, expected an integer", tag_name(entry.tag), type_name(entry.type));
  return ok_status();
}

/// Two numbers of 4 bytes each, divided.
template <class Number>
void divide(std::span<const std::byte> stored, bool big_endian, std::span<double> dst) {
  for (size_t i = 0; i < dst.size(); ++i) {
    const auto above = std::bit_cast<Number>(load<uint32_t>(stored.data() + i * 8, big_endian));
    const auto below = std::bit_cast<Number>(load<uint32_t>(stored.data() + i * 8 + 4, big_endian));
    dst[i] = below == 0 ? std::numeric_limits<double>::quiet_NaN()
                        : static_cast<double>(above) / static_cast<double>(below);
  }
}

}  // namespace

Result<uint64_t> checked_value_size(const Encoding& encoding, const Entry& entry) {
  const uint64_t type_bytes = type_size(entry.type);
  if (type_bytes == 0) {
    return corrupt("{} has {}, expected a known one", tag_name(entry.tag), type_name(entry.type));
  }
  const auto size = checked_mul(type_bytes, entry.count);
  const uint64_t source_size = encoding.source->size();
  if (!size || *size > source_size || entry.value_offset > source_size - *size) {
    return corrupt("{} has {} values of {} at offset {}, expected them within the source's {} bytes",
                   tag_name(entry.tag), entry.count, type_name(entry.type), entry.value_offset, source_size);
  }
  return *size;
}

bool is_inline(const Encoding& encoding, const Entry& entry) noexcept {
  return entry.count <= (encoding.big_tiff ? 8u : 4u) / type_size(entry.type);
}

Status read_stored(const Encoding& encoding, const Entry& entry, uint64_t first, std::span<std::byte> dst,
                   const Window& window) {
  const uint64_t skipped = first * type_size(entry.type);
  if (is_inline(encoding, entry)) {
    if (!dst.empty()) std::memcpy(dst.data(), entry.field.data() + skipped, dst.size());
    return ok_status();
  }
  const uint64_t offset = entry.value_offset + skipped;
  if (offset >= window.offset) {
    const uint64_t at = offset - window.offset;
    if (at <= window.bytes.size() && dst.size() <= window.bytes.size() - at) {
      if (!dst.empty()) std::memcpy(dst.data(), window.bytes.data() + at, dst.size());
      return ok_status();
    }
  }
  auto status = encoding.source->read_at(offset, dst);
  if (!status.ok()) return std::move(status).error().with_prefix(tag_name(entry.tag));
  return status;
}

Status decode_unsigned(const Encoding& encoding, const Entry& entry, uint64_t first,
                       std::span<const std::byte> stored, std::span<uint64_t> dst) {
  const bool big = encoding.big_endian;
  switch (entry.type) {
    case Type::u8:
      widen<uint8_t>(stored, big, dst);
      return ok_status();
    case Type::u16:
      widen<uint16_t>(stored, big, dst);
      return ok_status();
    case Type::u32:
    case Type::ifd:
      widen<uint32_t>(stored, big, dst);
      return ok_status();
    case Type::u64:
    case Type::ifd8:
      widen<uint64_t>(stored, big, dst);
      return ok_status();
    case Type::i8:
      widen_signed<uint8_t, int8_t>(stored, big, dst);
      break;
    case Type::i16:
      widen_signed<uint16_t, int16_t>(stored, big, dst);
      break;
    case Type::i32:
      widen_signed<uint32_t, int32_t>(stored, big, dst);
      break;
    case Type::i64:
      widen_signed<uint64_t, int64_t>(stored, big, dst);
      break;
    default:
      return internal("decode_unsigned() called for {}", type_name(entry.type));
  }
  for (size_t i = 0; i < dst.size(); ++i) {
    if (const auto value = static_cast<int64_t>(dst[i]); value < 0) {
      return corrupt("{}: value {} is {}, expected 0 or more", tag_name(entry.tag), first + i, value);
    }
  }
  return ok_status();
}

bool is_numeric(Type type) noexcept {
  return type_size(type) != 0 && type != Type::ascii && type != Type::undefined;
}

void decode_reals(const Encoding& encoding, Type type, std::span<const std::byte> stored,
                  std::span<double> dst) noexcept {
  const bool big = encoding.big_endian;
  switch (type) {
    case Type::u8:
      return convert<uint8_t, uint8_t>(stored, big, dst);
    case Type::u16:
      return convert<uint16_t, uint16_t>(stored, big, dst);
    case Type::u32:
    case Type::ifd:
      return convert<uint32_t, uint32_t>(stored, big, dst);
    case Type::u64:
    case Type::ifd8:
      return convert<uint64_t, uint64_t>(stored, big, dst);
    case Type::i8:
      return convert<uint8_t, int8_t>(stored, big, dst);
    case Type::i16:
      return convert<uint16_t, int16_t>(stored, big, dst);
    case Type::i32:
      return convert<uint32_t, int32_t>(stored, big, dst);
    case Type::i64:
      return convert<uint64_t, int64_t>(stored, big, dst);
    case Type::f32:
      return convert<uint32_t, float>(stored, big, dst);
    case Type::f64:
      return convert<uint64_t, double>(stored, big, dst);
    case Type::rational:
      return divide<uint32_t>(stored, big, dst);
    case Type::srational:
      return divide<int32_t>(stored, big, dst);
    case Type::ascii:
    case Type::undefined:
      return;
  }
}

Result<std::vector<uint64_t>> read_unsigned(const Encoding& encoding, const Entry& entry, uint64_t count,
                                            const Window& window) {
  MICROTOME_TRY(check_integers(encoding, entry));
  MICROTOME_TRY(check_limit(encoding, entry, count, sizeof(uint64_t)));
  std::vector<std::byte> stored(static_cast<size_t>(count) * type_size(entry.type));
  MICROTOME_TRY(read_stored(encoding, entry, 0, stored, window));
  std::vector<uint64_t> values(static_cast<size_t>(count));
  MICROTOME_TRY(decode_unsigned(encoding, entry, 0, stored, values));
  return values;
}

Result<uint64_t> read_first_unsigned(const Encoding& encoding, const Entry& entry, const Window& window) {
  MICROTOME_TRY(check_integers(encoding, entry));
  std::array<std::byte, 8> stored{};
  const auto used = std::span(stored).first(type_size(entry.type));
  MICROTOME_TRY(read_stored(encoding, entry, 0, used, window));
  uint64_t value = 0;
  MICROTOME_TRY(decode_unsigned(encoding, entry, 0, used, std::span(&value, 1)));
  return value;
}

Status check_limit(const Encoding& encoding, const Entry& entry, uint64_t count, uint64_t value_bytes) {
  const uint64_t limit = encoding.limits.max_value_bytes;
  if (count <= limit / value_bytes) return ok_status();
  return corrupt("{} has {} values that take {} bytes each, more than the limit max_value_bytes of {}",
                 tag_name(entry.tag), count, value_bytes, limit);
}

}  // namespace microtome::tiff
