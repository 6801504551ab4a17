// From quantised coefficients to 4x4, 2x2 or 1x1 samples a block: decoding at a half, a quarter or an eighth
// of the resolution, as libjpeg-turbo's reduced transforms do it, to the bit.
//
// Called by the driver of a tile in the place of idct_group (see there for groups and for what true means).
// Thread-safe: no state.
//
// The library leaves out output samples rather than input: an N-point result of one dimension is the sum of
// pairs of neighbours of the eight-point one, so that the constants are those of the full transform added up
// in pairs. The 1x1 transform is the first coefficient divided by 8 and then looked up modulo 1024.
#if defined(MICROTOME_CODEC_JPEG_IDCT_REDUCED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_IDCT_REDUCED_INL_H_
#undef MICROTOME_CODEC_JPEG_IDCT_REDUCED_INL_H_
#else
#define MICROTOME_CODEC_JPEG_IDCT_REDUCED_INL_H_
#endif

#include "microtome/codec/jpeg/idct-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {
namespace idct {

// Four results of one dimension over one half of each block, before the shift is complete. x[4] has no part.
template <int kShift, bool kHi>
HWY_INLINE void four_of_eight(const I16* x, I32* r) {
  const I32 half = set32(1 << (kShift - 1));
  const Pairs ends = zip<kHi>(x[0], x[4]), middle = zip<kHi>(x[2], x[6]);
  const Pairs a = zip<kHi>(x[7], x[5]), b = zip<kHi>(x[3], x[1]);
  const I32 t0 = dot<2 * kOne, 0>(half, ends), t2 = dot<15137, -6270>(middle);  // 1.848, -0.765
  const I32 e0 = add(t0, t2), e1 = sub(t0, t2);
  const I32 o1 = dot<-17799, 8697>(dot<-1730, 11893>(a), b);  // -2.173, 1.062, -0.211, 1.452
  const I32 o0 = dot<7373, 20995>(dot<-4176, -4926>(a), b);   // 0.900, 2.563, -0.510, -0.601
  r[0] = shift_right<kShift>(add(e0, o0));
  r[3] = shift_right<kShift>(sub(e0, o0));
  r[1] = shift_right<kShift>(add(e1, o1));
  r[2] = shift_right<kShift>(sub(e1, o1));
}

HWY_INLINE bool to_4x4(const I16* c, const int16_t* quant, uint8_t* out, size_t stride) {
  I16 x[8];
  for (int i = 0; i < 8; ++i) x[i] = mul(c[i], repeat8(quant + 8 * i));
  bool declined = beyond(x[0]);
  I32 lo[4], hi[4];
  four_of_eight<12, false>(x, lo);
  four_of_eight<12, true>(x, hi);
  for (int i = 0; i < 4; ++i) x[i] = narrow(lo[i], hi[i]);
  declined |= overflows(x, 4);
  for (int i = 4; i < 8; ++i) x[i] = set16(0);
  transpose(x);
  four_of_eight<19, false>(x, lo);                                   // rows 4 to 7 are not there
  const I16 c01 = narrow(lo[0], lo[1]), c23 = narrow(lo[2], lo[3]);  // four rows each
  const I16 even = zip_lo16(c01, c23), odd = zip_hi16(c01, c23);     // columns 0 2, 1 3
  const I16 rows01 = zip_lo16(even, odd), rows23 = zip_hi16(even, odd);
  alignas(64) uint8_t bytes[kBytes];
  store8(flip(narrow_signed(rows01, rows23), set8(0x80)), bytes);
  for (size_t b = 0; b < kWords / 8; ++b) {
    for (size_t r = 0; r < 4; ++r) std::memcpy(out + r * stride + 4 * b, bytes + 16 * b + 4 * r, 4);
  }
  return declined;
}

// Sums modulo 2^32, as the library's vectors have them.
HWY_INLINE int32_t wrapped(int64_t v) {
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint64_t>(v)));
}
HWY_INLINE int32_t odd_part(const int32_t* x) {  // 3.625, -1.273, 0.850, -0.721
  return wrapped(int64_t{29692} * x[1] - int64_t{10426} * x[3] + int64_t{6967} * x[5] - int64_t{5906} * x[7]);
}
HWY_INLINE int32_t saturated(int32_t v) {
  return v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;
}
HWY_INLINE uint8_t sample(int32_t v) {
  return static_cast<uint8_t>(v < -128 ? 0 : v > 127 ? 255 : v + 128);
}

// One block: its even columns but the first have no part, nor its even rows.
HWY_INLINE bool to_2x2(const int16_t* block, const int16_t* quant, uint8_t* out, size_t stride) {
  int32_t top[8] = {}, bottom[8] = {};
  bool declined = false;
  constexpr size_t kTaken[] = {0, 1, 3, 5, 7};
  for (const size_t col : kTaken) {
    int32_t x[8];
    for (const size_t r : kTaken)
      x[r] = static_cast<int16_t>(block[r * kGroupWords + col] * quant[8 * r + col]);
    declined |= x[0] > 8191 || x[0] < -8192;
    const int32_t even = x[0] * 32768, odd = odd_part(x);
    top[col] = wrapped(int64_t{even} + odd + 4096) >> 13;
    bottom[col] = wrapped(int64_t{even} - odd + 4096) >> 13;
    const int32_t ends[2] = {saturated(top[col]), saturated(bottom[col])};
    if (kLibraryWraps) declined |= ends[0] != top[col] || ends[1] != bottom[col];
    if (col != 0) top[col] = ends[0], bottom[col] = ends[1];
  }
  for (size_t r = 0; r < 2; ++r) {
    const int32_t* const x = r == 0 ? top : bottom;
    const int64_t even = int64_t{x[0]} * 32768 + (1 << 19), odd = odd_part(x);
    out[r * stride] = sample(wrapped(even + odd) >> 20);
    out[r * stride + 1] = sample(wrapped(even - odd) >> 20);
  }
  return declined;
}

HWY_INLINE uint8_t to_1x1(int16_t first, int16_t quant) {
  const int32_t eighth = (int32_t{first} * quant + 4) >> 3;
  return sample((eighth & 1023) >= 512 ? (eighth & 1023) - 1024 : eighth & 1023);
}

}  // namespace idct

/// Transforms a group to kN rows of 4 * kN bytes, `stride` apart, and clears it. kN: 4, 2 or 1.
template <int kN>
HWY_INLINE bool idct_group_reduced(int16_t* group, const int16_t* quant, uint8_t* out, size_t stride) {
  static_assert(kN == 4 || kN == 2 || kN == 1);
  bool declined = false;
  if constexpr (kN == 4) {
    for (size_t w = 0; w < kGroupWords; w += kWords) {
      I16 c[8];
      for (size_t i = 0; i < 8; ++i) c[i] = load16(group + w + i * kGroupWords);
      declined |= idct::to_4x4(c, quant, out + w / 2, stride);
    }
  } else {
    for (size_t b = 0; b < kGroupBlocks; ++b) {
      if constexpr (kN == 2) declined |= idct::to_2x2(group + 8 * b, quant, out + 2 * b, stride);
      if constexpr (kN == 1) out[b] = idct::to_1x1(group[8 * b], quant[0]);
    }
  }
  for (size_t w = 0; w < kGroupWords; w += kWords) idct::clear(group + w, 8);
  return declined;
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
