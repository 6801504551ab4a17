// The kernels that need vector instructions beyond what the compiler finds by itself: this file is compiled
// once per instruction set by Highway's foreach_target, and the best one is called.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/simd/kernels.cc"

#include "microtome/simd/kernels.h"

#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace microtome::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Note [YCbCr in integers]
// The coefficients are rounded to 22 fractional bits: 128 * 1.772 * 2^22 still fits 32 bits. The bias is one
// half plus 64 / 2^22. Over all 65536 chroma pairs, an exact value is either a half (B at Cb = 128 +- 125 and
// two cases of G, which must go up) or at least 3.0e-5 away from one; the coefficients' errors move a sum by
// less than 1.5e-5 either way and the 1.5e-5 in the bias lifts the halves. kernels_test.cc compares all 2^24
// inputs with exact fractions.
constexpr int kShift = 22;
constexpr int32_t kBias = (1 << (kShift - 1)) + 64;
constexpr int32_t kCrToR = 5880414;   // 1.402
constexpr int32_t kCbToB = 7432307;   // 1.772
constexpr int32_t kCbToG = -1443412;  // -0.114 * 1.772 / 0.587
constexpr int32_t kCrToG = -2995305;  // -0.299 * 1.402 / 0.587

uint8_t clamp_u8(int32_t v) {
  return static_cast<uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
}

void YccToRgb(const int32_t* y, const int32_t* cb, const int32_t* cr, size_t pixels, uint8_t* rgb) {
  const hn::CappedTag<int32_t, 16> d32;
  const hn::Rebind<uint8_t, decltype(d32)> d8;
  const size_t lanes = hn::Lanes(d32);
  const auto center = hn::Set(d32, 128), bias = hn::Set(d32, kBias);
  const auto cr_to_r = hn::Set(d32, kCrToR), cb_to_b = hn::Set(d32, kCbToB);
  const auto cb_to_g = hn::Set(d32, kCbToG), cr_to_g = hn::Set(d32, kCrToG);
  size_t i = 0;
  for (; i + lanes <= pixels; i += lanes) {
    const auto luma = hn::LoadU(d32, y + i);
    const auto b0 = hn::Sub(hn::LoadU(d32, cb + i), center);
    const auto r0 = hn::Sub(hn::LoadU(d32, cr + i), center);
    const auto r = hn::Add(luma, hn::ShiftRight<kShift>(hn::Add(hn::Mul(r0, cr_to_r), bias)));
    const auto b = hn::Add(luma, hn::ShiftRight<kShift>(hn::Add(hn::Mul(b0, cb_to_b), bias)));
    const auto green = hn::Add(hn::Mul(b0, cb_to_g), hn::Mul(r0, cr_to_g));
    const auto g = hn::Add(luma, hn::ShiftRight<kShift>(hn::Add(green, bias)));
    hn::StoreInterleaved3(hn::DemoteTo(d8, r), hn::DemoteTo(d8, g), hn::DemoteTo(d8, b), d8, rgb + 3 * i);
  }
  for (; i < pixels; ++i) {
    const int32_t b0 = cb[i] - 128, r0 = cr[i] - 128;
    rgb[3 * i + 0] = clamp_u8(y[i] + ((r0 * kCrToR + kBias) >> kShift));
    rgb[3 * i + 1] = clamp_u8(y[i] + ((b0 * kCbToG + r0 * kCrToG + kBias) >> kShift));
    rgb[3 * i + 2] = clamp_u8(y[i] + ((b0 * kCbToB + kBias) >> kShift));
  }
}

void Interleave1(const int32_t* plane, size_t pixels, uint8_t* dst) {
  const hn::CappedTag<int32_t, 16> d32;
  const hn::Rebind<uint8_t, decltype(d32)> d8;
  const size_t lanes = hn::Lanes(d32);
  size_t i = 0;
  for (; i + lanes <= pixels; i += lanes)
    hn::StoreU(hn::DemoteTo(d8, hn::LoadU(d32, plane + i)), d8, dst + i);
  for (; i < pixels; ++i) dst[i] = clamp_u8(plane[i]);
}

void Interleave3(const int32_t* const* planes, size_t pixels, uint8_t* dst) {
  const hn::CappedTag<int32_t, 16> d32;
  const hn::Rebind<uint8_t, decltype(d32)> d8;
  const size_t lanes = hn::Lanes(d32);
  size_t i = 0;
  for (; i + lanes <= pixels; i += lanes) {
    hn::StoreInterleaved3(hn::DemoteTo(d8, hn::LoadU(d32, planes[0] + i)),
                          hn::DemoteTo(d8, hn::LoadU(d32, planes[1] + i)),
                          hn::DemoteTo(d8, hn::LoadU(d32, planes[2] + i)), d8, dst + 3 * i);
  }
  for (; i < pixels; ++i) {
    for (size_t s = 0; s < 3; ++s) dst[3 * i + s] = clamp_u8(planes[s][i]);
  }
}

void StreamCopy(const uint8_t* src, size_t bytes, uint8_t* dst) {
  const hn::ScalableTag<uint8_t> d8;
  const size_t lanes = hn::Lanes(d8);
  // Whole cache lines are streamed; one that another row or thread shares is written as usual.
  constexpr size_t kLine = 64;
  const size_t head = HWY_MIN(bytes, (kLine - reinterpret_cast<uintptr_t>(dst) % kLine) % kLine);
  std::memcpy(dst, src, head);
  size_t i = head;
  for (const size_t end = head + (bytes - head) / kLine * kLine; i + lanes <= end; i += lanes)
    hn::Stream(hn::LoadU(d8, src + i), d8, dst + i);
  std::memcpy(dst + i, src + i, bytes - i);
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <hwy/cache_control.h>

#include <algorithm>

#include "microtome/simd/targets.h"

namespace microtome::simd {

HWY_EXPORT(YccToRgb);
HWY_EXPORT(Interleave1);
HWY_EXPORT(Interleave3);
HWY_EXPORT(StreamCopy);

void ycc_to_rgb(const int32_t* y, const int32_t* cb, const int32_t* cr, size_t pixels, uint8_t* rgb) {
  MICROTOME_DISPATCH(YccToRgb)(y, cb, cr, pixels, rgb);
}

void interleave(const int32_t* const* planes, size_t samples, size_t pixels, uint8_t* dst) {
  if (samples == 1) return MICROTOME_DISPATCH(Interleave1)(planes[0], pixels, dst);
  if (samples == 3) return MICROTOME_DISPATCH(Interleave3)(planes, pixels, dst);
  for (size_t s = 0; s < samples; ++s) {
    for (size_t i = 0; i < pixels; ++i) {
      dst[i * samples + s] = static_cast<uint8_t>(std::clamp(planes[s][i], 0, 255));
    }
  }
}

void interleave_u16(const int32_t* const* planes, size_t samples, size_t pixels, std::byte* dst) {
  for (size_t s = 0; s < samples; ++s) {
    for (size_t i = 0; i < pixels; ++i) {
      const auto value = static_cast<uint16_t>(std::clamp(planes[s][i], 0, 65535));
      std::memcpy(dst + 2 * (i * samples + s), &value, 2);
    }
  }
}

void repeat_pairs(const int32_t* src, size_t count, int32_t* dst) {
  for (size_t i = 0; i < count; ++i) dst[2 * i] = dst[2 * i + 1] = src[i];
}

void fill(const std::byte* pixel, size_t pixel_bytes, size_t pixels, std::byte* dst) {
  const size_t bytes = pixel_bytes * pixels;
  if (bytes == 0) return;
  if (std::all_of(pixel, pixel + pixel_bytes, [&](std::byte b) { return b == pixel[0]; })) {
    std::memset(dst, std::to_integer<int>(pixel[0]), bytes);
    return;
  }
  std::memcpy(dst, pixel, pixel_bytes);
  for (size_t done = pixel_bytes; done < bytes; done *= 2)
    std::memcpy(dst + done, dst, std::min(done, bytes - done));
}

void stream_copy(const std::byte* src, size_t bytes, std::byte* dst) {
  const auto* const from = reinterpret_cast<const uint8_t*>(src);
  MICROTOME_DISPATCH(StreamCopy)(from, bytes, reinterpret_cast<uint8_t*>(dst));
}

void stream_end() {
  hwy::FlushStream();
}

}  // namespace microtome::simd
#endif
