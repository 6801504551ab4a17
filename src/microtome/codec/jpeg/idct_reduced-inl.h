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

// A value of the first row beyond +-8191, of pairs that begin with it: where the library's implementations
// differ (see Note [Where implementations of the transform agree]; reduced, they form no sums in 16 bits).
HWY_INLINE bool beyond(I16 pairs) {
  const I16 first = both(add(pairs, set16(8192)), as_words(set32(0xFFFF)));
  return any(shift_right_unsigned<14>(first));
}

// Whether a result of the first pass is at the end of its range, where the library may have it otherwise.
constexpr bool kLibraryWraps = HWY_ARCH_ARM;
HWY_INLINE bool overflows(I16 v) {
  if constexpr (!kLibraryWraps) return false;
  const I16 magnitude = differ(v, shift_right<15>(v));  // 32767 for both ends
  return any(shift_right_unsigned<15>(add(magnitude, set16(1))));
}

// Four results of one dimension from the even part's sum of x0, x2 and x6 and difference, and pairs of x1 x3
// and x5 x7; x4 has no part. Before the shift.
HWY_INLINE void four_of_eight(I32 even0, I32 even1, Pairs x13, Pairs x57, I32* r) {
  const I32 odd0 = dot<-4926, -4176>(dot<20995, 7373>(x13), x57);   // 2.563, 0.900, -0.601, -0.510
  const I32 odd1 = dot<11893, -1730>(dot<8697, -17799>(x13), x57);  // 1.062, -2.173, 1.452, -0.211
  r[0] = add(even0, odd0);
  r[3] = sub(even0, odd0);
  r[1] = add(even1, odd1);
  r[2] = sub(even1, odd1);
}

constexpr int kFour2 = 15137, kFour6 = -6270;  // 1.848, -0.765

// As first_pass() of the full transform, with rows 0 to 3 only.
HWY_INLINE bool first_of_four(const I16* c, const int16_t* quant, I16* q) {
  I16 x[4];
  for (int i = 0; i < 4; ++i) x[i] = mul(c[i], repeat8(quant + 8 * i));
  I32 even0, even1, r[4];
  plus_minus_dot<kFour2, kFour6>(dot<2 * kOne, 0>(set32(1 << 11), pairs(x[0])), pairs(x[1]), even0, even1);
  four_of_eight(even0, even1, pairs(x[2]), pairs(x[3]), r);
  for (I32& sum : r) sum = shift_right<12>(sum);
  const I16 top = narrow(r[0], r[1]), bottom = narrow(r[2], r[3]);
  q[0] = even32(top, bottom);
  q[1] = odd32(top, bottom);
  bool declined = beyond(x[0]);
  declined |= overflows(top);
  declined |= overflows(bottom);
  return declined;
}

HWY_INLINE bool to_4x4(const I16* c, const int16_t* quant, uint8_t* out, size_t stride) {
  I16 left[2], right[2];
  bool declined = first_of_four(c, quant, left);
  declined |= first_of_four(c + 4, quant + 32, right);
  const Pairs x02 = pairs(left[0]), x46 = pairs(right[0]);
  const I32 start = set32(1 << 18);
  I32 r[4];
  four_of_eight(dot<0, kFour6>(dot<2 * kOne, kFour2>(start, x02), x46),
                dot<0, -kFour6>(dot<2 * kOne, -kFour2>(start, x02), x46), pairs(left[1]), pairs(right[1]), r);
  const U8 columns =
      flip(narrow_signed(narrow_shifted<19>(r[0], r[1]), narrow_shifted<19>(r[2], r[3])), set8(kSampleLevel));
  alignas(64) uint8_t bytes[kBytes];
  store8(columns, bytes);
  for (size_t b = 0; b < kWords / 8; ++b) {
    for (size_t i = 0; i < 16; ++i) out[i / 4 * stride + 4 * b + i % 4] = bytes[16 * b + i % 4 * 4 + i / 4];
  }
  return declined;
}

// Sums modulo 2^32, as the library's vectors have them.
HWY_INLINE int32_t wrapped(int64_t v) {
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint64_t>(v)));
}
HWY_INLINE int32_t odd_of_two(const int32_t* x) {  // 3.625, -1.273, 0.850, -0.721
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
    for (const size_t r : kTaken) {
      const size_t row = group_row(r, col), word = word_of_block(r, col);
      x[r] = static_cast<int16_t>(block[row * kGroupWords + word] * quant[8 * row + word]);
    }
    declined |= x[0] > 8191 || x[0] < -8192;
    const int32_t even = x[0] * 32768, odd = odd_of_two(x);
    top[col] = wrapped(int64_t{even} + odd + 4096) >> 13;
    bottom[col] = wrapped(int64_t{even} - odd + 4096) >> 13;
    const int32_t ends[2] = {saturated(top[col]), saturated(bottom[col])};
    if (kLibraryWraps) declined |= ends[0] != top[col] || ends[1] != bottom[col];
    if (col != 0) top[col] = ends[0], bottom[col] = ends[1];
  }
  for (size_t r = 0; r < 2; ++r) {
    const int32_t* const x = r == 0 ? top : bottom;
    const int64_t even = int64_t{x[0]} * 32768 + (1 << 19), odd = odd_of_two(x);
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
