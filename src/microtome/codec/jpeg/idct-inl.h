// From quantised coefficients to samples, four blocks at a time, with libjpeg-turbo's accurate integer
// transform (JDCT_ISLOW) to the bit.
//
// Called by the driver of a tile for each group: four horizontally adjacent blocks of one component.
// Coefficients are 8 rows of 32 words, 64-byte aligned, in the order of Note [Order of coefficients]
// (chunk.h); the call leaves them zero for the next group. Knows nothing of images. Thread-safe: no state.
//
// Note [Where implementations of the transform agree]
// libjpeg-turbo has several: C, and vectors for each processor. All compute the same sums in 32 bits, but
// those of vectors form some of them in 16 bits before (which wrap beyond 32767), keep the results of the
// first pass in 16 bits (saturated on x86, wrapped on ARM), and take a short cut when rows 1 to 7 of a block
// are zero. None of this matters while the results of the first pass, which have two fractional bits, lie
// within -16384 to 16383. For then so do its inputs, since the transform keeps energy: the largest result of
// a column is at least four times any of its coefficients. Pictures whose samples lie in 0..255 give results
// of up to 5300 before quantisation; what rounding adds to them does not lead beyond 16383 either. Where a
// result lies outside, these functions return true and the library must decode the tile. Products with the
// quantisation table are taken modulo 2^16, as the library does.
//
// Note [Two passes on pairs]
// A vector holds pairs of words; its dwords are columns in the first pass and rows in the second. All sums
// are of such pairs times constants. Of each block four columns go through the first pass at once, and then
// four rows through the second. Between them, dwords of two columns next to each other only have to be
// collected by row: one shuffle for each vector, in the place of a transposition.
//
// Source: the algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications, in 13
// fractional bits.
#if defined(MICROTOME_CODEC_JPEG_IDCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_IDCT_INL_H_
#undef MICROTOME_CODEC_JPEG_IDCT_INL_H_
#else
#define MICROTOME_CODEC_JPEG_IDCT_INL_H_
#endif

#include "microtome/codec/jpeg/chunk.h"
#include "microtome/codec/jpeg/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

constexpr size_t kGroupBlocks = 4;
constexpr size_t kGroupWords = kGroupRow;

namespace idct {

// Rotations' sines and cosines times 2^13, as the algorithm's authors name their sums.
enum : int {
  k0_298 = 2446,
  k0_390 = 3196,
  k0_541 = 4433,
  k0_765 = 6270,
  k0_899 = 7373,
  k1_175 = 9633,
  k1_501 = 12299,
  k1_847 = 15137,
  k1_961 = 16069,
  k2_053 = 16819,
  k2_562 = 20995,
  k3_072 = 25172,
  kOne = 8192,
};
constexpr int kFirstShift = 11;  // 13 bits of the constants, less 2 that the first pass keeps
constexpr int kSecondShift = 18;
constexpr int kSampleLevel = 128;

// What each input adds to the four sums of the even and of the odd part, once the algorithm is multiplied
// out. Even: x0 and x4 count fully.
constexpr int kEven2 = k0_541 + k0_765, kEven6 = k0_541, kTurned6 = k0_541 - k1_847;
constexpr int kY3 = k1_175 - k1_961, kY4 = k1_175 - k0_390;
struct Odd {
  int x1, x3, x5, x7;
};
constexpr Odd kOdd[4] = {
    {k1_175 - k0_899, kY3, k1_175, kY3 + k0_298 - k0_899},
    {kY4, k1_175 - k2_562, kY4 + k2_053 - k2_562, k1_175},
    {k1_175, kY3 + k3_072 - k2_562, k1_175 - k2_562, kY3},
    {kY4 + k1_501 - k0_899, k1_175, kY4, k1_175 - k0_899},
};

// Sum i of the odd part, of pairs of x1 x3 and x5 x7.
template <int i, bool kAll>
HWY_INLINE I32 odd_part(Pairs x13, Pairs x57) {
  const I32 sum = dot<kOdd[i].x1, kOdd[i].x3>(x13);
  if constexpr (!kAll) return sum;
  return dot<kOdd[i].x5, kOdd[i].x7>(sum, x57);
}

// Results i and 7 - i of eight are the sum and the difference of the even and the odd part.
HWY_INLINE void mirror(I32 even, I32 odd, I32* r, int i) {
  r[i] = add(even, odd);
  r[7 - i] = sub(even, odd);
}

// Notes in a word's sign that it is not within -16384 to 16383: see Note [Where implementations of the
// transform agree].
HWY_INLINE void note_large(I16& found, I16 v) {
  found = either(found, add(v, set16(1 << 14)));
}
HWY_INLINE bool is_large(I16 found) {
  return any(shift_right_unsigned<15>(found));
}

// Four columns of each block: rows 0 4, 2 6, 1 3, 5 7 of coefficients. q: the columns' first two at rows 0 to
// 3 and at rows 4 to 7, then the same of the other two.
HWY_INLINE void first_pass(const I16* c, const int16_t* quant, I16& large, I16* q) {
  Pairs x[4];
  for (int i = 0; i < 4; ++i) x[i] = pairs(mul(c[i], repeat8(quant + 8 * i)));
  const I32 half = set32(1 << (kFirstShift - 1));
  const I32 t0 = dot<kOne, kOne>(half, x[0]), t1 = dot<kOne, -kOne>(half, x[0]);
  I32 r[8], even[4];
  plus_minus_dot<kEven2, kEven6>(t0, x[1], even[0], even[3]);
  plus_minus_dot<kEven6, kTurned6>(t1, x[1], even[1], even[2]);
  mirror(even[0], odd_part<3, true>(x[2], x[3]), r, 0);
  mirror(even[1], odd_part<2, true>(x[2], x[3]), r, 1);
  mirror(even[2], odd_part<1, true>(x[2], x[3]), r, 2);
  mirror(even[3], odd_part<0, true>(x[2], x[3]), r, 3);
  I16 w[4];
  for (int i = 0; i < 4; ++i) {
    w[i] = narrow(shift_right<kFirstShift>(r[2 * i]), shift_right<kFirstShift>(r[2 * i + 1]));
    note_large(large, w[i]);
  }
  for (int i = 0; i < 2; ++i) {
    q[i] = even32(w[2 * i], w[2 * i + 1]);
    q[2 + i] = odd32(w[2 * i], w[2 * i + 1]);
  }
}

// Each block holds four columns of four bytes (columns 0 to 3 and 4 to 7). Writes four rows of eight bytes a
// block, `stride` apart.
HWY_INLINE void store_columns(U8 left, U8 right, uint8_t* out, size_t stride) {
#if HWY_TARGET == HWY_AVX3_DL
  struct alignas(64) Places {
    uint8_t of_row[4][32] = {};
    constexpr Places() {
      for (size_t i = 0; i < 128; ++i) {
        const size_t row = i / 32, block = i % 32 / 8, column = i % 8;
        of_row[row][i % 32] = static_cast<uint8_t>(column / 4 * 64 + 16 * block + column % 4 * 4 + row);
      }
    }
  };
  static constexpr Places kPlaces;
  for (size_t r = 0; r < 4; r += 2, out += 2 * stride) {
    const __m512i rows = _mm512_permutex2var_epi8(left.raw, _mm512_load_si512(kPlaces.of_row[r]), right.raw);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(rows));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + stride), _mm512_extracti64x4_epi64(rows, 1));
  }
#elif MICROTOME_VEC_PORTABLE
  const U8 c04_c15 = zip_lo8(left, right), c26_c37 = zip_hi8(left, right);
  const U8 even = zip_lo8(c04_c15, c26_c37), odd = zip_hi8(c04_c15, c26_c37);
  store_halves(zip_lo8(even, odd), out, out + stride);
  store_halves(zip_hi8(even, odd), out + 2 * stride, out + 3 * stride);
#else
  alignas(16) static constexpr uint8_t kTransposed[16] = {0, 4, 8,  12, 1, 5, 9,  13,
                                                          2, 6, 10, 14, 3, 7, 11, 15};
  const I16 l = hn::BitCast(kI16, permute8(left, kTransposed));
  const I16 r = hn::BitCast(kI16, permute8(right, kTransposed));
  store_halves(hn::BitCast(kU8, zip_lo32(l, r)), out, out + stride);
  store_halves(hn::BitCast(kU8, zip_hi32(l, r)), out + 2 * stride, out + 3 * stride);
#endif
}

// Four rows of each block, from pairs of columns 0 2, 1 3 and, with kAll, 4 6, 5 7.
template <bool kAll>
HWY_INLINE void second_pass(const I16* left, const I16* right, uint8_t* out, size_t stride) {
  const Pairs x02 = pairs(left[0]), x13 = pairs(left[2]);
  const Pairs x46 = kAll ? pairs(right[0]) : x02, x57 = kAll ? pairs(right[2]) : x13;
  const I32 start = set32((1 << (kSecondShift - 1)) + (kSampleLevel << kSecondShift));
  I32 even[4] = {dot<kOne, kEven2>(start, x02), dot<kOne, kEven6>(start, x02), dot<kOne, -kEven6>(start, x02),
                 dot<kOne, -kEven2>(start, x02)};
  if constexpr (kAll) {
    even[0] = dot<kOne, kEven6>(even[0], x46);
    even[1] = dot<-kOne, kTurned6>(even[1], x46);
    even[2] = dot<-kOne, -kTurned6>(even[2], x46);
    even[3] = dot<kOne, -kEven6>(even[3], x46);
  }
  I32 s[8];
  mirror(even[0], odd_part<3, kAll>(x13, x57), s, 0);
  mirror(even[1], odd_part<2, kAll>(x13, x57), s, 1);
  mirror(even[2], odd_part<1, kAll>(x13, x57), s, 2);
  mirror(even[3], odd_part<0, kAll>(x13, x57), s, 3);
  I16 w[4];
  for (int i = 0; i < 4; ++i) w[i] = narrow_shifted<kSecondShift>(s[2 * i], s[2 * i + 1]);
  store_columns(narrow_unsigned(w[0], w[1]), narrow_unsigned(w[2], w[3]), out, stride);
}

HWY_INLINE void clear(int16_t* rows, int count) {
  for (int i = 0; i < count; ++i) store16(set16(0), rows + static_cast<size_t>(i) * kGroupWords);
}

HWY_INLINE bool full(const I16* c, const int16_t* quant, uint8_t* out, size_t stride) {
  I16 large = set16(0);
  I16 left[4], right[4];
  first_pass(c, quant, large, left);
  first_pass(c + 4, quant + 32, large, right);
  second_pass<true>(left, right, out, stride);
  second_pass<true>(left + 1, right + 1, out + 4 * stride, stride);
  return is_large(large);
}

// Only coefficients of columns 0 to 3 are there.
HWY_INLINE bool left_half(const I16* c, const int16_t* quant, uint8_t* out, size_t stride) {
  I16 large = set16(0);
  I16 left[4];
  first_pass(c, quant, large, left);
  second_pass<false>(left, nullptr, out, stride);
  second_pass<false>(left + 1, nullptr, out + 4 * stride, stride);
  return is_large(large);
}

HWY_INLINE bool flat(I16 first, const int16_t* quant, uint8_t* out, size_t stride) {
  const I16 x = mul(first, repeat8(quant));
  const I16 level = shift_right<3>(add(x, set16(4)));
  const I16 two = zip_lo16(level, level), four = zip_lo32(two, two), all = zip_lo64(four, four);
  const U8 bytes = flip(narrow_signed(all, all), set8(kSampleLevel));
  for (size_t r = 0; r < 8; r += 2) store_halves(bytes, out + r * stride, out + (r + 1) * stride);
  return any(shift_right_unsigned<13>(add(x, set16(1 << 12))));  // the first pass multiplies by 4
}

}  // namespace idct

/// Transforms a group into 8 rows of 32 bytes, `stride` apart, and clears it. `quant`: in the order of a
/// block's coefficients, 16-byte aligned. True: a value is outside the range where the library's
/// implementations agree; decline the tile. Per vector, the blocks' coefficients decide: all columns, the
/// first four, or DC alone.
HWY_INLINE bool idct_group(int16_t* group, const int16_t* quant, uint8_t* out, size_t stride) {
  alignas(16) static constexpr int16_t kNotFirst[8] = {0, -1, -1, -1, -1, -1, -1, -1};
  bool declined = false;
  for (size_t w = 0; w < kGroupWords; w += kWords) {
    int16_t* const rows = group + w;
    uint8_t* const to = out + w;
    I16 c[8];
    for (size_t i = 0; i < 8; ++i) c[i] = load16(rows + i * kGroupWords);
    if (any(either(either(c[4], c[5]), either(c[6], c[7])))) {
      idct::clear(rows, 8);
      declined |= idct::full(c, quant, to, stride);
    } else if (any(either(either(both(c[0], repeat8(kNotFirst)), c[1]), either(c[2], c[3])))) {
      idct::clear(rows, 4);
      declined |= idct::left_half(c, quant, to, stride);
    } else {
      idct::clear(rows, 1);
      declined |= idct::flat(c[0], quant, to, stride);
    }
  }
  return declined;
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
