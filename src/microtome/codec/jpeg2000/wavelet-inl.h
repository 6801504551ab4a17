// Rows of a resolution, one pair after the other, from those of the resolution below and three sub-bands.
//
// Included by tile-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex F.3.
//
// Note [Two rows per step]
// Step n takes row n of the lower half (low frequencies down) and of the upper half, both after the transform
// across, and completes the rows at places 2 (n - kLag) and the one before it. What it needs of earlier steps
// are a few rows in the nearest cache; no image of the last resolution exists. Of a window that begins at an
// odd place, the row of place 0 is none: step 0 has no row of the lower half.
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
template <class Sample, class Value>
HWY_INLINE Line<Sample, Value> band_line(const TileJob& job, const Band& band, size_t x, size_t y) {
  if (job.rows[band.first_row + y] == 0) return {};
  const Value* const values = reinterpret_cast<const Value*>(job.values) + band.offset;
  return {nullptr, values + y * band.stride + x, band.step};
}

/// The lines that the window of resolution `r` of a component is made from.
template <class Sample, class Value>
class Sources {
 public:
  using Made = Line<Sample, Value>;

  Sources(const TileJob& job, size_t component, size_t r)
      : job_(job),
        below_(job.layout->resolution(component, r - 1)),
        bands_(&job.layout->bands[job.layout->resolution(component, r).first_band]),
        window_below_(job.windows.of(component, r - 1)),
        low_(job.windows.of_band(component, r, Orientation::ll)),
        high_(job.windows.of_band(component, r, Orientation::hh)),
        low_is_band_(r == 1) {}

  Made low(size_t y) const {
    if (low_is_band_) {
      return band_line<Sample, Value>(job_, job_.layout->bands[below_.first_band], low_.x, low_.y + y);
    }
    // The image below is stored from its window's corner on.
    const size_t row = low_.y + y + below_.begin_y - window_below_.y,
                 column = low_.x + below_.begin_x - window_below_.x;
    return {reinterpret_cast<const Sample*>(job_.samples) + below_.offset + row * below_.stride + column};
  }
  Made hl(size_t y) const { return band_line<Sample, Value>(job_, bands_[0], high_.x, low_.y + y); }
  Made lh(size_t y) const { return band_line<Sample, Value>(job_, bands_[1], low_.x, high_.y + y); }
  Made hh(size_t y) const { return band_line<Sample, Value>(job_, bands_[2], high_.x, high_.y + y); }

 private:
  const TileJob& job_;
  const Resolution& below_;
  const Band* bands_;  // unowned: the layout's HL, LH, HH
  const Window& window_below_;
  Window low_, high_;  // in samples of the image below, from its first one on, and of the sub-bands
  bool low_is_band_;
};

inline Extent columns_of(const Window& window) {
  return {window.w, window.x % 2};
}
inline Extent rows_of(const Window& window) {
  return {window.h, window.y % 2};
}

/// Makes the rows of one resolution's window. `lines` is kLines rows of scratch, `stride` apart.
template <class Value>
class Rows97 {
 public:
  using Sample = float;
  static constexpr size_t kLag = 1, kLines = 6;

  /// A row that is not transformed.
  static void load(const Line<float, Value>& line, size_t w, float* to) { Wavelet97::load(line, w, 1, to); }

  Rows97(const TileJob& job, size_t component, size_t r, float* lines, size_t stride,
         const Halves<float>& halves)
      : sources_(job, component, r),
        halves_(halves),
        across_(columns_of(job.windows.of(component, r))),
        down_(rows_of(job.windows.of(component, r))),
        w_(across_.size),
        first_(down_.first),
        end_lows_(down_.lows + first_),
        highs_(down_.highs) {
    float** const all[kLines] = {&low_now_, &high_now_.row, &high_.row, &low1_, &high1_, &spare_};
    for (size_t i = 0; i < kLines; ++i) *all[i] = lines + i * stride;
  }

  void step(size_t n, float* even, float* odd) {
    if (down_.size == 1) {
      if (n == kLag) Wavelet97::row(sources_.low(0), sources_.hl(0), across_, 1, halves_, even);
      return;
    }
    if (has_low(n)) {
      Wavelet97::row(sources_.low(n - first_), sources_.hl(n - first_), across_, Wavelet97::kLowGain, halves_,
                     low_now_);
    }
    if (n < highs_) {
      const auto lh = sources_.lh(n), hh = sources_.hh(n);
      high_now_.zero = lh.zero() && hh.zero();
      high_now_.written = !high_now_.zero;
      if (!high_now_.zero) Wavelet97::row(lh, hh, across_, Wavelet97::kHighGain, halves_, high_now_.row);
    }
    const bool inside = n >= 2 + first_ && n < highs_;
    if (inside && high_.zero && high_now_.zero) return inner<true>(even, odd);
    write_zeros(high_);
    write_zeros(high_now_);
    inside ? inner<false>(even, odd) : edge(n, even, odd);
  }

 private:
  // A row of high frequencies down. One of zeros is not written unless the next step needs it.
  struct High {
    float* row = nullptr;
    bool zero = false, written = true;
  };
  void write_zeros(High& high) const {
    if (!high.written) Wavelet97::load(Line<float, Value>{}, w_, 1, high.row);
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

  bool has_low(size_t n) const { return n >= first_ && n < end_lows_; }

  // Near the first and the last row, with rows mirrored that are not there: the one before the first is the
  // first of its kind, the one behind the last is the last.
  void edge(size_t n, float* even, float* odd) {
    const float* const high = n < highs_ ? high_now_.row : high_.row;
    const float* low1 = low1_;
    if (has_low(n)) {
      lift(low_now_, n > 0 ? high_.row : high, high, -Wavelet97::kDelta, low_now_);
      low1 = low_now_;
    }
    const float* high1 = high1_;
    if (n >= 1 && n - 1 < highs_) {
      lift(high_.row, n > first_ ? low1_ : low1, low1, -Wavelet97::kGamma, spare_);
      high1 = spare_;
    }
    const float* row = even_;
    if (n >= 1 + first_ && n <= end_lows_) {
      lift(low1_, n >= 2 ? high1_ : high1, high1, -Wavelet97::kBeta, even);
      row = even;
    }
    if (n >= 2 && n - 2 < highs_) lift(high1_, n > 1 + first_ ? even_ : row, row, -Wavelet97::kAlpha, odd);
    even_ = row;
    if (n < highs_) std::swap(high_, high_now_);
    if (has_low(n)) std::swap(low1_, low_now_);
    if (high1 == spare_) std::swap(high1_, spare_);
  }

  Sources<float, Value> sources_;
  Halves<float> halves_;
  Extent across_, down_;
  size_t w_, first_;          // columns; the place of the first row
  size_t end_lows_, highs_;   // the steps that have a row of the lower and of the upper half end here
  float* low_now_ = nullptr;  // of this step
  High high_now_;
  High high_;  // of the step before
  float *low1_ = nullptr, *high1_ = nullptr;
  float* spare_ = nullptr;
  const float* even_ = nullptr;  // the last even row, where it was written to
};

template <class Value>
class Rows53 {
 public:
  using Sample = int32_t;
  static constexpr size_t kLag = 0, kLines = 3;

  static void load(const Line<int32_t, Value>& line, size_t w, int32_t* to) { Wavelet53::load(line, w, to); }

  Rows53(const TileJob& job, size_t component, size_t r, int32_t* lines, size_t stride,
         const Halves<int32_t>& halves)
      : sources_(job, component, r),
        halves_(halves),
        across_(columns_of(job.windows.of(component, r))),
        down_(rows_of(job.windows.of(component, r))),
        low_now_(lines),
        high_now_(lines + stride),
        high_(lines + 2 * stride) {}

  void step(size_t n, int32_t* even, int32_t* odd) {
    if (down_.size == 1) {
      if (n == kLag) Wavelet53::row(sources_.low(0), sources_.hl(0), across_, halves_, even);
      return;
    }
    const size_t w = across_.size, first = down_.first, highs = down_.highs;
    const int32_t* row = even_;
    if (n < highs) Wavelet53::row(sources_.lh(n), sources_.hh(n), across_, halves_, high_now_);
    const int32_t* const high = n < highs ? high_now_ : high_;
    if (n >= first && n < first + down_.lows) {
      Wavelet53::row(sources_.low(n - first), sources_.hl(n - first), across_, halves_, low_now_);
      const int32_t* const before = n > 0 ? high_ : high;
      for (size_t x = 0; x < w; x += hn::Lanes(kInts)) {
        hn::Store(Wavelet53::even(load(low_now_, x), load(before, x), load(high, x)), kInts, even + x);
      }
      row = even;
    }
    if (n >= 1 && n - 1 < highs) {
      const int32_t* const above = n > first ? even_ : row;
      for (size_t x = 0; x < w; x += hn::Lanes(kInts)) {
        hn::Store(Wavelet53::odd(load(high_, x), load(above, x), load(row, x)), kInts, odd + x);
      }
    }
    even_ = row;
    if (n < highs) std::swap(high_, high_now_);
  }

 private:
  static HWY_INLINE hn::Vec<decltype(kInts)> load(const int32_t* row, size_t x) {
    return hn::Load(kInts, row + x);
  }

  Sources<int32_t, Value> sources_;
  Halves<int32_t> halves_;
  Extent across_, down_;
  int32_t *low_now_, *high_now_, *high_;
  const int32_t* even_ = nullptr;
};

/// The rows of a window that step `n` completes; -1 for none.
struct StepRows {
  int64_t even, odd;
};
template <class Rows>
StepRows rows_after(size_t n, const Extent& down) {
  const auto even =
      2 * (static_cast<int64_t>(n) - static_cast<int64_t>(Rows::kLag)) - static_cast<int64_t>(down.first);
  const auto h = static_cast<int64_t>(down.size);
  return {even >= 0 && even < h ? even : -1, even >= 1 && even - 1 < h ? even - 1 : -1};
}
template <class Rows>
size_t step_count(const Extent& down) {
  return (down.first + down.size + 1) / 2 + Rows::kLag + 1;
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
