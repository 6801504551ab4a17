// Chroma for the even and the odd pixels of a row, with libjpeg-turbo's "fancy" (triangle) upsampling.
//
// Called by the row writers. Values are centred: 128 is subtracted. Thread-safe: no state.
//
// Note [Triangle upsampling]
// An output sample is three parts of the nearest chroma sample and one of the next nearest, per direction:
//
//     across           even (3c + left + 1) >> 2           odd (3c + right + 2) >> 2
//     down             upper row (3n + f + 1) >> 2         lower row (3n + f + 2) >> 2
//     both             s = 3n + f per column, then even (3s + left + 8) >> 4, odd (3s + right + 7) >> 4
//
// At the left and right edge the neighbour is the sample itself, so that (3c + c + 1) >> 2 = c as the library
// has it: planes repeat their first sample in front and their last one behind. Neighbours are loads from one
// sample before or behind: the ports for that have time, those that move lanes have not. All sums fit words,
// and the subtraction of 128 is folded into them. Both directions at once: pairs-inl.h.
#if defined(MICROTOME_CODEC_JPEG_UPSAMPLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_UPSAMPLE_INL_H_
#undef MICROTOME_CODEC_JPEG_UPSAMPLE_INL_H_
#else
#define MICROTOME_CODEC_JPEG_UPSAMPLE_INL_H_
#endif

#include "microtome/codec/jpeg/upsample.h"
#include "microtome/codec/jpeg/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

/// Chroma words of kWords even and kWords odd pixels.
struct Chroma {
  I16 even, odd;
};

HWY_INLINE I16 times3(I16 v) {
  return add(add(v, v), v);
}

/// Half as wide; kWords samples from `p` on.
HWY_INLINE Chroma across(const uint8_t* p) {
  const I16 three = add(times3(widen(p)), set16(1 - 4 * 128));
  return {shift_right<2>(add(three, widen(p - 1))), shift_right<2>(add(add(three, set16(1)), widen(p + 1)))};
}

/// Bytes in the order of pixels.
HWY_INLINE Chroma split(const uint8_t* p) {
  const I16 v = load_bytes(p);
  return {both(v, set16(255)), shift_right_unsigned<8>(v)};
}

/// Where chroma is as wide as luma.
template <Upsampling kHow>
HWY_INLINE Chroma down(const uint8_t* near, const uint8_t* far) {
  const Chroma n = split(near);
  if constexpr (kHow == Upsampling::none) return {sub(n.even, set16(128)), sub(n.odd, set16(128))};
  const Chroma f = split(far);
  const I16 bias = set16((kHow == Upsampling::down_upper ? 1 : 2) - 4 * 128);
  return {shift_right<2>(add(add(times3(n.even), f.even), bias)),
          shift_right<2>(add(add(times3(n.odd), f.odd), bias))};
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
