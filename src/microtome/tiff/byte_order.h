// Numbers of either byte order, from bytes at any alignment.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace microtome::tiff {

static_assert(std::endian::native == std::endian::little, "big-endian machines are not supported");

/// The unsigned integer of `sizeof(T)` bytes at `from`.
template <class T>
T load(const std::byte* from, bool big_endian) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if (!big_endian) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
  return value;
}

}  // namespace microtome::tiff
