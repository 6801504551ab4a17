// Rows of bytes, one per component, to rows of pixels.
//
// Included by tile-inl.h and compiled once per instruction set. YCbCr is converted by the formula of
// simd::ycc_to_rgb (Note [YCbCr in integers] in simd/kernels.cc), which the library's planes go through.
#if defined(MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_
#undef MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "microtome/codec/jpeg2000/lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

constexpr hn::ScalableTag<uint8_t> kU8;

/// Each of `count` bytes twice. `to` has room for a vector more.
inline void double_bytes(const uint8_t* from, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; i += hn::Lanes(kU8)) {
    const auto bytes = hn::LoadU(kU8, from + i);
    hn::StoreInterleaved2(bytes, bytes, kU8, to + 2 * i);
  }
}

/// Interleaves `n` rows (1 to 4). Rows have room for whole vectors; `to` is written exactly.
inline void interleave_bytes(const uint8_t* const* rows, size_t n, size_t pixels, uint8_t* to) {
  if (n == 1) {
    std::memcpy(to, rows[0], pixels);
    return;
  }
  const size_t lanes = hn::Lanes(kU8);
  const auto load = [&](size_t s, size_t x) { return hn::LoadU(kU8, rows[s] + x); };
  const auto put = [&](size_t x, uint8_t* at) {
    if (n == 2) {
      hn::StoreInterleaved2(load(0, x), load(1, x), kU8, at);
    } else if (n == 3) {
      hn::StoreInterleaved3(load(0, x), load(1, x), load(2, x), kU8, at);
    } else {
      hn::StoreInterleaved4(load(0, x), load(1, x), load(2, x), load(3, x), kU8, at);
    }
  };
  size_t x = 0;
  for (; x + lanes <= pixels; x += lanes) put(x, to + n * x);
  if (x < pixels) {
    uint8_t rest[4 * hn::MaxLanes(kU8)];
    put(x, rest);
    std::memcpy(to + n * x, rest, n * (pixels - x));
  }
}

/// Rows of Y, Cb and Cr become those of R, G and B, in place.
inline void convert_ycc(uint8_t* const* rows, const uint8_t* const* from, size_t pixels) {
  constexpr int kShift = 22;
  const auto bias = hn::Set(kInts, (1 << (kShift - 1)) + 64), centre = hn::Set(kInts, 128);
  const auto cr_to_r = hn::Set(kInts, 5880414), cb_to_b = hn::Set(kInts, 7432307),
             cb_to_g = hn::Set(kInts, -1443412), cr_to_g = hn::Set(kInts, -2995305);
  constexpr hn::Rebind<uint8_t, decltype(kInts)> kBytes;
  for (size_t x = 0; x < pixels; x += hn::Lanes(kInts)) {
    const auto load = [&](size_t s) { return hn::PromoteTo(kInts, hn::LoadU(kBytes, from[s] + x)); };
    const auto y = load(0), cb = hn::Sub(load(1), centre), cr = hn::Sub(load(2), centre);
    const auto store = [&](size_t s, auto sum) {
      const auto value = hn::Add(y, hn::ShiftRight<kShift>(hn::Add(sum, bias)));
      hn::StoreU(hn::DemoteTo(kBytes, value), kBytes, rows[s] + x);
    };
    store(0, hn::Mul(cr, cr_to_r));
    store(1, hn::Add(hn::Mul(cb, cb_to_g), hn::Mul(cr, cr_to_g)));
    store(2, hn::Mul(cb, cb_to_b));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
