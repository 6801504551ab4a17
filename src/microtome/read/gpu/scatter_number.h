// The scatter kernel's numbers: samples of any type, and what float output makes of them.
//
// Note [Numbers]
// float32 is value * scale + offset, fused in double and rounded once; float16 is that float32 rounded again,
// to the nearest, ties to even. So host and device agree to the bit, but for the bits of a NaN.
//
// Plain C++ for both compilers: see scatter_types.h.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "microtome/read/gpu/scatter_types.h"

namespace microtome::gpu::core {

/// The double of an IEEE 754 binary16.
MICROTOME_GPU_INLINE double from_half(uint16_t half) {
  const uint64_t sign = static_cast<uint64_t>(half >> 15) << 63, mantissa = half & 1023;
  const uint64_t exponent = half >> 10 & 31;
  if (exponent == 0) return (sign ? -0x1p-24 : 0x1p-24) * static_cast<double>(mantissa);
  const uint64_t wide = exponent == 31 ? 2047 : exponent - 15 + 1023;
  const uint64_t bits = sign | wide << 52 | mantissa << 42;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// To the nearest binary16, ties to even; a NaN is 0x7fff, as on the device.
MICROTOME_GPU_INLINE uint16_t to_half(float value) {
#ifdef __CUDA_ARCH__
  uint16_t half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
  return half;
#else
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7fff;
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // 65520 and more
  // What is cut off of the mantissa; more below 2^-14, where halves are multiples of 2^-24.
  const uint32_t exponent = magnitude >> 23;
  const uint32_t shift = exponent >= 113 ? 13 : exponent >= 101 ? 126 - exponent : 25;
  const uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000, base = exponent >= 113 ? exponent - 113 : 0;
  const uint32_t kept = mantissa >> shift, rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
  const uint32_t up = rest > half || (rest == half && (kept & 1)) ? 1 : 0;
  return static_cast<uint16_t>(sign | ((base << 10) + kept + up));
#endif
}

template <class Unsigned, class Signed>
MICROTOME_GPU_INLINE double load_integer(SampleKind kind, uint64_t address) {
  if (kind == SampleKind::signed_integer) return static_cast<double>(load<Signed>(address));
  return static_cast<double>(load<Unsigned>(address));
}

/// A source's sample of any type.
MICROTOME_GPU_INLINE double load_number(const ScatterBatch& batch, uint64_t address) {
  const bool is_float = batch.kind == SampleKind::floating;
  switch (batch.sample_bytes) {
    case 1:
      return load_integer<uint8_t, int8_t>(batch.kind, address);
    case 2:
      if (is_float) return from_half(load<uint16_t>(address));
      return load_integer<uint16_t, int16_t>(batch.kind, address);
    case 4:
      if (is_float) return static_cast<double>(load<float>(address));
      return load_integer<uint32_t, int32_t>(batch.kind, address);
    default:
      if (is_float) return load<double>(address);
      return load_integer<uint64_t, int64_t>(batch.kind, address);
  }
}

MICROTOME_GPU_INLINE float converted(double value, const Affine& affine) {
  return static_cast<float>(fma(value, affine.scale, affine.offset));
}

}  // namespace microtome::gpu::core
