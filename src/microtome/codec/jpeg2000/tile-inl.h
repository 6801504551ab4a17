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

#include "microtome/codec/jpeg2000/block-inl.h"
#include "microtome/codec/jpeg2000/finisher-inl.h"
#include "microtome/codec/jpeg2000/flat-inl.h"
#include "microtome/codec/jpeg2000/pixels-inl.h"
#include "microtome/codec/jpeg2000/planes.h"
#include "microtome/codec/jpeg2000/tile_job.h"
#include "microtome/codec/jpeg2000/wavelet-inl.h"
#include "microtome/codec/jpeg2000/widths.h"
#include "microtome/simd/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

inline bool overlap(const Window& a, const Block& b) {
  return b.x < a.x + a.w && a.x < uint32_t{b.x} + b.w && b.y < a.y + a.h && a.y < uint32_t{b.y} + b.h;
}

/// `Width`: Narrow or Wide, of widths.h.
template <class Width>
class TileRun {
 public:
  explicit TileRun(const TileJob& job) : job_(job), layout_(*job.layout), coding_(job.layout->coding) {}

  void run() {
    for (size_t c = 0; c < layout_.components.size(); ++c) {
      for (size_t r = 0; r <= job_.windows.top(c); ++r) decode_bands(c, r);
    }
    if (!fill_if_flat()) make_pixels();
    clear_values();
  }

 private:
  using Value = typename Width::Value;
  using Pixel = typename Width::Pixel;

  Value* values_of(const Band& band) const { return reinterpret_cast<Value*>(job_.values) + band.offset; }

  void decode_bands(size_t component, size_t r);
  void decode_block(const ComponentCoding& coding, const Band& band, const Block& block,
                    const BlockData& data);
  bool fill_if_flat();
  void clear_values();

  template <class Rows>
  void make_image(size_t component, size_t r);
  void make_pixels();
  void write_row(int64_t y);
  void write_narrow_row(int64_t y, const uint8_t** rows);
  void write_wide_row(int64_t y, const int32_t** rows);

  const TileJob& job_;
  const Layout& layout_;
  const Coding& coding_;
  size_t left_[kMaxComponents] = {};  // the sample of the first pixel of rows, in each window
};

template <class Width>
void TileRun<Width>::decode_block(const ComponentCoding& coding, const Band& band, const Block& block,
                                  const BlockData& data) {
  const unsigned planes = band.planes - data.zero_planes;
  const BlockJob job{job_.packets->segments_of(data, coding.style),
                     block.w,
                     block.h,
                     band.orientation,
                     planes,
                     coding.style};
  BlockDecoder decoder(*job_.block, job);
  decoder.decode();
  decoder.store(Scaling{coding.reversible, coding.region_shift},
                values_of(band) + block.y * band.stride + block.x, band.stride,
                job_.rows + band.first_row + block.y);
}

// Blocks that the window needs nothing of are left out.
template <class Width>
void TileRun<Width>::decode_bands(size_t component, size_t r) {
  const Resolution& resolution = layout_.resolution(component, r);
  for (size_t b = resolution.first_band; b < size_t{resolution.first_band} + resolution.bands; ++b) {
    if (!job_.packets->any_in(b)) continue;
    const Band& band = layout_.bands[b];
    const Window window = job_.windows.of_band(component, r, band.orientation);
    for (size_t i = band.first_block; i < size_t{band.first_block} + band.blocks; ++i) {
      const Block& block = layout_.blocks[i];
      const BlockData& data = job_.packets->block(i);
      if (data.passes != 0 && overlap(window, block)) {
        decode_block(coding_.component[component], band, block, data);
      }
    }
  }
}

template <class Width>
bool TileRun<Width>::fill_if_flat() {
  if constexpr (sizeof(Pixel) == 1) {
    const auto pixel = only_lowest(job_) ? flat_pixel(job_) : std::nullopt;
    if (pixel) fill_parts(job_, *pixel);
    return pixel.has_value();
  }
  return false;
}

template <class Width>
void TileRun<Width>::clear_values() {
  for (size_t b = 0; b < layout_.bands.size(); ++b) {
    if (!job_.packets->any_in(b)) continue;
    const Band& band = layout_.bands[b];
    uint8_t* const rows = job_.rows + band.first_row;
    for (size_t y = 0; y < band.h; ++y) {
      if (rows[y] == 0) continue;
      rows[y] = 0;
      std::memset(values_of(band) + y * band.stride, 0, band.w * sizeof(Value));
    }
  }
}

// The image of resolution r, which the next one is made from.
template <class Width>
template <class Rows>
void TileRun<Width>::make_image(size_t component, size_t r) {
  using Sample = typename Rows::Sample;
  const Resolution& resolution = layout_.resolution(component, r);
  const Extent down = rows_of(job_.windows.of(component, r));
  Sample* const image = reinterpret_cast<Sample*>(job_.samples) + resolution.offset;
  Rows rows(job_, component, r, scratch_line<Sample>(job_, component, 0), job_.line_stride,
            scratch_halves<Sample>(job_));
  const auto row = [&](int64_t y) {
    return y < 0 ? nullptr : image + static_cast<size_t>(y) * resolution.stride;
  };
  for (size_t n = 0; n < step_count<Rows>(down); ++n) {
    const StepRows done = rows_after<Rows>(n, down);
    rows.step(n, row(done.even), row(done.odd));
  }
}

template <class Width>
void TileRun<Width>::make_pixels() {
  for (size_t c = 0; c < layout_.components.size(); ++c) {
    for (size_t r = 1; r < job_.windows.top(c); ++r) {
      coding_.component[c].reversible ? make_image<Rows53<Value>>(c, r) : make_image<Rows97<Value>>(c, r);
    }
  }
  Finishers<Width> finishers(job_);
  const Rect& bounds = job_.parts->bounds();
  for (size_t c = 0; c < layout_.components.size(); ++c) left_[c] = job_.windows.column_of(c, bounds.x);
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    finishers.make(job_.windows, y);
    write_row(y);
  }
  job_.parts->end();
}

template <class Width>
void TileRun<Width>::write_row(int64_t y) {
  const Pixel* rows[kMaxComponents];  // from the sample of the first pixel on
  for (size_t i = 0; i < layout_.components.size(); ++i) {
    rows[i] = ring_row<Pixel>(job_, i, job_.windows.row_of(i, y)) + left_[i];
  }
  if constexpr (sizeof(Pixel) == 1) {
    write_narrow_row(y, rows);
  } else {
    write_wide_row(y, rows);
  }
  job_.parts->done(y);
}

// Subsampled components give each sample to the pixels at it and behind it, as the library's planes do. Here
// they are of pairs of columns that begin at even ones.
template <class Width>
void TileRun<Width>::write_narrow_row(int64_t y, const uint8_t** rows) {
  const Rect& bounds = job_.parts->bounds();
  const size_t n = layout_.components.size();
  const auto width = static_cast<size_t>(bounds.w), left = static_cast<size_t>(bounds.x);
  auto* const out = reinterpret_cast<uint8_t*>(job_.parts->row(y));
  uint8_t* scratch[kMaxComponents];
  for (size_t i = 0; i < n; ++i) scratch[i] = reinterpret_cast<uint8_t*>(job_.row) + i * job_.row_stride;
#if HWY_TARGET != HWY_SCALAR
  const auto& c = coding_.component;
  if (job_.ycbcr && c[0].dx == 1 && c[1].dx == 2 && c[2].dx == 2 && left % 2 == 0) {
    convert_ycc_of_pairs(rows, width, scratch);
    return interleave_bytes(scratch, n, width, out);
  }
#endif
  for (size_t i = 0; i < n; ++i) {
    if (coding_.component[i].dx == 1) continue;
    double_bytes(rows[i], width / 2 + 1, scratch[i]);
    rows[i] = scratch[i] + left % 2;
  }
  if (!job_.ycbcr) return interleave_bytes(rows, n, width, out);
  convert_ycc(rows, width, scratch);
  interleave_bytes(scratch, n, width, out);
}

// As the library's planes, in the same integers, by the same code.
template <class Width>
void TileRun<Width>::write_wide_row(int64_t y, const int32_t** rows) {
  const Rect& bounds = job_.parts->bounds();
  const size_t n = layout_.components.size();
  const auto width = static_cast<size_t>(bounds.w);
  for (size_t i = 0; i < n; ++i) {
    if (coding_.component[i].dx == 1) continue;
    auto* const room = reinterpret_cast<int32_t*>(job_.row) + i * job_.row_stride;
    for (size_t x = 0; x < width; ++x) {
      room[x] = rows[i][job_.windows.column_of(i, bounds.x + static_cast<int64_t>(x)) - left_[i]];
    }
    rows[i] = room;
  }
  std::byte* const out = job_.parts->row(y);
  if (job_.ycbcr) {
    simd::ycc_to_rgb(rows[0], rows[1], rows[2], width, reinterpret_cast<uint8_t*>(out));
  } else {
    interleave_samples({rows, n}, width, job_.type, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
