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
// has it: planes repeat their first sample in front and their last one behind. Column sums are kept for three
// vectors (behind, here, ahead), so that neighbours are a move of lanes. All sums fit words, and the
// subtraction of 128 is folded into them: 16 * 128 = 4 * 510 + 8 at both directions, 4 * 128 at one.
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

/// Three times the near row, with the constant of the note; the far row is added to it.
HWY_INLINE I16 near_sums(const uint8_t* near) {
  return add(times3(widen(near)), set16(-510));
}

template <Upsampling kHow>
HWY_INLINE I16 column_sums(const uint8_t* near, const uint8_t* far) {
  if constexpr (kHow == Upsampling::both) return add(near_sums(near), widen(far));
  return sub(widen(near), set16(128));
}

/// Column sums of three vectors next to each other; the first gives its last lane only, the last its first.
struct Window {
  I16 prev, cur, next;
};

template <Upsampling kHow>
HWY_INLINE Chroma across(const Window& w) {
  const I16 three = times3(w.cur), left = behind(w.prev, w.cur), right = ahead(w.cur, w.next);
  if constexpr (kHow == Upsampling::both)
    return {shift_right<4>(add(three, left)), shift_right<4>(add(add(three, set16(-1)), right))};
  return {shift_right<2>(add(add(three, set16(1)), left)), shift_right<2>(add(add(three, set16(2)), right))};
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
