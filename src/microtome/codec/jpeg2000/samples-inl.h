// The last step of samples: colour transform, level shift and clamping, to samples of the picture.
//
// Included by finisher-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex G.
//
// Note [Rounding by addition]
// A float between -2^22 and 2^22 that 1.5 * 2^23 is added to has its nearest integer, halves to even, in the
// low bits of its sum. Samples are clamped first, to limits that are integers, which gives what clamping
// afterwards would.
#if defined(MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_
#undef MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_
#endif

#include "microtome/codec/jpeg2000/lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

constexpr hn::Rebind<uint8_t, decltype(kFloats)> kBytesOfSamples;

HWY_INLINE void store_pixels(hn::Vec<decltype(kInts)> v, uint8_t* to) {
  // In two steps, each of which saturates: an operation less than in one.
  hn::StoreU(hn::DemoteTo(kBytesOfSamples, hn::DemoteTo(kShorts, v)), kBytesOfSamples, to);
}
HWY_INLINE void store_pixels(hn::Vec<decltype(kInts)> v, int32_t* to) {
  hn::StoreU(v, kInts, to);
}

/// Turns vectors of samples, still centred on 0, into samples of the picture, of up to 16 bits.
template <class Pixel>
class ToPixels {
 public:
  HWY_INLINE ToPixels() {}
  HWY_INLINE ToPixels(unsigned bits, bool is_signed)
      : half_(1 << (bits - 1)), shift_(is_signed ? 0 : half_) {}

  HWY_INLINE void store(hn::Vec<decltype(kFloats)> v, Pixel* to) const {
    constexpr float kRound = 12582912;  // 1.5 * 2^23
    const auto low = hn::Set(kFloats, static_cast<float>(-half_)),
               high = hn::Set(kFloats, static_cast<float>(half_ - 1));
    const auto clamped = hn::Min(hn::Max(v, low), high);
    const auto sum = hn::BitCast(kInts, hn::Add(clamped, hn::Set(kFloats, kRound)));
    store_pixels(hn::Sub(sum, hn::Set(kInts, 0x4B400000 - shift_)), to);
  }
  HWY_INLINE void store(hn::Vec<decltype(kInts)> v, Pixel* to) const {
    auto shifted = hn::Min(hn::Add(v, hn::Set(kInts, shift_)), hn::Set(kInts, shift_ + half_ - 1));
    if constexpr (sizeof(Pixel) > 1) shifted = hn::Max(shifted, hn::Set(kInts, shift_ - half_));
    store_pixels(shifted, to);  // of bytes, those below 0 become 0
  }

 private:
  int32_t half_ = 0, shift_ = 0;
};

/// Rows have room for whole vectors. What is copied here stays in registers: a store of bytes might change
/// anything else.
template <class Pixel>
void finish_row(const float* row, size_t w, ToPixels<Pixel> to_pixels, Pixel* to) {
  for (size_t x = 0; x < w; x += hn::Lanes(kFloats)) to_pixels.store(hn::Load(kFloats, row + x), to + x);
}
template <class Pixel>
void finish_row(const int32_t* row, size_t w, ToPixels<Pixel> to_pixels, Pixel* to) {
  for (size_t x = 0; x < w; x += hn::Lanes(kInts)) to_pixels.store(hn::Load(kInts, row + x), to + x);
}

/// Three rows through the inverse ICT (G.3), in the library's order of operations: compilers are let to sum
/// up what is taken from green.
template <class Pixel>
void untransform_rows(float* const* rows, size_t w, const ToPixels<Pixel>* to_pixels, Pixel* const* to) {
  const ToPixels<Pixel> first = to_pixels[0], second = to_pixels[1], third = to_pixels[2];
  const float *const row0 = rows[0], *const row1 = rows[1], *const row2 = rows[2];
  Pixel *const red_to = to[0], *const green_to = to[1], *const blue_to = to[2];
  const auto red = hn::Set(kFloats, 1.402f), green1 = hn::Set(kFloats, 0.34413f),
             green2 = hn::Set(kFloats, 0.71414f), blue = hn::Set(kFloats, 1.772f);
  for (size_t x = 0; x < w; x += hn::Lanes(kFloats)) {
    const auto y = hn::Load(kFloats, row0 + x), cb = hn::Load(kFloats, row1 + x),
               cr = hn::Load(kFloats, row2 + x);
    first.store(hn::Add(y, hn::Mul(cr, red)), red_to + x);
    second.store(hn::Sub(y, hn::Add(hn::Mul(cb, green1), hn::Mul(cr, green2))), green_to + x);
    third.store(hn::Add(y, hn::Mul(cb, blue)), blue_to + x);
  }
}

/// Three rows through the inverse RCT (G.2).
template <class Pixel>
void untransform_rows(int32_t* const* rows, size_t w, const ToPixels<Pixel>* to_pixels, Pixel* const* to) {
  const ToPixels<Pixel> first = to_pixels[0], second = to_pixels[1], third = to_pixels[2];
  const int32_t *const row0 = rows[0], *const row1 = rows[1], *const row2 = rows[2];
  Pixel *const red_to = to[0], *const green_to = to[1], *const blue_to = to[2];
  for (size_t x = 0; x < w; x += hn::Lanes(kInts)) {
    const auto y = hn::Load(kInts, row0 + x), u = hn::Load(kInts, row1 + x), v = hn::Load(kInts, row2 + x);
    const auto green = hn::Sub(y, hn::ShiftRight<2>(hn::Add(u, v)));
    first.store(hn::Add(v, green), red_to + x);
    second.store(green, green_to + x);
    third.store(hn::Add(u, green), blue_to + x);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
