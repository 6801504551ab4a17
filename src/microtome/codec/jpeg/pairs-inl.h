// Rows of 4:2:0 to rows of pixels: chroma is half as wide and half as high, and triangle filters go both
// ways.
//
// Called by the driver of a tile for all rows that an MCU row completes. Thread-safe: no state.
//
// Note [Chroma across, then down]
// The triangle filter of both directions (Note [Triangle upsampling] in upsample-inl.h) is a sum of sixteen
// parts; which direction is summed first does not matter. Across comes first here, once for each chroma row:
//
//     even columns   h = 3c + left           odd columns   h = 3c + right
//
// Each such row serves four output rows, of which it gives two three parts and two one. The sums wait in a
// buffer in the nearest cache, in strips of kPiece pixels. Down is then, for an output row,
//
//     v = 3h + h of the row above (upper row) or below (lower row)
//     even pixels (v + 8) >> 4,  odd pixels (v + 7) >> 4
//
// Note [Pairs of Cb and Cr]
// With two-source byte permutations (AVX-512 VBMI), words of Cb and Cr stand in turn from the start: the
// bytes of each 32-bit lane are Cb, its neighbour, Cr, its neighbour, and a multiplication with 3 and 1 that
// adds pairs filters across. Green needs them like that, one product by pairs of words gives blue's part and
// red's, and of the three vectors that are stored (blue and red of the left half, those of the right half,
// green) the first and the last output vector take only two.
//
// For centred samples, (v * 2^11 + 2^14) >> 15 is the even pixels' value, and with -2^11 it is the odd ones'
// negated: -((8 - v) >> 4) = (v + 7) >> 4. So both are one rounding product, and the colours of odd pixels
// take negated factors, so that their products are the same.
#if defined(MICROTOME_CODEC_JPEG_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_PAIRS_INL_H_
#undef MICROTOME_CODEC_JPEG_PAIRS_INL_H_
#else
#define MICROTOME_CODEC_JPEG_PAIRS_INL_H_
#endif

#include "microtome/codec/jpeg/colour-inl.h"
#include "microtome/codec/jpeg/store-inl.h"
#include "microtome/codec/jpeg/stream-inl.h"
#include "microtome/codec/jpeg/upsample-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {
namespace halved {

// Sums of kBytes pixels: four vectors. Cb even, Cr even, Cb odd, Cr odd; or, in pairs of Cb and Cr, even
// pixels of the left half and of the right half, then odd ones.
struct Sums {
  I16 v[4];
};
constexpr size_t kSums = 4 * kWords;  // words

// Never made empty: the constructor would be compiled for no instruction set in particular.
HWY_INLINE Sums load_sums(const int16_t* from) {
  return {{load16(from), load16(from + kWords), load16(from + 2 * kWords), load16(from + 3 * kWords)}};
}

HWY_INLINE Sums plus(const Sums& a, const Sums& b) {
  return {{add(a.v[0], b.v[0]), add(a.v[1], b.v[1]), add(a.v[2], b.v[2]), add(a.v[3], b.v[3])}};
}

#if HWY_TARGET == HWY_AVX3_DL
struct Tables {
  alignas(64) uint8_t near[4][64] = {};  // of Sums: places in Cb (0..63) and Cr (64..127), one column behind
  alignas(64) uint8_t luma[4][64] = {};  // of Sums: each pixel's luma for both words of its lane
  // Output vectors: 0 and 2 of a half's blue and red (0..63) and green (64..127); 1 of both halves' blue and
  // red, then of that and green.
  alignas(64) uint8_t first[64] = {}, last[64] = {}, middle[64] = {}, middle_green[64] = {};
  alignas(64) uint8_t high_word[64] = {};
  static constexpr uint8_t green(size_t pixel) {
    const size_t half = pixel / 32, at = pixel % 32;
    return static_cast<uint8_t>(64 + 16 * (at / 8) + 8 * half + at % 8);
  }
  static constexpr uint8_t blue_red(size_t pixel, bool red) {
    const size_t column = pixel % 32 / 2;
    return static_cast<uint8_t>(16 * (column / 4) + 8 * (pixel % 2) + 2 * (column % 4) + (red ? 1 : 0));
  }
  constexpr Tables() {
    for (size_t i = 0; i < 64; ++i) {
      for (size_t k = 0; k < 4; ++k) {
        const size_t odd = k / 2, column = k % 2 * 16 + i / 4, plane = i % 4 / 2 * 64;
        near[k][i] = static_cast<uint8_t>(plane + column + (i % 2 == 0 ? 1 : 2 * odd));
        luma[k][i] = static_cast<uint8_t>(2 * column + odd);
      }
      high_word[i] = static_cast<uint8_t>(i % 16 / 4 * 4 + 2 + i % 2);
    }
    for (size_t i = 0; i < 192; ++i) {
      const size_t pixel = i / 3, at = i % 64;
      const bool is_green = i % 3 == 1;
      const uint8_t place = is_green ? green(pixel) : blue_red(pixel, i % 3 == 0);
      if (i < 64) first[at] = place;
      if (i >= 128) last[at] = place;
      if (i < 64 || i >= 128) continue;
      middle[at] = static_cast<uint8_t>(is_green ? 0 : place + (pixel < 32 ? 0 : 64));
      middle_green[at] = static_cast<uint8_t>(is_green ? place : at);
    }
  }
};
inline constexpr Tables kTables;

HWY_INLINE Sums across(const uint8_t* cb, const uint8_t* cr) {
  const __m512i centre = _mm512_set1_epi8(-128), weights = _mm512_set1_epi16(1 << 8 | 3);
  const __m512i b = _mm512_xor_si512(_mm512_loadu_si512(cb - 1), centre);
  const __m512i r = _mm512_xor_si512(_mm512_loadu_si512(cr - 1), centre);
  Sums s;
  for (size_t k = 0; k < 4; ++k) {
    const __m512i near = _mm512_permutex2var_epi8(b, _mm512_load_si512(kTables.near[k]), r);
    s.v[k] = I16{_mm512_maddubs_epi16(weights, near)};
  }
  return s;
}

struct Colours {
  I16 blue_red;
  I32 green;  // in the higher words
};
template <int kSign>
HWY_INLINE Colours colours(I16 sum, __m512i luma) {
  const I16 chroma = mul_round15(sum, set16(kSign * 2048)), twice = add(chroma, chroma);
  const I16 blue_red = mul_round15(twice, (constants<kSign * 29033, kSign * 22971>()));
  const I32 start{_mm512_ternarylogic_epi32(luma, _mm512_set1_epi32(-65536), _mm512_set1_epi32(32768), 0xEA)};
  return {add(I16{luma}, blue_red), dot<kSign * -11277, kSign * -23401>(start, twice)};
}

HWY_INLINE Pixels convert(const uint8_t* luma, const Sums& sums) {
  const __m512i y = _mm512_loadu_si512(luma);
  __m512i blue_red[2], green[2];
  for (size_t half = 0; half < 2; ++half) {
    const auto spread = [&](size_t k) HWY_ATTR {
      return _mm512_maskz_permutexvar_epi8(0x5555555555555555, _mm512_load_si512(kTables.luma[k]), y);
    };
    const Colours even = colours<1>(sums.v[half], spread(half));
    const Colours odd = colours<-1>(sums.v[2 + half], spread(2 + half));
    blue_red[half] = _mm512_packus_epi16(even.blue_red.raw, odd.blue_red.raw);
    green[half] = _mm512_mask_shuffle_epi8(odd.green.raw, 0x3333333333333333, even.green.raw,
                                           _mm512_load_si512(kTables.high_word));
  }
  const __m512i greens = _mm512_packus_epi16(green[0], green[1]);
  const auto merged = [](__m512i a, const uint8_t* table, __m512i b)
                          HWY_ATTR { return U8{_mm512_permutex2var_epi8(a, _mm512_load_si512(table), b)}; };
  const U8 middle = merged(blue_red[0], kTables.middle, blue_red[1]);
  return {{merged(blue_red[0], kTables.first, greens), merged(middle.raw, kTables.middle_green, greens),
           merged(blue_red[1], kTables.last, greens)}};
}
#else
// With -510 for each sample that is 16 * 128 less than the plain sum, and 8 for rounding.
HWY_INLINE Sums across(const uint8_t* cb, const uint8_t* cr) {
  const auto three = [](const uint8_t* p) HWY_ATTR { return sub(mul(widen(p), set16(3)), set16(510)); };
  const I16 b = three(cb), r = three(cr);
  return {{add(b, widen(cb - 1)), add(r, widen(cr - 1)), add(b, widen(cb + 1)), add(r, widen(cr + 1))}};
}

HWY_INLINE Pixels convert(const uint8_t* luma, const Sums& sums) {
  const Chroma y = split(luma);
  const auto even = [](I16 sum) HWY_ATTR { return shift_right<4>(sum); };
  const auto odd = [](I16 sum) HWY_ATTR { return shift_right<4>(add(sum, set16(-1))); };
  return interleaved(to_rgb(y.even, even(sums.v[0]), even(sums.v[1])),
                     to_rgb(y.odd, odd(sums.v[2]), odd(sums.v[3])));
}
#endif

// Output rows that share their near row: both of a pair, or one.
template <int kRows>
struct Mix {
  const int16_t* near;
  const int16_t* far[kRows];
  const uint8_t* luma[kRows];
  uint8_t* out[kRows];
};

template <int kRows, bool kStream>
HWY_NOINLINE void convert_rows(const Mix<kRows>& rows, size_t pixels) {
  const Mix<kRows> m = rows;
  for (size_t x = 0; x < pixels; x += kBytes) {
    const size_t at = 4 * x / kBytes * kWords;
    Sums near = load_sums(m.near + at);
    for (I16& v : near.v) v = mul(v, set16(3));
    const auto row = [&](int i) HWY_ATTR {
      put<kStream>(convert(m.luma[i] + x, plus(near, load_sums(m.far[i] + at))), pixels - x,
                   m.out[i] + 3 * x);
    };
    row(0);
    if constexpr (kRows == 2) row(1);
  }
}

// The pixels [x, x1) of rows; x is even, x1 - x <= kPiece.
class Strip {
 public:
  Strip(size_t x, size_t x1, bool stream) : x_(x), pixels_(x1 - x), stream_(stream) {}

  // Chroma row r, which replaces row r - 3.
  void filter(int64_t r, const uint8_t* cb, const uint8_t* cr) {
    int16_t* out = sums(r);
    for (size_t c = x_ / 2, end = (x_ + pixels_ + 1) / 2; c < end; c += kWords, out += kSums) {
      const Sums s = across(cb + c, cr + c);
      for (size_t i = 0; i < 4; ++i) store16(s.v[i], out + i * kWords);
    }
  }
  // `luma`: rows' column 0. `out`: pixel `skip` (0 or 1) of the strip; pixels before it are not written.
  template <int kRows>
  void write(int64_t r, const int64_t (&far)[kRows], const uint8_t* const (&luma)[kRows],
             uint8_t* const (&out)[kRows], size_t skip) {
    Mix<kRows> mix{sums(r), {}, {}, {}};
    bool lines = true;
    for (int i = 0; i < kRows; ++i) {
      mix.far[i] = sums(far[i]);
      mix.luma[i] = luma[i] + x_;
      mix.out[i] = out[i];
      lines = lines && is_lines(pixels_, out[i]);
    }
    if (skip == 0 && !stream_) return convert_rows<kRows, false>(mix, pixels_);
    if (skip == 0 && lines) return convert_rows<kRows, true>(mix, pixels_);
    for (int i = 0; i < kRows; ++i) mix.out[i] = pixels_made_[i];
    convert_rows<kRows, false>(mix, whole_vectors(pixels_));
    const size_t bytes = 3 * (pixels_ - skip);
    for (int i = 0; i < kRows; ++i) {
      const uint8_t* const from = pixels_made_[i] + 3 * skip;
      if (stream_)
        stream_bytes(from, bytes, out[i]);
      else
        std::memcpy(out[i], from, bytes);
    }
  }

 private:
  int16_t* sums(int64_t r) { return sums_[(r + 3) % 3]; }

  size_t x_, pixels_;
  bool stream_;
  // Rows of sums begin in different sets of the cache.
  alignas(64) int16_t sums_[3][kPiece / kBytes * kSums + 32];
  alignas(64) uint8_t pixels_made_[2][3 * kPiece];
};

}  // namespace halved

/// Output rows y0…y1 - 1, pixels x0…x1 - 1, of YCbCr 4:2:0 as RGB.
///
/// `rows` gives pointers: luma(y) and chroma(c, r) to column 0 of rows of planes, as upsample.h says, c = 1
/// Cb, 2 Cr, r from -1 to the plane's height, where the nearest row is given; out(y) to pixel x0 of an output
/// row, which gets 3 * (x1 - x0) bytes.
template <class Rows>
HWY_NOINLINE void write_ycc_pairs(const Rows& rows, int64_t y0, int64_t y1, size_t x0, size_t x1,
                                  bool stream) {
  for (size_t x = x0 / 2 * 2; x < x1; x += kPiece) {
    const size_t first = HWY_MAX(x, x0), skip = first - x;
    halved::Strip strip(x, HWY_MIN(x + kPiece, x1), stream);
    const auto filter = [&](int64_t r) { strip.filter(r, rows.chroma(1, r), rows.chroma(2, r)); };
    const auto out = [&](int64_t y) { return rows.out(y) + 3 * (first - x0); };
    if (y0 % 2 == 0) filter(y0 / 2 - 1);
    filter(y0 / 2);
    for (int64_t r = y0 / 2; 2 * r < y1; ++r) {
      const int64_t upper = 2 * r, lower = upper + 1;
      if (lower < y1) filter(r + 1);
      if (upper < y0) {
        strip.write<1>(r, {r + 1}, {rows.luma(lower)}, {out(lower)}, skip);
      } else if (lower == y1) {
        strip.write<1>(r, {r - 1}, {rows.luma(upper)}, {out(upper)}, skip);
      } else {
        strip.write<2>(r, {r - 1, r + 1}, {rows.luma(upper), rows.luma(lower)}, {out(upper), out(lower)},
                       skip);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
