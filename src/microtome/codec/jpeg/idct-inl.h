// From quantised coefficients to samples, four blocks at a time, with libjpeg-turbo's accurate integer
// transform (JDCT_ISLOW) to the bit.
//
// Called by the driver of a tile for each group: four horizontally adjacent blocks of one component.
// Coefficients are in natural order, 8 rows of 32 words, block b in columns 8b to 8b + 7, 64-byte aligned;
// the call leaves them zero for the next group. Knows nothing of images. Thread-safe: no state.
//
// Note [Where implementations of the transform agree]
// libjpeg-turbo has several: C, and vectors for each processor. All compute the same sums in 32 bits, but
// when rows 1 to 7 of a block are zero they take a short cut of 16 bits, which wraps where the long way
// saturates (x86), or which is done in 32 bits (C). They agree while a coefficient of the first row,
// dequantised, is within +-8191 (its fourfold fits 16 bits). Beyond that, which no encoder of pictures
// writes, these functions return true and the library must decode the tile. Everything else here is what the
// library does on x86: products are taken modulo 2^16, and the sums of the first pass saturate to 16 bits. On
// ARM it lets them wrap; there a sum at the end of the range declines the tile too (`overflows`).
//
// Source: the algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications, in 13
// fractional bits.
#if defined(MICROTOME_CODEC_JPEG_IDCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_IDCT_INL_H_
#undef MICROTOME_CODEC_JPEG_IDCT_INL_H_
#else
#define MICROTOME_CODEC_JPEG_IDCT_INL_H_
#endif

#include "microtome/codec/jpeg/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

constexpr size_t kGroupBlocks = 4;
constexpr size_t kGroupWords = 8 * kGroupBlocks;  // of a row

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

// The last step: outputs i and 7 - i are the sum and the difference of the even and the odd part.
template <int kShift>
HWY_INLINE void mirror(I32 even, I32 odd, I32* r, int i) {
  r[i] = shift_right<kShift>(add(even, odd));
  r[7 - i] = shift_right<kShift>(sub(even, odd));
}

// One dimension of eight over one half of each block. r[i] and r[7 - i] are sums that the shift makes
// results.
template <int kShift, bool kHi>
HWY_INLINE void eight(const I16* x, I16 sum04, I16 diff04, I16 sum73, I16 sum51, I32* r) {
  const I32 half = set32(1 << (kShift - 1));
  const Pairs ends = zip<kHi>(sum04, diff04), middle = zip<kHi>(x[2], x[6]);
  const I32 t0 = dot<kOne, 0>(half, ends), t1 = dot<0, kOne>(half, ends);
  const I32 e0 = dot<k0_541 + k0_765, k0_541>(t0, middle), e3 = dot<-(k0_541 + k0_765), -k0_541>(t0, middle);
  const I32 e1 = dot<k0_541, k0_541 - k1_847>(t1, middle), e2 = dot<-k0_541, k1_847 - k0_541>(t1, middle);
  const Pairs z = zip<kHi>(sum73, sum51), a = zip<kHi>(x[7], x[1]), b = zip<kHi>(x[5], x[3]);
  const I32 y3 = dot<k1_175 - k1_961, k1_175>(z), y4 = dot<k1_175, k1_175 - k0_390>(z);
  const I32 o0 = dot<k0_298 - k0_899, -k0_899>(y3, a), o3 = dot<-k0_899, k1_501 - k0_899>(y4, a);
  const I32 o1 = dot<k2_053 - k2_562, -k2_562>(y4, b), o2 = dot<-k2_562, k3_072 - k2_562>(y3, b);
  mirror<kShift>(e0, o3, r, 0);
  mirror<kShift>(e1, o2, r, 1);
  mirror<kShift>(e2, o1, r, 2);
  mirror<kShift>(e3, o0, r, 3);
}

// The same where x[4] to x[7] are zero.
template <int kShift, bool kHi>
HWY_INLINE void eight_of_four(const I16* x, I32* r) {
  const I32 half = set32(1 << (kShift - 1));
  const Pairs even = zip<kHi>(x[0], x[2]), odd = zip<kHi>(x[1], x[3]);
  const I32 e0 = dot<kOne, k0_541 + k0_765>(half, even), e3 = dot<kOne, -(k0_541 + k0_765)>(half, even);
  const I32 e1 = dot<kOne, k0_541>(half, even), e2 = dot<kOne, -k0_541>(half, even);
  const I32 o0 = dot<k1_175 - k0_899, k1_175 - k1_961>(odd), o1 = dot<k1_175 - k0_390, k1_175 - k2_562>(odd);
  const I32 o2 = dot<k1_175, k1_175 - k1_961 + k3_072 - k2_562>(odd);
  const I32 o3 = dot<k1_501 - k0_899 + k1_175 - k0_390, k1_175>(odd);
  mirror<kShift>(e0, o3, r, 0);
  mirror<kShift>(e1, o2, r, 1);
  mirror<kShift>(e2, o1, r, 2);
  mirror<kShift>(e3, o0, r, 3);
}

template <int kShift>
HWY_INLINE void pass(I16* x) {
  const I16 sum04 = add(x[0], x[4]), diff04 = sub(x[0], x[4]);
  const I16 sum73 = add(x[7], x[3]), sum51 = add(x[5], x[1]);
  I32 lo[8], hi[8];
  eight<kShift, false>(x, sum04, diff04, sum73, sum51, lo);
  eight<kShift, true>(x, sum04, diff04, sum73, sum51, hi);
  for (int i = 0; i < 8; ++i) x[i] = narrow(lo[i], hi[i]);
}

template <int kShift>
HWY_INLINE void pass_of_four(I16* x) {
  I32 lo[8], hi[8];
  eight_of_four<kShift, false>(x, lo);
  eight_of_four<kShift, true>(x, hi);
  for (int i = 0; i < 8; ++i) x[i] = narrow(lo[i], hi[i]);
}

// 8x8 words within each block.
HWY_INLINE void transpose(I16* x) {
  const I16 a0 = zip_lo16(x[0], x[1]), a1 = zip_hi16(x[0], x[1]), a2 = zip_lo16(x[2], x[3]),
            a3 = zip_hi16(x[2], x[3]);
  const I16 a4 = zip_lo16(x[4], x[5]), a5 = zip_hi16(x[4], x[5]), a6 = zip_lo16(x[6], x[7]),
            a7 = zip_hi16(x[6], x[7]);
  const I16 b0 = zip_lo32(a0, a2), b1 = zip_hi32(a0, a2), b2 = zip_lo32(a1, a3), b3 = zip_hi32(a1, a3);
  const I16 b4 = zip_lo32(a4, a6), b5 = zip_hi32(a4, a6), b6 = zip_lo32(a5, a7), b7 = zip_hi32(a5, a7);
  x[0] = zip_lo64(b0, b4);
  x[1] = zip_hi64(b0, b4);
  x[2] = zip_lo64(b1, b5);
  x[3] = zip_hi64(b1, b5);
  x[4] = zip_lo64(b2, b6);
  x[5] = zip_hi64(b2, b6);
  x[6] = zip_lo64(b3, b7);
  x[7] = zip_hi64(b3, b7);
}

// x[c] holds column c of each block, still without the level shift of 128. Writes 8 rows.
HWY_INLINE void store_columns(const I16* x, uint8_t* out, size_t stride) {
  const U8 level = set8(0x80);
  const U8 c01 = narrow_signed(x[0], x[1]), c23 = narrow_signed(x[2], x[3]);
  const U8 c45 = narrow_signed(x[4], x[5]), c67 = narrow_signed(x[6], x[7]);
  const U8 c04 = zip_lo8(c01, c45), c15 = zip_hi8(c01, c45), c26 = zip_lo8(c23, c67), c37 = zip_hi8(c23, c67);
  const U8 even_top = zip_lo8(c04, c26),
           even_bottom = zip_hi8(c04, c26);  // columns 0 2 4 6, rows 0-3 and 4-7
  const U8 odd_top = zip_lo8(c15, c37), odd_bottom = zip_hi8(c15, c37);
  store_halves(flip(zip_lo8(even_top, odd_top), level), out, out + stride);
  store_halves(flip(zip_hi8(even_top, odd_top), level), out + 2 * stride, out + 3 * stride);
  store_halves(flip(zip_lo8(even_bottom, odd_bottom), level), out + 4 * stride, out + 5 * stride);
  store_halves(flip(zip_hi8(even_bottom, odd_bottom), level), out + 6 * stride, out + 7 * stride);
}

// A value beyond +-8191: see Note [Where implementations of the transform agree].
HWY_INLINE bool beyond(I16 row0) {
  return any(shift_right_unsigned<14>(add(row0, set16(8192))));
}

// Whether a result of the first pass is at the end of its range, where the library may have it otherwise.
constexpr bool kLibraryWraps = HWY_ARCH_ARM;
HWY_INLINE bool overflows(const I16* x, int count) {
  if constexpr (!kLibraryWraps) return false;
  I16 found = set16(0);
  for (int i = 0; i < count; ++i) {
    const I16 magnitude = differ(x[i], shift_right<15>(x[i]));  // 32767 for both ends
    found = either(found, shift_right_unsigned<15>(add(magnitude, set16(1))));
  }
  return any(found);
}

HWY_INLINE void clear(int16_t* rows, int count) {
  for (int i = 0; i < count; ++i) store16(set16(0), rows + static_cast<size_t>(i) * kGroupWords);
}

HWY_INLINE bool full(const I16* c, const int16_t* quant, uint8_t* out, size_t stride) {
  I16 x[8];
  for (int i = 0; i < 8; ++i) x[i] = mul(c[i], repeat8(quant + 8 * i));
  bool declined = beyond(x[0]);
  pass<kFirstShift>(x);
  declined |= overflows(x, 8);
  transpose(x);
  pass<kSecondShift>(x);
  store_columns(x, out, stride);
  return declined;
}

// Only the upper left 4x4 coefficients of each block are there.
HWY_INLINE bool four(const I16* c, const int16_t* quant, uint8_t* out, size_t stride) {
  I16 x[8];
  for (int i = 0; i < 4; ++i) x[i] = mul(c[i], repeat8(quant + 8 * i));
  bool declined = beyond(x[0]);
  I32 r[8];
  eight_of_four<kFirstShift, false>(x, r);  // columns 4 to 7 are zero
  const I16 pairs[4] = {narrow(r[0], r[1]), narrow(r[2], r[3]), narrow(r[4], r[5]), narrow(r[6], r[7])};
  declined |= overflows(pairs, 4);
  const I16 a = zip_lo16(pairs[0], pairs[1]), b = zip_hi16(pairs[0], pairs[1]);
  const I16 top01 = zip_lo16(a, b), top23 = zip_hi16(a, b);  // columns 0 1, 2 3 of rows 0 to 3
  const I16 d = zip_lo16(pairs[2], pairs[3]), e = zip_hi16(pairs[2], pairs[3]);
  const I16 bottom01 = zip_lo16(d, e), bottom23 = zip_hi16(d, e);
  x[0] = zip_lo64(top01, bottom01);
  x[1] = zip_hi64(top01, bottom01);
  x[2] = zip_lo64(top23, bottom23);
  x[3] = zip_hi64(top23, bottom23);
  pass_of_four<kSecondShift>(x);
  store_columns(x, out, stride);
  return declined;
}

HWY_INLINE bool flat(I16 row0, const int16_t* quant, uint8_t* out, size_t stride) {
  const I16 x = mul(row0, repeat8(quant));
  const I16 level = shift_right<3>(add(x, set16(4)));
  const I16 two = zip_lo16(level, level), four = zip_lo32(two, two), all = zip_lo64(four, four);
  const U8 bytes = flip(narrow_signed(all, all), set8(0x80));
  for (size_t r = 0; r < 8; r += 2) store_halves(bytes, out + r * stride, out + (r + 1) * stride);
  return beyond(x);
}

}  // namespace idct

/// Transforms a group into 8 rows of 32 bytes, `stride` apart, and clears it. `quant`: natural order, 16-byte
/// aligned. True: a value is outside the range where the library's implementations agree; decline the tile.
/// Per vector, the blocks' coefficients decide: all of them, the upper left 4x4, or the first alone.
HWY_INLINE bool idct_group(int16_t* group, const int16_t* quant, uint8_t* out, size_t stride) {
  alignas(16) static constexpr int16_t kRight[8] = {0, 0, 0, 0, -1, -1, -1, -1};
  alignas(16) static constexpr int16_t kNotFirst[8] = {0, -1, -1, -1, -1, -1, -1, -1};
  bool declined = false;
  for (size_t w = 0; w < kGroupWords; w += kWords) {
    int16_t* const rows = group + w;
    uint8_t* const to = out + w;
    I16 c[8];
    for (size_t i = 0; i < 8; ++i) c[i] = load16(rows + i * kGroupWords);
    const I16 top = either(either(c[1], c[2]), c[3]), bottom = either(either(c[4], c[5]), either(c[6], c[7]));
    if (any(either(bottom, both(either(c[0], top), repeat8(kRight))))) {
      idct::clear(rows, 8);
      declined |= idct::full(c, quant, to, stride);
    } else if (any(either(top, both(c[0], repeat8(kNotFirst))))) {
      idct::clear(rows, 4);
      declined |= idct::four(c, quant, to, stride);
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
