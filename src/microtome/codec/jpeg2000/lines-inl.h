// Lines of samples across: what the two wavelets do to one row of low and one of high frequencies.
//
// Included by wavelet-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex F.3.8 (9/7, in
// floats) and F.3.8.2 (5/3, in integers).
//
// Note [Floats in the library's order]
// Every float is multiplied and added in the order and with the constants that OpenJPEG uses, without fused
// operations, so that equal inputs give equal bits. Its gain of high frequencies is 2 / K to four places.
//
// Note [Lines with room]
// A line's ends are mirrored into one sample before and behind it, so that no step has an edge; whole vectors
// are read and written past its end, into padding (kPadding of layout.h).
//
// Note [Even and odd beginnings]
// Low frequencies stand at even places (Note [Odd places] in layout.h). From an even place on, the low
// sample i is between the high ones i - 1 and i, and the high one i between the low ones i and i + 1; from an
// odd one on, between i and i + 1, and between i - 1 and i: neighbours are `first` further up or down.
#if defined(MICROTOME_CODEC_JPEG2000_LINES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_LINES_INL_H_
#undef MICROTOME_CODEC_JPEG2000_LINES_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_LINES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// A row of one sub-band or image: samples, or quantised values of `step` each, or nothing but zeros.
template <class Sample, class Value>
struct Line {
  const Sample* samples = nullptr;
  const Value* values = nullptr;
  float step = 1;

  bool zero() const { return samples == nullptr && values == nullptr; }
};

/// Two scratch lines of half a row, each with room before and behind.
template <class Sample>
struct Halves {
  Sample* low;
  Sample* high;
};

constexpr hn::ScalableTag<float> kFloats;
constexpr hn::ScalableTag<int32_t> kInts;
constexpr hn::Rebind<int16_t, decltype(kFloats)> kShorts;

HWY_INLINE hn::Vec<decltype(kInts)> load_ints(const int16_t* values) {
  return hn::PromoteTo(kInts, hn::LoadU(kShorts, values));
}
HWY_INLINE hn::Vec<decltype(kInts)> load_ints(const int32_t* values) {
  return hn::LoadU(kInts, values);
}

/// A row or column of samples: `size` of them, from place `first` on, 0 or 1.
struct Extent {
  size_t size, first;
  size_t lows, highs;
  bool ends_low;

  HWY_INLINE Extent(size_t length, size_t begin)
      : size(length),
        first(begin),
        lows((begin + length + 1) / 2 - begin),
        highs((begin + length) / 2),
        ends_low((begin + length) % 2 == 1) {}
};

/// Mirrors the ends of a half: what stands before its first sample, and behind its last. `kFirst` is the
/// extent's first place.
template <size_t kFirst, class Sample>
HWY_INLINE void mirror_low(Sample* low, const Extent& extent) {
  if (kFirst == 1) low[-1] = low[0];
  if (!extent.ends_low) low[extent.lows] = low[extent.lows - 1];
}
template <size_t kFirst, class Sample>
HWY_INLINE void mirror_high(Sample* high, const Extent& extent) {
  if (kFirst == 0) high[-1] = high[0];
  if (extent.ends_low) high[extent.highs] = high[extent.highs - 1];
}

struct Wavelet97 {
  using Sample = float;
  static constexpr float kLowGain = 1.230174105f, kHighGain = 1.625732422f;
  static constexpr float kAlpha = -1.586134342f, kBeta = -0.052980118f, kGamma = 0.882911075f,
                         kDelta = 0.443506852f;
  static constexpr auto kSamples = kFloats;

  template <class V>
  static HWY_INLINE V lift(V x, V a, V b, float minus_factor) {
    return hn::Add(x, hn::Mul(hn::Add(a, b), hn::Set(kFloats, minus_factor)));
  }

  template <class Value>
  static HWY_INLINE void load(const Line<float, Value>& line, size_t count, float gain, float* to) {
    const auto factor = hn::Set(kFloats, gain), step = hn::Set(kFloats, line.step);
    const size_t n = hn::Lanes(kFloats);
    if (line.zero()) {
      for (size_t i = 0; i < count; i += n) hn::StoreU(hn::Zero(kFloats), kFloats, to + i);
    } else if (line.samples != nullptr) {
      for (size_t i = 0; i < count; i += n) {
        hn::StoreU(hn::Mul(hn::LoadU(kFloats, line.samples + i), factor), kFloats, to + i);
      }
    } else {
      for (size_t i = 0; i < count; i += n) {
        const auto value = hn::Mul(hn::ConvertTo(kFloats, load_ints(line.values + i)), step);
        hn::StoreU(hn::Mul(value, factor), kFloats, to + i);
      }
    }
  }

  /// x[i] += (a[i] + a[i + 1]) * factor.
  static HWY_INLINE void lift_line(float* x, const float* a, size_t count, float factor) {
    for (size_t i = 0; i < count; i += hn::Lanes(kFloats)) {
      const auto pair = [&](size_t at) { return hn::LoadU(kFloats, a + i + at); };
      hn::StoreU(lift(hn::LoadU(kFloats, x + i), pair(0), pair(1), factor), kFloats, x + i);
    }
  }

  /// One row of samples, times `gain`: that of the vertical step behind it. One of a single sample begins at
  /// an even place.
  template <class Value>
  static void row(const Line<float, Value>& low, const Line<float, Value>& high, const Extent& extent,
                  float gain, const Halves<float>& scratch, float* out) {
    if (extent.size == 1) {
      load(low, 1, 1, scratch.low);
      out[0] = scratch.low[0] * gain;
      return;
    }
    extent.first == 0 ? row_from<0>(low, high, extent, gain, scratch, out)
                      : row_from<1>(low, high, extent, gain, scratch, out);
  }

 private:
  template <size_t kFirst, class Value>
  static void row_from(const Line<float, Value>& low, const Line<float, Value>& high, const Extent& extent,
                       float gain, const Halves<float>& scratch, float* out) {
    float* const s = scratch.low;
    float* const d = scratch.high;
    const size_t lows = extent.lows, highs = extent.highs;
    const float* const beside_low = d + kFirst - 1;
    const float* const beside_high = s - kFirst;
    load(low, lows, kLowGain, s);
    const size_t n = hn::Lanes(kFloats);
    if (high.zero()) {
      mirror_low<kFirst>(s, extent);
      const auto factor = hn::Set(kFloats, -kGamma);
      for (size_t i = 0; i < highs; i += n) {
        const auto sum =
            hn::Add(hn::LoadU(kFloats, beside_high + i), hn::LoadU(kFloats, beside_high + i + 1));
        hn::StoreU(hn::Mul(sum, factor), kFloats, d + i);
      }
    } else {
      load(high, highs, kHighGain, d);
      mirror_high<kFirst>(d, extent);
      lift_line(s, beside_low, lows, -kDelta);
      mirror_low<kFirst>(s, extent);
      lift_line(d, beside_high, highs, -kGamma);
    }
    mirror_high<kFirst>(d, extent);
    lift_line(s, beside_low, lows, -kBeta);
    mirror_low<kFirst>(s, extent);
    const auto factor = hn::Set(kFloats, gain);
    for (size_t i = 0; i < (kFirst == 0 ? lows : highs); i += n) {
      const auto even = hn::LoadU(kFloats, s + i), odd = hn::LoadU(kFloats, d + i);
      if (kFirst == 0) {
        const auto odds = lift(odd, even, hn::LoadU(kFloats, s + i + 1), -kAlpha);
        hn::StoreInterleaved2(hn::Mul(even, factor), hn::Mul(odds, factor), kFloats, out + 2 * i);
      } else {
        const auto odds = lift(odd, hn::LoadU(kFloats, beside_high + i), even, -kAlpha);
        hn::StoreInterleaved2(hn::Mul(odds, factor), hn::Mul(even, factor), kFloats, out + 2 * i);
      }
    }
  }
};

struct Wavelet53 {
  using Sample = int32_t;
  static constexpr auto kSamples = kInts;

  template <class V>
  static HWY_INLINE V even(V s, V a, V b) {
    return hn::Sub(s, hn::ShiftRight<2>(hn::Add(hn::Add(a, b), hn::Set(kInts, 2))));
  }
  template <class V>
  static HWY_INLINE V odd(V d, V a, V b) {
    return hn::Add(d, hn::ShiftRight<1>(hn::Add(a, b)));
  }

  template <class Value>
  static void load(const Line<int32_t, Value>& line, size_t count, int32_t* to) {
    for (size_t i = 0; i < count; i += hn::Lanes(kInts)) {
      const auto ints = line.zero()               ? hn::Zero(kInts)
                        : line.samples != nullptr ? hn::LoadU(kInts, line.samples + i)
                                                  : load_ints(line.values + i);
      hn::StoreU(ints, kInts, to + i);
    }
  }

  template <class Value>
  static void row(const Line<int32_t, Value>& low, const Line<int32_t, Value>& high, const Extent& extent,
                  const Halves<int32_t>& scratch, int32_t* out) {
    if (extent.size == 1) {
      load(low, 1, scratch.low);
      out[0] = scratch.low[0];
      return;
    }
    extent.first == 0 ? row_from<0>(low, high, extent, scratch, out)
                      : row_from<1>(low, high, extent, scratch, out);
  }

 private:
  template <size_t kFirst, class Value>
  static void row_from(const Line<int32_t, Value>& low, const Line<int32_t, Value>& high,
                       const Extent& extent, const Halves<int32_t>& scratch, int32_t* out) {
    int32_t* const s = scratch.low;
    int32_t* const d = scratch.high;
    const size_t lows = extent.lows, highs = extent.highs, n = hn::Lanes(kInts);
    load(low, lows, s);
    load(high, highs, d);
    mirror_high<kFirst>(d, extent);
    const int32_t* const beside_low = d + kFirst - 1;
    const int32_t* const beside_high = s - kFirst;
    for (size_t i = 0; i < lows; i += n) {
      const auto before = hn::LoadU(kInts, beside_low + i), behind = hn::LoadU(kInts, beside_low + i + 1);
      hn::StoreU(even(hn::LoadU(kInts, s + i), before, behind), kInts, s + i);
    }
    mirror_low<kFirst>(s, extent);
    for (size_t i = 0; i < (kFirst == 0 ? lows : highs); i += n) {
      const auto evens = hn::LoadU(kInts, s + i);
      const auto odds = odd(hn::LoadU(kInts, d + i), hn::LoadU(kInts, beside_high + i),
                            hn::LoadU(kInts, beside_high + i + 1));
      if (kFirst == 0) {
        hn::StoreInterleaved2(evens, odds, kInts, out + 2 * i);
      } else {
        hn::StoreInterleaved2(odds, evens, kInts, out + 2 * i);
      }
    }
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
