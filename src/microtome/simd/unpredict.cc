// Predictor and byte order: loops that the compiler handles well by itself.
#include <bit>
#include <cstring>

#include "microtome/simd/kernels.h"

namespace microtome::simd {
namespace {

template <class T>
T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

template <class T>
void store(std::byte* p, T value) {
  std::memcpy(p, &value, sizeof(T));
}

// The number of samples as a constant keeps the running sums in registers: one addition per sample is then
// the whole dependency chain.
template <class T, size_t kSamples>
void running_sums(std::byte* row, size_t pixels) {
  T sums[kSamples] = {};
  for (size_t i = 0; i < pixels; ++i, row += sizeof(T) * kSamples) {
    for (size_t s = 0; s < kSamples; ++s) {
      sums[s] = static_cast<T>(sums[s] + load<T>(row + s * sizeof(T)));
      store<T>(row + s * sizeof(T), sums[s]);
    }
  }
}

template <class T>
void unpredict_as(std::byte* row, size_t samples, size_t pixels) {
  switch (samples) {
    case 1:
      return running_sums<T, 1>(row, pixels);
    case 3:
      return running_sums<T, 3>(row, pixels);
    case 4:
      return running_sums<T, 4>(row, pixels);
    default:
      break;
  }
  for (size_t i = samples; i < samples * pixels; ++i) {
    std::byte* p = row + i * sizeof(T);
    store<T>(p, static_cast<T>(load<T>(p) + load<T>(p - samples * sizeof(T))));
  }
}

template <class T>
T reversed(T value) {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

template <class T>
void swap_as(const std::byte* src, size_t count, std::byte* dst) {
  for (size_t i = 0; i < count; ++i) store<T>(dst + i * sizeof(T), reversed(load<T>(src + i * sizeof(T))));
}

}  // namespace

void unpredict(std::byte* row, size_t sample_bytes, size_t samples, size_t pixels) {
  switch (sample_bytes) {
    case 1:
      return unpredict_as<uint8_t>(row, samples, pixels);
    case 2:
      return unpredict_as<uint16_t>(row, samples, pixels);
    case 4:
      return unpredict_as<uint32_t>(row, samples, pixels);
    default:
      return unpredict_as<uint64_t>(row, samples, pixels);
  }
}

void swap_bytes(const std::byte* src, size_t width, size_t count, std::byte* dst) {
  switch (width) {
    case 1:
      if (src != dst && count > 0) std::memmove(dst, src, count);
      return;
    case 2:
      return swap_as<uint16_t>(src, count, dst);
    case 4:
      return swap_as<uint32_t>(src, count, dst);
    default:
      return swap_as<uint64_t>(src, count, dst);
  }
}

}  // namespace microtome::simd
