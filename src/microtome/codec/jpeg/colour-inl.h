// YCbCr to RGB, as libjpeg-turbo's tables of 16 fractional bits give it.
//
// Called by the row writers. Chroma comes centred (128 subtracted). Thread-safe: no state.
//
// Note [Colour in 16 bits]
// The tables are, for centred chroma (x >> y rounds down):
//
//     R = Y + ((91881 Cr + 32768) >> 16)
//     G = Y + ((-22554 Cb - 46802 Cr + 32768) >> 16)
//     B = Y + ((116130 Cb + 32768) >> 16)
//
// R: (2 Cr * 22971 + 2^14) >> 15 is the same for the 256 values, since 91881 / 65536 and 2 * 22971 / 32768
// differ by less than what separates any of the products from a half; B with 29033 likewise. Where there is
// no rounding product, Cr + ((((2 Cr * 26345) >> 16) + 1) >> 1) and 2 Cb + ((((2 Cb * -14942) >> 16) + 1) >>
// 1) do it. G needs its 32 bits; the factors are halved for 2 Cb and 2 Cr, so that they fit words.
// rows_test.cc goes through all values.
#if defined(MICROTOME_CODEC_JPEG_COLOUR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_COLOUR_INL_H_
#undef MICROTOME_CODEC_JPEG_COLOUR_INL_H_
#else
#define MICROTOME_CODEC_JPEG_COLOUR_INL_H_
#endif

#include "microtome/codec/jpeg/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

struct Rgb {
  I16 r, g, b;  // words, not yet clamped to 0..255
};

HWY_INLINE Rgb to_rgb(I16 y, I16 cb, I16 cr) {
  const I32 half = set32(32768);
  const I16 cb2 = add(cb, cb), cr2 = add(cr, cr);
  const I32 green_lo = dot<-11277, -23401>(half, zip<false>(cb2, cr2));
  const I32 green_hi = dot<-11277, -23401>(half, zip<true>(cb2, cr2));
  const I16 g = add(y, narrow_high(green_lo, green_hi));
#if MICROTOME_VEC_PORTABLE
  const auto scaled = [](I16 twice, int factor) {
    return shift_right<1>(add(mul_high(twice, set16(factor)), set16(1)));
  };
  return {add(add(y, cr), scaled(cr2, 26345)), g, add(add(y, cb2), scaled(cb2, -14942))};
#else
  return {add(y, mul_round15(cr2, set16(22971))), g, add(y, mul_round15(cb2, set16(29033)))};
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
