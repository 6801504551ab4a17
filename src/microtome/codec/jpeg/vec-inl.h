// The vector operations that the transforms and the colour conversion are written in, once per instruction
// set.
//
// All targets share one picture: a vector is made of blocks of 16 bytes, and every operation that reorders
// lanes (zip, narrow) stays within a block. That is what x86 does at 256 and 512 bits; NEON and the portable
// vectors have a single block. Code that is written block by block is therefore the same everywhere.
//
// Highway supplies what it has; the rest (packing with saturation, pairwise multiply and add) is stated here
// for each target. The portable target uses the compiler's own vectors (vec_portable-inl.h): Highway's
// fallback for GCC 12 is one lane at a time.
//
// May be included more than once: by Highway's foreach_target, once per instruction set.
#if defined(MICROTOME_CODEC_JPEG_VEC_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_VEC_INL_H_
#undef MICROTOME_CODEC_JPEG_VEC_INL_H_
#else
#define MICROTOME_CODEC_JPEG_VEC_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#undef MICROTOME_VEC_PORTABLE
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
#define MICROTOME_VEC_PORTABLE 1
#else
#define MICROTOME_VEC_PORTABLE 0
#endif

#if MICROTOME_VEC_PORTABLE
#include "microtome/codec/jpeg/vec_portable-inl.h"
#else

#undef MICROTOME_MM
#if HWY_TARGET <= HWY_AVX3
#define MICROTOME_MM(op) _mm512_##op
#elif HWY_TARGET == HWY_AVX2
#define MICROTOME_MM(op) _mm256_##op
#elif HWY_TARGET == HWY_SSE4
#define MICROTOME_MM(op) _mm_##op
#endif

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::ScalableTag<int16_t> kI16;
constexpr hn::ScalableTag<int32_t> kI32;
constexpr hn::ScalableTag<float> kF32;
constexpr hn::ScalableTag<uint8_t> kU8;
constexpr hn::Rebind<uint8_t, decltype(kI16)> kHalfU8;
using I16 = hn::Vec<decltype(kI16)>;
using I32 = hn::Vec<decltype(kI32)>;
using U8 = hn::Vec<decltype(kU8)>;
constexpr size_t kBytes = HWY_MAX_BYTES;  // of a vector
constexpr size_t kWords = kBytes / 2;

HWY_INLINE I16 load16(const int16_t* p) {
  return hn::Load(kI16, p);
}
HWY_INLINE void store16(I16 v, int16_t* p) {
  hn::Store(v, kI16, p);
}
/// The same eight words in every block. Any alignment.
HWY_INLINE I16 repeat8(const int16_t* p) {
  return hn::LoadDup128(kI16, p);
}
HWY_INLINE I16 set16(int v) {
  return hn::Set(kI16, static_cast<int16_t>(v));
}
HWY_INLINE I32 set32(int32_t v) {
  return hn::Set(kI32, v);
}
HWY_INLINE I16 as_words(I32 v) {
  return hn::BitCast(kI16, v);
}
HWY_INLINE U8 load8(const uint8_t* p) {
  return hn::LoadU(kU8, p);
}
HWY_INLINE void store8(U8 v, uint8_t* p) {
  hn::StoreU(v, kU8, p);
}
HWY_INLINE void stream8(U8 v, uint8_t* p) {
  hn::Stream(v, kU8, p);
}
/// kBytes bytes, two to a word: the even ones are the lower halves.
HWY_INLINE I16 load_bytes(const uint8_t* p) {
  return hn::BitCast(kI16, hn::LoadU(kU8, p));
}
/// kWords bytes as words.
HWY_INLINE I16 widen(const uint8_t* p) {
  return hn::PromoteTo(kI16, hn::LoadU(kHalfU8, p));
}

// Arithmetic modulo 2^16.
HWY_INLINE I16 add(I16 a, I16 b) {
  return hn::Add(a, b);
}
HWY_INLINE I16 sub(I16 a, I16 b) {
  return hn::Sub(a, b);
}
HWY_INLINE I16 mul(I16 a, I16 b) {
  return hn::Mul(a, b);
}
HWY_INLINE I16 either(I16 a, I16 b) {
  return hn::Or(a, b);
}
HWY_INLINE I16 both(I16 a, I16 b) {
  return hn::And(a, b);
}
HWY_INLINE I16 differ(I16 a, I16 b) {
  return hn::Xor(a, b);
}
HWY_INLINE U8 flip(U8 a, U8 b) {
  return hn::Xor(a, b);
}
HWY_INLINE U8 set8(uint8_t v) {
  return hn::Set(kU8, v);
}
template <int kBits>
HWY_INLINE I16 shift_right(I16 v) {
  return hn::ShiftRight<kBits>(v);
}
template <int kBits>
HWY_INLINE I16 shift_right_unsigned(I16 v) {
  const hn::RebindToUnsigned<decltype(kI16)> u16;
  return hn::BitCast(kI16, hn::ShiftRight<kBits>(hn::BitCast(u16, v)));
}
HWY_INLINE I32 add(I32 a, I32 b) {
  return hn::Add(a, b);
}
HWY_INLINE I32 sub(I32 a, I32 b) {
  return hn::Sub(a, b);
}
template <int kBits>
HWY_INLINE I32 shift_right(I32 v) {
  return hn::ShiftRight<kBits>(v);
}
/// (a * b + 2^14) >> 15, which fits unless both are -2^15.
HWY_INLINE I16 mul_round15(I16 a, I16 b) {
  return hn::MulFixedPoint15(a, b);
}
HWY_INLINE bool any(I16 v) {
#if HWY_TARGET <= HWY_AVX3
  return _mm512_test_epi16_mask(v.raw, v.raw) != 0;
#elif HWY_TARGET == HWY_AVX2
  return _mm256_testz_si256(v.raw, v.raw) == 0;
#elif HWY_TARGET == HWY_SSE4
  return _mm_testz_si128(v.raw, v.raw) == 0;
#else
  return !hn::AllTrue(kI16, hn::Eq(v, hn::Zero(kI16)));
#endif
}

// Lanes of the lower (upper) halves of the blocks of a and b, in turn.
HWY_INLINE I16 zip_lo16(I16 a, I16 b) {
  return hn::InterleaveLower(kI16, a, b);
}
HWY_INLINE I16 zip_hi16(I16 a, I16 b) {
  return hn::InterleaveUpper(kI16, a, b);
}
HWY_INLINE I16 zip_lo32(I16 a, I16 b) {
  return hn::BitCast(kI16, hn::InterleaveLower(kI32, hn::BitCast(kI32, a), hn::BitCast(kI32, b)));
}
HWY_INLINE I16 zip_hi32(I16 a, I16 b) {
  return hn::BitCast(kI16, hn::InterleaveUpper(kI32, hn::BitCast(kI32, a), hn::BitCast(kI32, b)));
}
HWY_INLINE I16 zip_lo64(I16 a, I16 b) {
  const hn::ScalableTag<int64_t> i64;
  return hn::BitCast(kI16, hn::InterleaveLower(i64, hn::BitCast(i64, a), hn::BitCast(i64, b)));
}
HWY_INLINE I16 zip_hi64(I16 a, I16 b) {
  const hn::ScalableTag<int64_t> i64;
  return hn::BitCast(kI16, hn::InterleaveUpper(i64, hn::BitCast(i64, a), hn::BitCast(i64, b)));
}
HWY_INLINE U8 zip_lo8(U8 a, U8 b) {
  return hn::InterleaveLower(kU8, a, b);
}
HWY_INLINE U8 zip_hi8(U8 a, U8 b) {
  return hn::InterleaveUpper(kU8, a, b);
}

// Dwords 0 2 (1 3) of each block of a, then those of b.
HWY_INLINE I16 even32(I16 a, I16 b) {
#if HWY_TARGET == HWY_NEON
  return I16{vreinterpretq_s16_s32(vuzp1q_s32(vreinterpretq_s32_s16(a.raw), vreinterpretq_s32_s16(b.raw)))};
#else
  return hn::BitCast(kI16, hn::Vec<decltype(kF32)>{MICROTOME_MM(shuffle_ps)(hn::BitCast(kF32, a).raw,
                                                                            hn::BitCast(kF32, b).raw, 0x88)});
#endif
}
HWY_INLINE I16 odd32(I16 a, I16 b) {
#if HWY_TARGET == HWY_NEON
  return I16{vreinterpretq_s16_s32(vuzp2q_s32(vreinterpretq_s32_s16(a.raw), vreinterpretq_s32_s16(b.raw)))};
#else
  return hn::BitCast(kI16, hn::Vec<decltype(kF32)>{MICROTOME_MM(shuffle_ps)(hn::BitCast(kF32, a).raw,
                                                                            hn::BitCast(kF32, b).raw, 0xDD)});
#endif
}

// Saturating to the narrower type; each block holds first a's lanes, then b's.
HWY_INLINE I16 narrow(I32 a, I32 b) {
  return hn::ReorderDemote2To(kI16, a, b);
}
/// The higher words of a and b.
HWY_INLINE I16 narrow_high(I32 a, I32 b) {
#if HWY_TARGET <= HWY_AVX3
  alignas(64) static constexpr uint16_t kIndex[32] = {1,  3,  5,  7,  33, 35, 37, 39, 9,  11, 13,
                                                      15, 41, 43, 45, 47, 17, 19, 21, 23, 49, 51,
                                                      53, 55, 25, 27, 29, 31, 57, 59, 61, 63};
  return I16{_mm512_permutex2var_epi16(a.raw, _mm512_load_si512(kIndex), b.raw)};
#elif HWY_TARGET == HWY_NEON
  return I16{vcombine_s16(vshrn_n_s32(a.raw, 16), vshrn_n_s32(b.raw, 16))};
#else
  return narrow(shift_right<16>(a), shift_right<16>(b));
#endif
}
/// a and b shifted to the right by more than 16.
template <int kBits>
HWY_INLINE I16 narrow_shifted(I32 a, I32 b) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
  return shift_right<kBits - 16>(narrow_high(a, b));
#else
  return narrow(shift_right<kBits>(a), shift_right<kBits>(b));
#endif
}
/// To signed bytes.
HWY_INLINE U8 narrow_signed(I16 a, I16 b) {
#if HWY_TARGET == HWY_NEON
  return U8{vreinterpretq_u8_s8(vcombine_s8(vqmovn_s16(a.raw), vqmovn_s16(b.raw)))};
#else
  return U8{MICROTOME_MM(packs_epi16)(a.raw, b.raw)};
#endif
}
/// To unsigned bytes.
HWY_INLINE U8 narrow_unsigned(I16 a, I16 b) {
#if HWY_TARGET == HWY_NEON
  return U8{vcombine_u8(vqmovun_s16(a.raw), vqmovun_s16(b.raw))};
#else
  return U8{MICROTOME_MM(packus_epi16)(a.raw, b.raw)};
#endif
}

// Pairs of words that are multiplied by two constants and added in 32 bits, exactly:
// dot<A, B>(zip<kHi>(a, b))[i] = A * a[i] + B * b[i] over the lower or upper half of each block;
// dot<A, B>(pairs(v))[i] = A * v[2i] + B * v[2i + 1].
#if HWY_TARGET == HWY_NEON
struct Pairs {
  int16x4_t a, b;
};
template <bool kHi>
HWY_INLINE Pairs zip(I16 a, I16 b) {
  if constexpr (kHi) return {vget_high_s16(a.raw), vget_high_s16(b.raw)};
  return {vget_low_s16(a.raw), vget_low_s16(b.raw)};
}
HWY_INLINE Pairs pairs(I16 v) {
  return {vmovn_s32(vreinterpretq_s32_s16(v.raw)), vshrn_n_s32(vreinterpretq_s32_s16(v.raw), 16)};
}
template <int kA, int kB>
HWY_INLINE I32 dot(I32 sum, Pairs p) {
  int32x4_t r = sum.raw;
  if constexpr (kA != 0) r = vmlal_n_s16(r, p.a, kA);
  if constexpr (kB != 0) r = vmlal_n_s16(r, p.b, kB);
  return I32{r};
}
template <int kA, int kB>
HWY_INLINE I32 dot(Pairs p) {
  return I32{vmlal_n_s16(vmull_n_s16(p.a, kA), p.b, kB)};
}
#else
using Pairs = I16;
template <bool kHi>
HWY_INLINE Pairs zip(I16 a, I16 b) {
  return kHi ? zip_hi16(a, b) : zip_lo16(a, b);
}
HWY_INLINE Pairs pairs(I16 v) {
  return v;
}
template <int kA, int kB>
inline constexpr int32_t kPair = static_cast<int32_t>(static_cast<uint32_t>(kA & 0xFFFF) |
                                                      static_cast<uint32_t>(kB & 0xFFFF) << 16);
template <int kA, int kB>
HWY_INLINE I16 constants() {
  static_assert(kA >= INT16_MIN && kA <= INT16_MAX && kB >= INT16_MIN && kB <= INT16_MAX);
  return hn::BitCast(kI16, set32(kPair<kA, kB>));
}
template <int kA, int kB>
HWY_INLINE I32 dot(Pairs p) {
  return I32{MICROTOME_MM(madd_epi16)(p.raw, (constants<kA, kB>().raw))};
}
template <int kA, int kB>
HWY_INLINE I32 dot(I32 sum, Pairs p) {
#if HWY_TARGET == HWY_AVX3_DL
  // Every processor of this target has AVX512_VNNI (Highway asks for it), but its compiler flags lack it.
  asm("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum.raw) : "v"(p.raw), "m"(kPair<kA, kB>));
  return sum;
#else
  return add(sum, dot<kA, kB>(p));
#endif
}
#endif

/// plus = sum + d and minus = sum - d, where d is dot<A, B>(p).
template <int kA, int kB>
HWY_INLINE void plus_minus_dot(I32 sum, Pairs p, I32& plus, I32& minus) {
#if HWY_TARGET == HWY_AVX3_DL
  plus = dot<kA, kB>(sum, p);
  minus = dot<-kA, -kB>(sum, p);
#else
  const I32 d = dot<kA, kB>(p);
  plus = add(sum, d);
  minus = sub(sum, d);
#endif
}

/// Bytes in the order of 16-byte `table`, within each block.
HWY_INLINE U8 permute8(U8 v, const uint8_t* table) {
  return hn::TableLookupBytes(v, hn::LoadDup128(kU8, table));
}

/// The lower half of each block to `lower`, the upper half to `upper`: kBytes / 2 bytes each.
HWY_INLINE void store_halves(U8 v, uint8_t* lower, uint8_t* upper) {
#if HWY_TARGET <= HWY_AVX3
  const __m512i q = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v.raw);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lower), _mm512_castsi512_si256(q));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(upper), _mm512_extracti64x4_epi64(q, 1));
#elif HWY_TARGET == HWY_AVX2
  const __m256i q = _mm256_permute4x64_epi64(v.raw, 0xD8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lower), _mm256_castsi256_si128(q));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(upper), _mm256_extracti128_si256(q, 1));
#else
  const hn::Half<decltype(kU8)> half;
  hn::StoreU(hn::LowerHalf(half, v), half, lower);
  hn::StoreU(hn::UpperHalf(half, v), half, upper);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // MICROTOME_VEC_PORTABLE
#endif  // include guard per target
