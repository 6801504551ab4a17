// The operations of vec-inl.h in the compiler's own vectors of 16 bytes, which GCC and Clang translate to
// whatever the processor has at least: SSE2 on x86-64, plain integers where there is nothing. Where SSE2 is
// known to be there, the operations that vectors cannot state (saturation, pairwise multiply and add) are its
// instructions.
//
// Included by vec-inl.h alone, for one target.
#ifndef MICROTOME_CODEC_JPEG_VEC_PORTABLE_INL_H_
#define MICROTOME_CODEC_JPEG_VEC_PORTABLE_INL_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) && !defined(MICROTOME_NO_SSE2)
#include <emmintrin.h>
#define MICROTOME_VEC_SSE2 1
#else
#define MICROTOME_VEC_SSE2 0
#endif

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

typedef int16_t I16 __attribute__((vector_size(16)));
typedef uint16_t U16 __attribute__((vector_size(16)));
typedef int32_t I32 __attribute__((vector_size(16)));
typedef uint32_t U32 __attribute__((vector_size(16)));
typedef int64_t I64 __attribute__((vector_size(16)));
typedef uint8_t U8 __attribute__((vector_size(16)));
typedef int8_t S8 __attribute__((vector_size(16)));
typedef int16_t HalfI16 __attribute__((vector_size(8)));
typedef uint8_t HalfU8 __attribute__((vector_size(8)));
constexpr size_t kBytes = 16, kWords = 8;

template <class V>
HWY_INLINE V load(const void* p) {
  V v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
HWY_INLINE I16 load16(const int16_t* p) {
  return load<I16>(p);
}
HWY_INLINE void store16(I16 v, int16_t* p) {
  std::memcpy(p, &v, sizeof(v));
}
HWY_INLINE I16 repeat8(const int16_t* p) {
  return load<I16>(p);
}
HWY_INLINE I16 set16(int v) {
  const auto w = static_cast<int16_t>(v);
  return I16{w, w, w, w, w, w, w, w};
}
HWY_INLINE I32 set32(int32_t v) {
  return I32{v, v, v, v};
}
HWY_INLINE I16 as_words(I32 v) {
  return I16(v);
}
HWY_INLINE U8 set8(uint8_t v) {
  return U8{v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
}
HWY_INLINE U8 load8(const uint8_t* p) {
  return load<U8>(p);
}
HWY_INLINE void store8(U8 v, uint8_t* p) {
  std::memcpy(p, &v, sizeof(v));
}
HWY_INLINE void stream8(U8 v, uint8_t* p) {
#if MICROTOME_VEC_SSE2
  _mm_stream_si128(reinterpret_cast<__m128i*>(p), std::bit_cast<__m128i>(v));
#else
  store8(v, p);
#endif
}
HWY_INLINE I16 load_bytes(const uint8_t* p) {
  const U8 v = load<U8>(p);
  if constexpr (std::endian::native == std::endian::little) return I16(v);
  return I16(__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
}
HWY_INLINE I16 widen(const uint8_t* p) {
#if MICROTOME_VEC_SSE2
  const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return std::bit_cast<I16>(_mm_unpacklo_epi8(low, _mm_setzero_si128()));
#else
  return __builtin_convertvector(load<HalfU8>(p), I16);
#endif
}

// Sums and products are taken without sign: they wrap.
HWY_INLINE I16 add(I16 a, I16 b) {
  return I16(U16(a) + U16(b));
}
HWY_INLINE I16 sub(I16 a, I16 b) {
  return I16(U16(a) - U16(b));
}
HWY_INLINE I16 mul(I16 a, I16 b) {
  return I16(U16(a) * U16(b));
}
HWY_INLINE I16 either(I16 a, I16 b) {
  return a | b;
}
HWY_INLINE I16 both(I16 a, I16 b) {
  return a & b;
}
HWY_INLINE I16 differ(I16 a, I16 b) {
  return a ^ b;
}
HWY_INLINE U8 flip(U8 a, U8 b) {
  return a ^ b;
}
template <int kBits>
HWY_INLINE I16 shift_right(I16 v) {
  return v >> kBits;
}
template <int kBits>
HWY_INLINE I16 shift_right_unsigned(I16 v) {
  return I16(U16(v) >> kBits);
}
HWY_INLINE I32 add(I32 a, I32 b) {
  return I32(U32(a) + U32(b));
}
HWY_INLINE I32 sub(I32 a, I32 b) {
  return I32(U32(a) - U32(b));
}
template <int kBits>
HWY_INLINE I32 shift_right(I32 v) {
  return v >> kBits;
}
HWY_INLINE bool any(I16 v) {
  const I64 w = I64(v);
  return (w[0] | w[1]) != 0;
}

HWY_INLINE I16 zip_lo16(I16 a, I16 b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
HWY_INLINE I16 zip_hi16(I16 a, I16 b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
HWY_INLINE I16 zip_lo32(I16 a, I16 b) {
  return I16(__builtin_shufflevector(I32(a), I32(b), 0, 4, 1, 5));
}
HWY_INLINE I16 zip_hi32(I16 a, I16 b) {
  return I16(__builtin_shufflevector(I32(a), I32(b), 2, 6, 3, 7));
}
HWY_INLINE I16 zip_lo64(I16 a, I16 b) {
  return I16(__builtin_shufflevector(I64(a), I64(b), 0, 2));
}
HWY_INLINE I16 zip_hi64(I16 a, I16 b) {
  return I16(__builtin_shufflevector(I64(a), I64(b), 1, 3));
}
HWY_INLINE I16 even32(I16 a, I16 b) {
  return I16(__builtin_shufflevector(I32(a), I32(b), 0, 2, 4, 6));
}
HWY_INLINE I16 odd32(I16 a, I16 b) {
  return I16(__builtin_shufflevector(I32(a), I32(b), 1, 3, 5, 7));
}
HWY_INLINE U8 zip_lo8(U8 a, U8 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
HWY_INLINE U8 zip_hi8(U8 a, U8 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

template <class V, class T>
HWY_INLINE V clamp(V v, T lo, T hi) {
  const V low = V{} + lo, high = V{} + hi;
  v = v < low ? low : v;
  return v > high ? high : v;
}
HWY_INLINE I16 narrow(I32 a, I32 b) {
#if MICROTOME_VEC_SSE2
  return std::bit_cast<I16>(_mm_packs_epi32(std::bit_cast<__m128i>(a), std::bit_cast<__m128i>(b)));
#else
  const HalfI16 l = __builtin_convertvector(clamp(a, -32768, 32767), HalfI16);
  const HalfI16 h = __builtin_convertvector(clamp(b, -32768, 32767), HalfI16);
  return __builtin_shufflevector(l, h, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
}
HWY_INLINE I16 narrow_high(I32 a, I32 b) {
  return narrow(shift_right<16>(a), shift_right<16>(b));
}
template <int kBits>
HWY_INLINE I16 narrow_shifted(I32 a, I32 b) {
  return narrow(shift_right<kBits>(a), shift_right<kBits>(b));
}
HWY_INLINE U8 narrow_signed(I16 a, I16 b) {
#if MICROTOME_VEC_SSE2
  return std::bit_cast<U8>(_mm_packs_epi16(std::bit_cast<__m128i>(a), std::bit_cast<__m128i>(b)));
#else
  const HalfU8 l = __builtin_convertvector(clamp(a, int16_t{-128}, int16_t{127}), HalfU8);
  const HalfU8 h = __builtin_convertvector(clamp(b, int16_t{-128}, int16_t{127}), HalfU8);
  return __builtin_shufflevector(l, h, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
}
HWY_INLINE U8 narrow_unsigned(I16 a, I16 b) {
#if MICROTOME_VEC_SSE2
  return std::bit_cast<U8>(_mm_packus_epi16(std::bit_cast<__m128i>(a), std::bit_cast<__m128i>(b)));
#else
  const HalfU8 l = __builtin_convertvector(clamp(a, int16_t{0}, int16_t{255}), HalfU8);
  const HalfU8 h = __builtin_convertvector(clamp(b, int16_t{0}, int16_t{255}), HalfU8);
  return __builtin_shufflevector(l, h, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
}

#if MICROTOME_VEC_SSE2
using Pairs = I16;
template <bool kHi>
HWY_INLINE Pairs zip(I16 a, I16 b) {
  return kHi ? zip_hi16(a, b) : zip_lo16(a, b);
}
HWY_INLINE Pairs pairs(I16 v) {
  return v;
}
template <int kA, int kB>
HWY_INLINE I32 dot(Pairs p) {
  constexpr int16_t a = kA, b = kB;
  return std::bit_cast<I32>(
      _mm_madd_epi16(std::bit_cast<__m128i>(p), _mm_setr_epi16(a, b, a, b, a, b, a, b)));
}
#else
struct Pairs {
  I32 a, b;
};
template <bool kHi>
HWY_INLINE Pairs zip(I16 a, I16 b) {
  if constexpr (kHi) {
    return {__builtin_convertvector(__builtin_shufflevector(a, a, 4, 5, 6, 7), I32),
            __builtin_convertvector(__builtin_shufflevector(b, b, 4, 5, 6, 7), I32)};
  }
  return {__builtin_convertvector(__builtin_shufflevector(a, a, 0, 1, 2, 3), I32),
          __builtin_convertvector(__builtin_shufflevector(b, b, 0, 1, 2, 3), I32)};
}
HWY_INLINE Pairs pairs(I16 v) {
  return {__builtin_convertvector(__builtin_shufflevector(v, v, 0, 2, 4, 6), I32),
          __builtin_convertvector(__builtin_shufflevector(v, v, 1, 3, 5, 7), I32)};
}
template <int kA, int kB>
HWY_INLINE I32 dot(Pairs p) {
  return add(p.a * kA, p.b * kB);
}
#endif
template <int kA, int kB>
HWY_INLINE I32 dot(I32 sum, Pairs p) {
  return add(sum, dot<kA, kB>(p));
}

template <int kA, int kB>
HWY_INLINE void plus_minus_dot(I32 sum, Pairs p, I32& plus, I32& minus) {
  const I32 d = dot<kA, kB>(p);
  plus = add(sum, d);
  minus = sub(sum, d);
}

/// (a * b) >> 16.
HWY_INLINE I16 mul_high(I16 a, I16 b) {
#if MICROTOME_VEC_SSE2
  return std::bit_cast<I16>(_mm_mulhi_epi16(std::bit_cast<__m128i>(a), std::bit_cast<__m128i>(b)));
#else
  const Pairs l = zip<false>(a, b), h = zip<true>(a, b);
  return narrow((l.a * l.b) >> 16, (h.a * h.b) >> 16);
#endif
}

// Stated as shifts of the whole vector where there are such: compilers take shuffles of words apart.
HWY_INLINE I16 ahead(I16 cur, I16 next) {
#if MICROTOME_VEC_SSE2
  const auto c = std::bit_cast<__m128i>(cur), n = std::bit_cast<__m128i>(next);
  return std::bit_cast<I16>(_mm_or_si128(_mm_srli_si128(c, 2), _mm_slli_si128(n, 14)));
#else
  return __builtin_shufflevector(cur, next, 1, 2, 3, 4, 5, 6, 7, 8);
#endif
}

HWY_INLINE void store_halves(U8 v, uint8_t* lower, uint8_t* upper) {
  std::memcpy(lower, &v, 8);
  std::memcpy(upper, reinterpret_cast<const uint8_t*>(&v) + 8, 8);
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif
