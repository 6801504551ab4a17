// Rows of the last resolution, one after the other, to rows of samples of the picture.
//
// Included by tile-inl.h and compiled once per instruction set.
#if defined(MICROTOME_CODEC_JPEG2000_FINISHER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_FINISHER_INL_H_
#undef MICROTOME_CODEC_JPEG2000_FINISHER_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_FINISHER_INL_H_
#endif

#include <optional>
#include <utility>

#include "microtome/codec/jpeg2000/samples-inl.h"
#include "microtome/codec/jpeg2000/tile_job.h"
#include "microtome/codec/jpeg2000/wavelet-inl.h"
#include "microtome/codec/jpeg2000/widths.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

// Line `i` of a component's scratch, and the two halves of a line, which all share.
template <class Sample>
Sample* scratch_line(const TileJob& job, size_t component, size_t i) {
  return reinterpret_cast<Sample*>(job.lines) + (component * kLinesEach + i) * job.line_stride;
}
template <class Sample>
Halves<Sample> scratch_halves(const TileJob& job) {
  Sample* const behind = scratch_line<Sample>(job, kMaxComponents, 0);
  return {behind + kPadding, behind + job.line_stride + kPadding};
}

/// Row y of a component's window, in the ring that holds the last few of them.
template <class Pixel>
Pixel* ring_row(const TileJob& job, size_t component, size_t y) {
  const ComponentLayout& c = job.layout->components[component];
  return reinterpret_cast<Pixel*>(job.rings) + c.ring + y % kRingRows * c.ring_stride;
}

/// Of one component, or of three with a colour transform over them. `Width`: Narrow or Wide; `Rows`: one of
/// the wavelets.
template <class Width, class Rows, size_t kCount>
class Finisher {
 public:
  using Sample = typename Rows::Sample;
  using Pixel = typename Width::Pixel;

  Finisher(const TileJob& job, size_t first)
      : job_(job),
        first_(first),
        top_(job.windows.top(first)),
        window_(job.windows.of(first, top_)),
        down_(rows_of(window_)) {
    for (size_t i = 0; i < kCount; ++i) {
      const ComponentCoding& coding = job.layout->coding.component[first + i];
      to_pixels_[i] = ToPixels<Pixel>(coding.bits, coding.is_signed);
    }
    if (top_ == 0) return;
    for (size_t i = 0; i < kCount; ++i) {
      rows_[i].emplace(job, first + i, top_, scratch_line<Sample>(job, first + i, 0), job.line_stride,
                       scratch_halves<Sample>(job));
    }
  }

  /// Makes rows until row `y` is there. One or two more may be; those before y - 1 are gone.
  void make(size_t y) {
    while (ready_ <= y) top_ == 0 ? next_plain_row() : next_step();
  }

 private:
  void next_plain_row() {
    for (size_t i = 0; i < kCount; ++i) {
      const Resolution& only = job_.layout->resolution(first_ + i, 0);
      const auto source = band_line<Sample, typename Width::Value>(job_, job_.layout->bands[only.first_band],
                                                                   window_.x, window_.y + ready_);
      made_[i] = scratch_line<Sample>(job_, first_ + i, 0);
      Rows::load(source, window_.w, made_[i]);
    }
    finish(ready_++);
  }

  void next_step() {
    // Two pairs of rows in turn: the next step needs the even one of this.
    const size_t pair = Rows::kLines + 2 * (step_ % 2);
    const auto made = [&](size_t i, size_t which) {
      return scratch_line<Sample>(job_, first_ + i, pair + which);
    };
    for (size_t i = 0; i < kCount; ++i) rows_[i]->step(step_, made(i, 0), made(i, 1));
    const StepRows done = rows_after<Rows>(step_++, down_);
    for (const auto& [y, which] : {std::pair{done.odd, size_t{1}}, std::pair{done.even, size_t{0}}}) {
      if (y < 0) continue;
      for (size_t i = 0; i < kCount; ++i) made_[i] = made(i, which);
      finish(static_cast<size_t>(y));
      ready_ = static_cast<size_t>(y) + 1;
    }
  }

  void finish(size_t y) {
    const size_t w = window_.w;
    if constexpr (kCount == 3) {
      Pixel* const to[3] = {ring_row<Pixel>(job_, first_, y), ring_row<Pixel>(job_, first_ + 1, y),
                            ring_row<Pixel>(job_, first_ + 2, y)};
      untransform_rows(made_, w, to_pixels_, to);
    } else {
      finish_row(made_[0], w, to_pixels_[0], ring_row<Pixel>(job_, first_, y));
    }
  }

  const TileJob& job_;
  size_t first_, top_;
  const Window& window_;
  Extent down_;
  std::optional<Rows> rows_[kCount];
  ToPixels<Pixel> to_pixels_[kCount];
  Sample* made_[kCount] = {};
  size_t step_ = 0, ready_ = 0;
};

/// All components' finishers: each as it is coded.
template <class Width>
class Finishers {
 public:
  using Value = typename Width::Value;

  explicit Finishers(const TileJob& job) : count_(job.layout->components.size()) {
    const Coding& coding = job.layout->coding;
    if (coding.colour_transform) {
      if (coding.component[0].reversible) {
        three53_.emplace(job, 0);
      } else {
        three97_.emplace(job, 0);
      }
      first_ = 3;
    }
    for (size_t c = first_; c < count_; ++c) {
      if (coding.component[c].reversible) {
        single53_[c].emplace(job, c);
      } else {
        single97_[c].emplace(job, c);
      }
    }
  }

  /// Makes the rows that row `y` of the picture takes.
  void make(const Windows& windows, int64_t y) {
    if (three53_) three53_->make(windows.row_of(0, y));
    if (three97_) three97_->make(windows.row_of(0, y));
    for (size_t c = first_; c < count_; ++c) {
      single53_[c] ? single53_[c]->make(windows.row_of(c, y)) : single97_[c]->make(windows.row_of(c, y));
    }
  }

 private:
  size_t count_, first_ = 0;
  std::optional<Finisher<Width, Rows53<Value>, 3>> three53_;
  std::optional<Finisher<Width, Rows97<Value>, 3>> three97_;
  std::optional<Finisher<Width, Rows53<Value>, 1>> single53_[kMaxComponents];
  std::optional<Finisher<Width, Rows97<Value>, 1>> single97_[kMaxComponents];
};

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
