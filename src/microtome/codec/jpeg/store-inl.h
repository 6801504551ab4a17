// Interleaved stores: three vectors of samples become pixels of three bytes.
//
// Called by the row writers. One call writes kBytes pixels, 3 * kBytes bytes, or the first n of them. Words
// come as the colour conversion leaves them: those of the even pixels and those of the odd ones, to be
// clamped to 0..255.
//
// Note [Interleaving by three]
// Take words instead of bytes: a pair of pixels is R0 G0 | B0 R1 | G1 B1, three words a, e and f. Of the
// three times eight words that a block of 16 pixels becomes, word i is element i / 3 of a, e or f by i mod 3.
// Since 8 mod 3 is not 0, the places of a's words in the three output vectors are all different: one shuffle
// of a serves all three, and blends pick. Bytes work the same way (16 mod 3 = 1). With two-source byte
// permutations (AVX-512 VBMI) an output vector is one of R and G and one of that and B; NEON has an
// instruction for it all.
#if defined(MICROTOME_CODEC_JPEG_STORE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_STORE_INL_H_
#undef MICROTOME_CODEC_JPEG_STORE_INL_H_
#else
#define MICROTOME_CODEC_JPEG_STORE_INL_H_
#endif

#include "microtome/codec/jpeg/colour-inl.h"
#include "microtome/codec/jpeg/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

/// kBytes interleaved pixels in the order of memory.
struct Pixels {
  U8 part[3];
};

namespace interleave {

// Constants of a byte permutation per output vector; see the note. Natural: sources in the order of pixels.
// Otherwise each block of a source holds its 8 even pixels, then its 8 odd ones.
constexpr size_t place_of(size_t pixel, bool natural) {
  return natural ? pixel : pixel / 16 * 16 + pixel % 16 / 2 + pixel % 2 * 8;
}

#if HWY_TARGET == HWY_AVX3_DL
// First red and green to their places, then blue to those between, where the first left anything.
template <bool kNatural>
struct Tables {
  alignas(64) uint8_t red_green[3][64] = {};
  alignas(64) uint8_t blue[3][64] = {};
  constexpr Tables() {
    for (size_t i = 0; i < 192; ++i) {
      const auto place = static_cast<uint8_t>(place_of(i / 3, kNatural));
      red_green[i / 64][i % 64] = static_cast<uint8_t>(i % 3 == 1 ? 64 + place : place);
      blue[i / 64][i % 64] = static_cast<uint8_t>(i % 3 == 2 ? 64 + place : i % 64);
    }
  }
};
template <bool kNatural>
inline constexpr Tables<kNatural> kTables;

template <bool kNatural>
HWY_INLINE Pixels bytes(U8 r, U8 g, U8 b) {
  constexpr const Tables<kNatural>& t = kTables<kNatural>;
  Pixels out;
  for (size_t i = 0; i < 3; ++i) {
    const __m512i rg = _mm512_permutex2var_epi8(r.raw, _mm512_load_si512(t.red_green[i]), g.raw);
    out.part[i] = U8{_mm512_permutex2var_epi8(rg, _mm512_load_si512(t.blue[i]), b.raw)};
  }
  return out;
}
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
// Where byte i of channel c goes in each block: place[c][(16 * o + j)] for all o at once.
struct Tables {
  alignas(16) uint8_t shuffle[3][16] = {};
  alignas(16) uint8_t here[3][3][16] = {};  // output, channel
  uint64_t mask[3][3] = {};
  constexpr Tables() {
    for (size_t i = 0; i < 48; ++i) {
      shuffle[i % 3][i % 16] = static_cast<uint8_t>(i / 3);
      here[i / 16][i % 3][i % 16] = 0xFF;
      mask[i / 16][i % 3] |= 0x0001000100010001u << (i % 16);
    }
  }
};
inline constexpr Tables kTables;

// The same for words a and e, and for bytes of f = [G odd, B odd] to their places.
struct WordTables {
  alignas(16) uint8_t shuffle[3][16] = {};
  constexpr WordTables() {
    for (size_t i = 0; i < 24; ++i) {
      const size_t source = i % 3, element = i / 3, to = 2 * (i % 8);
      shuffle[source][to] = static_cast<uint8_t>(source == 2 ? element : 2 * element);
      shuffle[source][to + 1] = static_cast<uint8_t>(source == 2 ? element + 8 : 2 * element + 1);
    }
  }
};
inline constexpr WordTables kWordTables;

// Places of words of e and f in output vector o, as immediate masks.
constexpr int places(int output, int source) {
  int mask = 0;
  for (int j = 0; j < 8; ++j) mask |= (8 * output + j) % 3 == source ? 1 << j : 0;
  return mask;
}

HWY_INLINE U8 shuffle(U8 v, const uint8_t* table) {
  return hn::TableLookupBytes(v, hn::LoadDup128(kU8, table));
}

// Blocks of the three vectors (block o of pixel group b) into the order of memory.
HWY_INLINE Pixels order(U8 o0, U8 o1, U8 o2) {
#if HWY_TARGET == HWY_AVX3
  const __m512i p0 = _mm512_permutex2var_epi64(o0.raw, _mm512_setr_epi64(0, 1, 8, 9, 0, 0, 2, 3), o1.raw);
  const __m512i p1 = _mm512_permutex2var_epi64(o1.raw, _mm512_setr_epi64(2, 3, 10, 11, 0, 0, 4, 5), o2.raw);
  const __m512i p2 = _mm512_permutex2var_epi64(o2.raw, _mm512_setr_epi64(4, 5, 0, 0, 14, 15, 6, 7), o1.raw);
  const __m512i q0 =
      _mm512_mask_permutexvar_epi64(p0, 0x30, _mm512_setr_epi64(0, 0, 0, 0, 0, 1, 0, 0), o2.raw);
  const __m512i q1 = _mm512_mask_mov_epi64(p1, 0x30, o0.raw);
  const __m512i q2 =
      _mm512_mask_permutexvar_epi64(p2, 0x0C, _mm512_setr_epi64(0, 0, 6, 7, 0, 0, 0, 0), o0.raw);
  return {{U8{q0}, U8{q1}, U8{q2}}};
#elif HWY_TARGET == HWY_AVX2
  return {{U8{_mm256_permute2x128_si256(o0.raw, o1.raw, 0x20)}, U8{_mm256_blend_epi32(o2.raw, o0.raw, 0xF0)},
           U8{_mm256_permute2x128_si256(o1.raw, o2.raw, 0x31)}}};
#else
  return {{o0, o1, o2}};
#endif
}

template <int kOutput>
HWY_INLINE U8 pick_bytes(U8 r, U8 g, U8 b) {
#if HWY_TARGET == HWY_AVX3
  const __m512i rg = _mm512_mask_mov_epi8(r.raw, kTables.mask[kOutput][1], g.raw);
  return U8{_mm512_mask_mov_epi8(rg, kTables.mask[kOutput][2], b.raw)};
#else
  const U8 is_green = hn::LoadDup128(kU8, kTables.here[kOutput][1]);
  const U8 is_blue = hn::LoadDup128(kU8, kTables.here[kOutput][2]);
  const U8 rg = U8{MICROTOME_MM(blendv_epi8)(r.raw, g.raw, is_green.raw)};
  return U8{MICROTOME_MM(blendv_epi8)(rg.raw, b.raw, is_blue.raw)};
#endif
}

HWY_INLINE Pixels natural(U8 r, U8 g, U8 b) {
  const U8 rs = shuffle(r, kTables.shuffle[0]), gs = shuffle(g, kTables.shuffle[1]),
           bs = shuffle(b, kTables.shuffle[2]);
  return order(pick_bytes<0>(rs, gs, bs), pick_bytes<1>(rs, gs, bs), pick_bytes<2>(rs, gs, bs));
}

template <int kOutput>
HWY_INLINE U8 pick_words(U8 a, U8 e, U8 f) {
  constexpr int kE = places(kOutput, 1), kF = places(kOutput, 2);
#if HWY_TARGET == HWY_AVX3
  constexpr auto kAll = [](int m) { return static_cast<uint32_t>(m) * 0x01010101u; };
  return U8{_mm512_mask_mov_epi16(_mm512_mask_mov_epi16(a.raw, kAll(kE), e.raw), kAll(kF), f.raw)};
#else
  return U8{MICROTOME_MM(blend_epi16)(MICROTOME_MM(blend_epi16)(a.raw, e.raw, kE), f.raw, kF)};
#endif
}

HWY_INLINE Pixels words(const Rgb& even, const Rgb& odd) {
  const U8 red_blue = narrow_unsigned(even.r, even.b), green_red = narrow_unsigned(even.g, odd.r);
  const U8 a = shuffle(zip_lo8(red_blue, green_red), kWordTables.shuffle[0]);
  const U8 e = shuffle(zip_hi8(red_blue, green_red), kWordTables.shuffle[1]);
  const U8 f = shuffle(narrow_unsigned(odd.g, odd.b), kWordTables.shuffle[2]);
  return order(pick_words<0>(a, e, f), pick_words<1>(a, e, f), pick_words<2>(a, e, f));
}
#elif MICROTOME_VEC_PORTABLE
// Without a shuffle of bytes, dwords of two words each are formed by zips and then put in order. `a`, `e`,
// `f`: of the note.
HWY_INLINE Pixels words(U8 a8, U8 e8, U8 f8) {
  const I16 a = I16(a8), e = I16(e8), f = I16(f8);
  const I16 next = ahead(a, a);  // a's words from the second on
  const I32 ae = I32(zip_lo16(a, e)), ae4 = I32(zip_hi16(a, e));
  const I32 fa = I32(zip_lo16(f, next)), fa4 = I32(zip_hi16(f, next));
  const I32 ef = I32(zip_lo16(e, f)), ef4 = I32(zip_hi16(e, f));
  const auto put = [](I32 first, I32 second) {
    return U8(__builtin_shufflevector(first, second, 0, 2, 4, 6));
  };
  const I32 p0 = __builtin_shufflevector(ae, fa, 0, 0, 4, 4),
            p1 = __builtin_shufflevector(ef, ae, 1, 1, 6, 6);
  const I32 p2 = __builtin_shufflevector(fa, ef, 2, 2, 7, 7),
            p3 = __builtin_shufflevector(ae4, fa4, 0, 0, 4, 4);
  const I32 p4 = __builtin_shufflevector(ef4, ae4, 1, 1, 6, 6),
            p5 = __builtin_shufflevector(fa4, ef4, 2, 2, 7, 7);
  return {{put(p0, p1), put(p2, p3), put(p4, p5)}};
}
HWY_INLINE U8 upper(U8 v) {
  return U8(zip_hi64(I16(v), I16(v)));
}
#endif

}  // namespace interleave

/// From the words of the even and of the odd pixels.
HWY_INLINE Pixels interleaved(const Rgb& even, const Rgb& odd) {
#if HWY_TARGET == HWY_AVX3_DL
  return interleave::bytes<false>(narrow_unsigned(even.r, odd.r), narrow_unsigned(even.g, odd.g),
                                  narrow_unsigned(even.b, odd.b));
#elif HWY_TARGET == HWY_NEON
  // Kept as planes: the store interleaves.
  const auto merged = [](I16 e, I16 o) {
    return U8{vcombine_u8(vzip_u8(vqmovun_s16(e.raw), vqmovun_s16(o.raw)).val[0],
                          vzip_u8(vqmovun_s16(e.raw), vqmovun_s16(o.raw)).val[1])};
  };
  return {{merged(even.r, odd.r), merged(even.g, odd.g), merged(even.b, odd.b)}};
#elif MICROTOME_VEC_PORTABLE
  const U8 red_blue = narrow_unsigned(even.r, even.b), green_red = narrow_unsigned(even.g, odd.r);
  const U8 green_blue = narrow_unsigned(odd.g, odd.b);
  return interleave::words(zip_lo8(red_blue, green_red), zip_hi8(red_blue, green_red),
                           zip_lo8(green_blue, interleave::upper(green_blue)));
#else
  return interleave::words(even, odd);
#endif
}

/// From samples in the order of pixels.
HWY_INLINE Pixels interleaved(U8 r, U8 g, U8 b) {
#if HWY_TARGET == HWY_AVX3_DL
  return interleave::bytes<true>(r, g, b);
#elif HWY_TARGET == HWY_NEON
  return {{r, g, b}};
#elif MICROTOME_VEC_PORTABLE
  const auto even = [](U8 v) { return both(I16(v), set16(255)); };
  const auto odd = [](U8 v) { return shift_right_unsigned<8>(I16(v)); };
  return interleaved(Rgb{even(r), even(g), even(b)}, Rgb{odd(r), odd(g), odd(b)});
#else
  return interleave::natural(r, g, b);
#endif
}

/// Writes kBytes pixels. kStream: past the caches; `out` is then aligned to a vector.
template <bool kStream>
HWY_INLINE void store(const Pixels& pixels, uint8_t* out) {
#if HWY_TARGET == HWY_NEON
  vst3q_u8(out, uint8x16x3_t{{pixels.part[0].raw, pixels.part[1].raw, pixels.part[2].raw}});
#else
  for (size_t i = 0; i < 3; ++i) {
    if constexpr (kStream) {
      stream8(pixels.part[i], out + i * kBytes);
    } else {
      store8(pixels.part[i], out + i * kBytes);
    }
  }
#endif
}

/// Writes the first `count` < kBytes pixels, no byte behind them.
HWY_INLINE void store_first(const Pixels& pixels, size_t count, uint8_t* out) {
  alignas(64) uint8_t all[3 * kBytes];
  store<false>(pixels, all);
  size_t done = 0;  // mostly rows end with 16 pixels; a copy of unknown size costs more than them all
  for (; done + 16 <= 3 * count; done += 16) std::memcpy(out + done, all + done, 16);
  std::memcpy(out + done, all + done, 3 * count - done);
}

/// Writes kBytes pixels or the `left` ones that remain.
template <bool kStream>
HWY_INLINE void put(const Pixels& pixels, size_t left, uint8_t* out) {
  if (HWY_LIKELY(left >= kBytes)) {
    store<kStream>(pixels, out);
  } else {
    store_first(pixels, left, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
