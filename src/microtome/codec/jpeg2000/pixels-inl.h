// Rows of bytes, one per component, to rows of pixels.
//
// Included by tile-inl.h and compiled once per instruction set. YCbCr is converted by the formula of
// simd::ycc_to_rgb (Note [YCbCr in integers] in simd/kernels.cc), which the library's planes go through.
#if defined(MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_
#undef MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_PIXELS_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "microtome/codec/jpeg2000/lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

constexpr hn::ScalableTag<uint8_t> kU8;

/// Each of `count` bytes twice. `to` has room for a vector more.
inline void double_bytes(const uint8_t* from, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; i += hn::Lanes(kU8)) {
    const auto bytes = hn::LoadU(kU8, from + i);
    hn::StoreInterleaved2(bytes, bytes, kU8, to + 2 * i);
  }
}

/// Interleaves `n` rows (1 to 4). Rows have room for whole vectors; `to` is written exactly.
inline void interleave_bytes(const uint8_t* const* rows, size_t n, size_t pixels, uint8_t* to) {
  if (n == 1) {
    std::memcpy(to, rows[0], pixels);
    return;
  }
  const size_t lanes = hn::Lanes(kU8);
  // Copied, so that what is stored cannot change them.
  const uint8_t* const from[4] = {rows[0], rows[1], rows[n > 2 ? 2 : 0], rows[n > 3 ? 3 : 0]};
  const auto load = [&](size_t s, size_t x) { return hn::LoadU(kU8, from[s] + x); };
  const auto put = [&](size_t x, uint8_t* at) {
    if (n == 2) {
      hn::StoreInterleaved2(load(0, x), load(1, x), kU8, at);
    } else if (n == 3) {
      hn::StoreInterleaved3(load(0, x), load(1, x), load(2, x), kU8, at);
    } else {
      hn::StoreInterleaved4(load(0, x), load(1, x), load(2, x), load(3, x), kU8, at);
    }
  };
  size_t x = 0;
  for (; x + lanes <= pixels; x += lanes) put(x, to + n * x);
  if (x < pixels) {
    uint8_t rest[4 * hn::MaxLanes(kU8)];
    put(x, rest);
    std::memcpy(to + n * x, rest, n * (pixels - x));
  }
}

// What chroma adds to luma, in 32 bits.
template <class D>
struct ChromaTerms {
  using V = hn::Vec<D>;
  V red, green, blue;

  HWY_INLINE ChromaTerms(D d, const uint8_t* cb_from, const uint8_t* cr_from) {
    constexpr int kShift = 22;
    const hn::Rebind<uint8_t, D> bytes;
    const auto bias = hn::Set(d, (1 << (kShift - 1)) + 64), centre = hn::Set(d, 128);
    const auto cb = hn::Sub(hn::PromoteTo(d, hn::LoadU(bytes, cb_from)), centre);
    const auto cr = hn::Sub(hn::PromoteTo(d, hn::LoadU(bytes, cr_from)), centre);
    const auto rounded = [&](V sum) { return hn::ShiftRight<kShift>(hn::Add(sum, bias)); };
    red = rounded(hn::Mul(cr, hn::Set(d, 5880414)));
    green = rounded(hn::Add(hn::Mul(cb, hn::Set(d, -1443412)), hn::Mul(cr, hn::Set(d, -2995305))));
    blue = rounded(hn::Mul(cb, hn::Set(d, 7432307)));
  }
};

/// A row of Y, Cb and Cr becomes R, G and B, which may be in the place of Cb and Cr or before it.
inline void convert_ycc(const uint8_t* const* from, size_t pixels, uint8_t* const* to) {
  constexpr hn::Rebind<uint8_t, decltype(kInts)> kBytes;
  for (size_t x = 0; x < pixels; x += hn::Lanes(kInts)) {
    const ChromaTerms terms(kInts, from[1] + x, from[2] + x);
    const auto y = hn::PromoteTo(kInts, hn::LoadU(kBytes, from[0] + x));
    hn::StoreU(hn::DemoteTo(kBytes, hn::Add(y, terms.red)), kBytes, to[0] + x);
    hn::StoreU(hn::DemoteTo(kBytes, hn::Add(y, terms.green)), kBytes, to[1] + x);
    hn::StoreU(hn::DemoteTo(kBytes, hn::Add(y, terms.blue)), kBytes, to[2] + x);
  }
}

#if HWY_TARGET != HWY_SCALAR
/// The same where Cb and Cr are of pairs of pixels: their terms are worked out once for both.
inline void convert_ycc_of_pairs(const uint8_t* const* from, size_t pixels, uint8_t* const* to) {
  constexpr hn::CappedTag<int32_t, 8> kTerms;  // so that they are one block of 16 bytes in 16 bits
  constexpr hn::Rebind<int16_t, decltype(kTerms)> kWords;
  constexpr hn::Rebind<uint8_t, decltype(kTerms)> kBytes;
  const size_t n = hn::Lanes(kTerms);
  for (size_t x = 0; x < pixels; x += 2 * n) {
    const ChromaTerms terms(kTerms, from[1] + x / 2, from[2] + x / 2);
    const auto luma = [&](size_t at) { return hn::PromoteTo(kWords, hn::LoadU(kBytes, from[0] + x + at)); };
    const auto first = luma(0), second = luma(n);
    const auto put = [&](hn::Vec<decltype(kTerms)> term, uint8_t* at) {
      const auto words = hn::DemoteTo(kWords, term);
      hn::StoreU(hn::DemoteTo(kBytes, hn::Add(first, hn::InterleaveLower(kWords, words, words))), kBytes, at);
      hn::StoreU(hn::DemoteTo(kBytes, hn::Add(second, hn::InterleaveUpper(kWords, words, words))), kBytes,
                 at + n);
    };
    put(terms.red, to[0] + x);
    put(terms.green, to[1] + x);
    put(terms.blue, to[2] + x);
  }
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
