// Rows of a resolution, one pair after the other, from those of the resolution below and three sub-bands.
//
// Included by tile-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex F.3.
//
// Note [Two rows per step]
// Step n takes row n of the lower half (low frequencies down) and of the upper half, both after the transform
// across, and completes rows 2 (n - kLag) and the one before it. What it needs of earlier steps are a few
// rows in the nearest cache; no image of the last resolution exists.
#if defined(MICROTOME_CODEC_JPEG2000_WAVELET_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_WAVELET_INL_H_
#undef MICROTOME_CODEC_JPEG2000_WAVELET_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_WAVELET_INL_H_
#endif

#include <utility>

#include "microtome/codec/jpeg2000/lines-inl.h"
#include "microtome/codec/jpeg2000/tile_job.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

/// Row y of a sub-band, from column x on.
template <class Sample>
Line<Sample> band_line(const TileJob& job, const Band& band, size_t x, size_t y) {
  if (job.rows[band.first_row + y] == 0) return {};
  return {nullptr, job.values + band.offset + y * band.stride + x, band.step};
}

/// The lines that the window of resolution `r` of a component is made from.
template <class Sample>
class Sources {
 public:
  Sources(const TileJob& job, size_t component, size_t r)
      : job_(job),
        below_(job.layout->resolution(component, r - 1)),
        bands_(&job.layout->bands[job.layout->resolution(component, r).first_band]),
        window_below_(job.windows.of(component, r - 1)),
        x_(job.windows.of(component, r).x / 2),
        y_(job.windows.of(component, r).y / 2),
        low_is_band_(r == 1) {}

  Line<Sample> low(size_t y) const {
    if (low_is_band_) return band_line<Sample>(job_, job_.layout->bands[below_.first_band], x_, y_ + y);
    // The image below is stored from its window's corner on.
    const size_t row = y_ + y - window_below_.y, column = x_ - window_below_.x;
    return {reinterpret_cast<const Sample*>(job_.samples) + below_.offset + row * below_.stride + column};
  }
  Line<Sample> hl(size_t y) const { return band_line<Sample>(job_, bands_[0], x_, y_ + y); }
  Line<Sample> lh(size_t y) const { return band_line<Sample>(job_, bands_[1], x_, y_ + y); }
  Line<Sample> hh(size_t y) const { return band_line<Sample>(job_, bands_[2], x_, y_ + y); }

 private:
  const TileJob& job_;
  const Resolution& below_;
  const Band* bands_;  // unowned: the layout's HL, LH, HH
  const Window& window_below_;
  size_t x_, y_;  // where the window's half begins in the image below and the sub-bands
  bool low_is_band_;
};

/// Makes the rows of one resolution's window. `lines` is kLines rows of scratch, `stride` apart.
class Rows97 {
 public:
  using Sample = float;
  static constexpr size_t kLag = 1, kLines = 6;

  /// A row that is not transformed.
  static void load(const Line<float>& line, size_t w, float* to) { Wavelet97::load(line, w, 1, to); }

  Rows97(const TileJob& job, size_t component, size_t r, float* lines, size_t stride,
         const Halves<float>& halves)
      : sources_(job, component, r), halves_(halves) {
    const Window& window = job.windows.of(component, r);
    w_ = window.w;
    h_ = window.h;
    float** const all[kLines] = {&low_now_, &high_now_.row, &high_.row, &low1_, &high1_, &spare_};
    for (size_t i = 0; i < kLines; ++i) *all[i] = lines + i * stride;
  }

  void step(size_t n, float* even, float* odd) {
    if (h_ == 1) {
      if (n == kLag) Wavelet97::row(sources_.low(0), sources_.hl(0), w_, 1, halves_, even);
      return;
    }
    const size_t lows = (h_ + 1) / 2, highs = h_ / 2;
    if (n < lows) {
      Wavelet97::row(sources_.low(n), sources_.hl(n), w_, Wavelet97::kLowGain, halves_, low_now_);
    }
    if (n < highs) {
      const Line<float> lh = sources_.lh(n), hh = sources_.hh(n);
      high_now_.zero = lh.zero() && hh.zero();
      high_now_.written = !high_now_.zero;
      if (!high_now_.zero) Wavelet97::row(lh, hh, w_, Wavelet97::kHighGain, halves_, high_now_.row);
    }
    const bool inside = n >= 2 && n < highs;
    if (inside && high_.zero && high_now_.zero) return inner<true>(even, odd);
    write_zeros(high_);
    write_zeros(high_now_);
    inside ? inner<false>(even, odd) : edge(n, lows, highs, even, odd);
  }

 private:
  // A row of high frequencies down. One of zeros is not written unless the next step needs it.
  struct High {
    float* row = nullptr;
    bool zero = false, written = true;
  };
  void write_zeros(High& high) const {
    if (!high.written) Wavelet97::load({}, w_, 1, high.row);
    high.written = true;
  }

  // In the middle: all rows around are there. The rows' names: low_, high_ from the transform across; low1_,
  // high1_ after the first pair of lifting steps; even rows after the second.
  template <bool kNothingHigh>
  HWY_INLINE void inner(float* HWY_RESTRICT even, float* HWY_RESTRICT odd) {
    const auto load = [](const float* row, size_t x) { return hn::Load(kFloats, row + x); };
    for (size_t x = 0; x < w_; x += hn::Lanes(kFloats)) {
      const auto low1_before = load(low1_, x), high1_before = load(high1_, x);
      auto low1 = load(low_now_, x), high1 = hn::Zero(kFloats);
      if (kNothingHigh) {
        high1 = hn::Mul(hn::Add(low1_before, low1), hn::Set(kFloats, -Wavelet97::kGamma));
      } else {
        const auto high_before = load(high_.row, x);
        low1 = Wavelet97::lift(low1, high_before, load(high_now_.row, x), -Wavelet97::kDelta);
        high1 = Wavelet97::lift(high_before, low1_before, low1, -Wavelet97::kGamma);
      }
      const auto even2 = Wavelet97::lift(low1_before, high1_before, high1, -Wavelet97::kBeta);
      const auto odd2 = Wavelet97::lift(high1_before, load(even_, x), even2, -Wavelet97::kAlpha);
      hn::Store(low1, kFloats, low1_ + x);
      hn::Store(high1, kFloats, high1_ + x);
      hn::Store(even2, kFloats, even + x);
      hn::Store(odd2, kFloats, odd + x);
    }
    even_ = even;
    std::swap(high_, high_now_);
  }

  // x + (a + b) * factor, for a row.
  void lift(const float* x, const float* a, const float* b, float factor, float* to) const {
    for (size_t i = 0; i < w_; i += hn::Lanes(kFloats)) {
      hn::Store(Wavelet97::lift(hn::Load(kFloats, x + i), hn::Load(kFloats, a + i), hn::Load(kFloats, b + i),
                                factor),
                kFloats, to + i);
    }
  }

  // Near the first and the last row, with rows mirrored that are not there: the one before the first is the
  // first of its kind, the one behind the last is the last.
  void edge(size_t n, size_t lows, size_t highs, float* even, float* odd) {
    const float* const high = n < highs ? high_now_.row : high_.row;
    const float* low1 = low1_;
    if (n < lows) {
      lift(low_now_, n > 0 ? high_.row : high, high, -Wavelet97::kDelta, low_now_);
      low1 = low_now_;
    }
    const float* high1 = high1_;
    if (n >= 1 && n - 1 < highs) {
      lift(high_.row, low1_, low1, -Wavelet97::kGamma, spare_);
      high1 = spare_;
    }
    const float* row = even_;
    if (n >= 1 && n <= lows) {
      lift(low1_, n >= 2 ? high1_ : high1, high1, -Wavelet97::kBeta, even);
      row = even;
    }
    if (n >= 2 && n - 2 < highs) lift(high1_, even_, row, -Wavelet97::kAlpha, odd);
    even_ = row;
    if (n < highs) std::swap(high_, high_now_);
    if (n < lows) std::swap(low1_, low_now_);
    if (high1 == spare_) std::swap(high1_, spare_);
  }

  Sources<float> sources_;
  Halves<float> halves_;
  size_t w_ = 0, h_ = 0;
  float* low_now_;  // of this step
  High high_now_;
  High high_;  // of the step before
  float *low1_, *high1_;
  float* spare_;
  const float* even_ = nullptr;  // the last even row, where it was written to
};

class Rows53 {
 public:
  using Sample = int32_t;
  static constexpr size_t kLag = 0, kLines = 3;

  static void load(const Line<int32_t>& line, size_t w, int32_t* to) { Wavelet53::load(line, w, to); }

  Rows53(const TileJob& job, size_t component, size_t r, int32_t* lines, size_t stride,
         const Halves<int32_t>& halves)
      : sources_(job, component, r),
        halves_(halves),
        w_(job.windows.of(component, r).w),
        h_(job.windows.of(component, r).h),
        low_now_(lines),
        high_now_(lines + stride),
        high_(lines + 2 * stride) {}

  void step(size_t n, int32_t* even, int32_t* odd) {
    if (h_ == 1) {
      if (n == kLag) Wavelet53::row(sources_.low(0), sources_.hl(0), w_, halves_, even);
      return;
    }
    const size_t lows = (h_ + 1) / 2, highs = h_ / 2;
    const int32_t* row = even_;
    if (n < highs) Wavelet53::row(sources_.lh(n), sources_.hh(n), w_, halves_, high_now_);
    const int32_t* const high = n < highs ? high_now_ : high_;
    if (n < lows) {
      Wavelet53::row(sources_.low(n), sources_.hl(n), w_, halves_, low_now_);
      const int32_t* const before = n > 0 ? high_ : high;
      for (size_t x = 0; x < w_; x += hn::Lanes(kInts)) {
        hn::Store(Wavelet53::even(load(low_now_, x), load(before, x), load(high, x)), kInts, even + x);
      }
      row = even;
    }
    if (n >= 1 && n - 1 < highs) {
      for (size_t x = 0; x < w_; x += hn::Lanes(kInts)) {
        hn::Store(Wavelet53::odd(load(high_, x), load(even_, x), load(row, x)), kInts, odd + x);
      }
    }
    even_ = row;
    if (n < highs) std::swap(high_, high_now_);
  }

 private:
  static HWY_INLINE hn::Vec<decltype(kInts)> load(const int32_t* row, size_t x) {
    return hn::Load(kInts, row + x);
  }

  Sources<int32_t> sources_;
  Halves<int32_t> halves_;
  size_t w_ = 0, h_ = 0;
  int32_t *low_now_, *high_now_, *high_;
  const int32_t* even_ = nullptr;
};

/// The rows that step `n` of a window `h` rows high completes; -1 for none.
struct StepRows {
  int64_t even, odd;
};
template <class Rows>
StepRows rows_after(size_t n, size_t h) {
  const auto even = 2 * (static_cast<int64_t>(n) - static_cast<int64_t>(Rows::kLag));
  const bool has_even = even >= 0 && even < static_cast<int64_t>(h);
  const bool has_odd = even >= 1 && even - 1 < static_cast<int64_t>(h);
  return {has_even ? even : -1, has_odd ? even - 1 : -1};
}
template <class Rows>
size_t step_count(size_t h) {
  return (h + 1) / 2 + Rows::kLag + 1;
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
