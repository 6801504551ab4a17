// One tile: code-blocks to quantised values, then row after row through the last resolution to pixels.
//
// Included by tile.cc and compiled once per instruction set.
//
// Note [Rows of zeros]
// Most values of most tiles are 0. Their memory is all zeros whenever a tile begins: code-blocks write what
// is not, and mark its rows; rows without a mark are not read, nor transformed where their neighbours have
// none either. Behind the tile the marked rows are made zeros again.
#if defined(MICROTOME_CODEC_JPEG2000_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_TILE_INL_H_
#undef MICROTOME_CODEC_JPEG2000_TILE_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_TILE_INL_H_
#endif

#include <cstring>
#include <optional>
#include <utility>

#include "microtome/codec/jpeg2000/block-inl.h"
#include "microtome/codec/jpeg2000/flat-inl.h"
#include "microtome/codec/jpeg2000/pixels-inl.h"
#include "microtome/codec/jpeg2000/samples-inl.h"
#include "microtome/codec/jpeg2000/tile_job.h"
#include "microtome/codec/jpeg2000/wavelet-inl.h"

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

/// Row y of a component's window as bytes, in the ring that holds the last few of them.
inline uint8_t* byte_row(const TileJob& job, size_t component, size_t y) {
  const ComponentLayout& c = job.layout->components[component];
  return job.rings + c.ring + y % kRingRows * c.ring_stride;
}

/// Makes the rows of the last resolution's window, of one component or of three with a colour transform over
/// them, and turns them into bytes.
template <class Rows, size_t kCount>
class Finisher {
 public:
  using Sample = typename Rows::Sample;

  Finisher(const TileJob& job, size_t first)
      : job_(job), first_(first), top_(job.windows.top()), window_(job.windows.of(first, top_)) {
    for (size_t i = 0; i < kCount; ++i) to_bytes_[i].emplace(job.layout->coding.component[first + i].bits);
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
      const auto source =
          band_line<Sample>(job_, job_.layout->bands[only.first_band], window_.x, window_.y + ready_);
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
    const StepRows done = rows_after<Rows>(step_++, window_.h);
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
      const ToBytes to_bytes[3] = {*to_bytes_[0], *to_bytes_[1], *to_bytes_[2]};
      uint8_t* const to[3] = {byte_row(job_, first_, y), byte_row(job_, first_ + 1, y),
                              byte_row(job_, first_ + 2, y)};
      untransform_to_bytes(made_, w, to_bytes, to);
    } else {
      samples_to_bytes(made_[0], w, *to_bytes_[0], byte_row(job_, first_, y));
    }
  }

  const TileJob& job_;
  size_t first_, top_;
  const Window& window_;
  std::optional<Rows> rows_[kCount];
  std::optional<ToBytes> to_bytes_[kCount];
  Sample* made_[kCount] = {};
  size_t step_ = 0, ready_ = 0;
};

inline bool overlap(const Window& a, const Block& b) {
  return b.x < a.x + a.w && a.x < uint32_t{b.x} + b.w && b.y < a.y + a.h && a.y < uint32_t{b.y} + b.h;
}

class TileRun {
 public:
  explicit TileRun(const TileJob& job) : job_(job), layout_(*job.layout), coding_(job.layout->coding) {}

  void run() {
    for (size_t c = 0; c < layout_.components.size(); ++c) {
      for (size_t r = 0; r <= job_.windows.top(); ++r) decode_bands(c, r);
    }
    const auto pixel = only_lowest(job_) ? flat_pixel(job_) : std::nullopt;
    if (pixel) {
      fill_parts(job_, *pixel);
      return clear_values();
    }
    coding_.reversible ? make_pixels<Rows53>() : make_pixels<Rows97>();
    clear_values();
  }

 private:
  void decode_bands(size_t component, size_t r);
  void decode_block(const Band& band, const Block& block, const BlockData& data);

  void clear_values();

  template <class Rows>
  void make_image(size_t component, size_t r);
  template <class Rows>
  void make_pixels();
  /// The row of a component's window that the picture's row `y` takes.
  size_t window_row(size_t component, int64_t y) const {
    return static_cast<size_t>(y) / coding_.component[component].dy -
           job_.windows.of(component, job_.windows.top()).y;
  }
  void write_row(int64_t y);
  void write_pixels(const uint8_t* const* rows, int64_t y);

  const TileJob& job_;
  const Layout& layout_;
  const Coding& coding_;
};

inline void TileRun::decode_block(const Band& band, const Block& block, const BlockData& data) {
  const unsigned planes = band.planes - data.zero_planes;
  const BlockJob job{job_.packets->segments_of(data, coding_.style),
                     block.w,
                     block.h,
                     band.orientation,
                     planes,
                     coding_.style};
  BlockDecoder decoder(*job_.block, job);
  decoder.decode();
  decoder.store(coding_.reversible, job_.values + band.offset + block.y * band.stride + block.x, band.stride,
                job_.rows + band.first_row + block.y);
}

// Blocks that the window needs nothing of are left out.
inline void TileRun::decode_bands(size_t component, size_t r) {
  const Resolution& resolution = layout_.resolution(component, r);
  for (size_t b = resolution.first_band; b < size_t{resolution.first_band} + resolution.bands; ++b) {
    if (!job_.packets->any_in(b)) continue;
    const Band& band = layout_.bands[b];
    const Window window = job_.windows.of_band(component, r, band.orientation);
    for (size_t i = band.first_block; i < size_t{band.first_block} + band.blocks; ++i) {
      const Block& block = layout_.blocks[i];
      const BlockData& data = job_.packets->block(i);
      if (data.passes != 0 && overlap(window, block)) decode_block(band, block, data);
    }
  }
}

inline void TileRun::clear_values() {
  for (size_t b = 0; b < layout_.bands.size(); ++b) {
    if (!job_.packets->any_in(b)) continue;
    const Band& band = layout_.bands[b];
    uint8_t* const rows = job_.rows + band.first_row;
    for (size_t y = 0; y < band.h; ++y) {
      if (rows[y] == 0) continue;
      rows[y] = 0;
      std::memset(job_.values + band.offset + y * band.stride, 0, band.w * sizeof *job_.values);
    }
  }
}

// The image of resolution r, which the next one is made from.
template <class Rows>
void TileRun::make_image(size_t component, size_t r) {
  using Sample = typename Rows::Sample;
  const Resolution& resolution = layout_.resolution(component, r);
  const uint32_t h = job_.windows.of(component, r).h;
  Sample* const image = reinterpret_cast<Sample*>(job_.samples) + resolution.offset;
  Rows rows(job_, component, r, scratch_line<Sample>(job_, component, 0), job_.line_stride,
            scratch_halves<Sample>(job_));
  const auto row = [&](int64_t y) {
    return y < 0 ? nullptr : image + static_cast<size_t>(y) * resolution.stride;
  };
  for (size_t n = 0; n < step_count<Rows>(h); ++n) {
    const StepRows done = rows_after<Rows>(n, h);
    rows.step(n, row(done.even), row(done.odd));
  }
}

template <class Rows>
void TileRun::make_pixels() {
  const size_t components = layout_.components.size(), together = coding_.colour_transform ? 3 : 0;
  for (size_t c = 0; c < components; ++c) {
    for (size_t r = 1; r < job_.windows.top(); ++r) make_image<Rows>(c, r);
  }
  std::optional<Finisher<Rows, 3>> three;
  std::optional<Finisher<Rows, 1>> single[kMaxComponents];
  if (together != 0) three.emplace(job_, 0);
  for (size_t c = together; c < components; ++c) single[c].emplace(job_, c);
  const Rect& bounds = job_.parts->bounds();
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    if (three) three->make(window_row(0, y));
    for (size_t c = together; c < components; ++c) single[c]->make(window_row(c, y));
    write_row(y);
  }
  job_.parts->end();
}

// Subsampled components give each sample to the pixels at it and behind it, as the library's planes do.
inline void TileRun::write_row(int64_t y) {
  const Rect& bounds = job_.parts->bounds();
  const size_t n = layout_.components.size();
  const auto width = static_cast<size_t>(bounds.w), left = static_cast<size_t>(bounds.x);
  const uint8_t* rows[kMaxComponents];  // from the sample at or before the first pixel on
  uint8_t* scratch[kMaxComponents];
  for (size_t i = 0; i < n; ++i) {
    const size_t column = left / coding_.component[i].dx - job_.windows.of(i, job_.windows.top()).x;
    rows[i] = byte_row(job_, i, window_row(i, y)) + column;
    scratch[i] = job_.bytes + i * job_.byte_stride;
  }
#if HWY_TARGET != HWY_SCALAR
  const auto& c = coding_.component;
  if (job_.ycbcr && c[0].dx == 1 && c[1].dx == 2 && c[2].dx == 2 && left % 2 == 0) {
    convert_ycc_of_pairs(rows, width, scratch);
    return write_pixels(scratch, y);
  }
#endif
  for (size_t i = 0; i < n; ++i) {
    if (coding_.component[i].dx == 1) continue;
    double_bytes(rows[i], width / 2 + 1, scratch[i]);
    rows[i] = scratch[i] + left % 2;
  }
  if (!job_.ycbcr) return write_pixels(rows, y);
  convert_ycc(rows, width, scratch);
  write_pixels(scratch, y);
}

inline void TileRun::write_pixels(const uint8_t* const* rows, int64_t y) {
  const auto width = static_cast<size_t>(job_.parts->bounds().w);
  interleave_bytes(rows, layout_.components.size(), width, reinterpret_cast<uint8_t*>(job_.parts->row(y)));
  job_.parts->done(y);
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
