// One tile: code-blocks to quantised values, resolutions to planes of bytes, planes to pixels.
//
// Included by tile.cc and compiled once per instruction set.
#if defined(MICROTOME_CODEC_JPEG2000_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_TILE_INL_H_
#undef MICROTOME_CODEC_JPEG2000_TILE_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_TILE_INL_H_
#endif

#include <array>
#include <cstring>
#include <optional>
#include <type_traits>

#include "microtome/codec/jpeg2000/block-inl.h"
#include "microtome/codec/jpeg2000/pixels-inl.h"
#include "microtome/codec/jpeg2000/samples-inl.h"
#include "microtome/codec/jpeg2000/tile_job.h"
#include "microtome/codec/jpeg2000/wavelet-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

class TileRun {
 public:
  explicit TileRun(const TileJob& job) : job_(job), layout_(*job.layout), coding_(job.layout->coding) {}

  /// False: declined.
  bool run() {
    for (size_t b = 0; b < layout_.bands.size(); ++b) {
      if (job_.packets->any_in(b) && !decode_band(layout_.bands[b])) return false;
    }
    coding_.reversible ? make_planes<Rows53>() : make_planes<Rows97>();
    write_pixels();
    return true;
  }

 private:
  bool decode_band(const Band& band);
  bool decode_block(const Band& band, const Block& block, const BlockData& data);

  template <class Rows>
  void make_planes();
  template <class Rows, size_t kCount>
  void make_planes_of(size_t first);
  template <class Rows>
  void make_image(size_t component, size_t r);
  template <class Sample, size_t kCount>
  void finish_row(size_t first, size_t y, const std::array<const Sample*, kCount>& rows);

  // Line `i` of the scratch of the component in place `place` of those that are made together.
  template <class Sample>
  Sample* line(size_t place, size_t i) const {
    return reinterpret_cast<Sample*>(job_.lines) + (place * kLinesEach + i) * job_.line_stride;
  }
  template <class Sample>
  Halves<Sample> halves() const {
    Sample* const behind = line<Sample>(3, 0);
    return {behind + kPadding, behind + job_.line_stride + kPadding};
  }

  void write_pixels();

  const TileJob& job_;
  const Layout& layout_;
  const Coding& coding_;
};

inline bool TileRun::decode_block(const Band& band, const Block& block, const BlockData& data) {
  int16_t* const to = job_.values + band.offset + block.y * band.stride + block.x;
  if (data.passes == 0) {
    for (size_t y = 0; y < block.h; ++y) std::memset(to + y * band.stride, 0, block.w * sizeof *to);
    return true;
  }
  if (data.zero_planes >= band.planes) return false;
  const unsigned planes = band.planes - data.zero_planes;
  if (planes > kMaxPlanes || data.passes > 3 * planes - 2) return false;
  const BlockJob job{job_.packets->bytes_of(data), block.w, block.h, band.orientation, planes, data.passes,
                     coding_.segmentation_symbols};
  BlockDecoder decoder(*job_.block, job);
  decoder.decode();
  decoder.store(coding_.reversible, to, band.stride);
  return true;
}

inline bool TileRun::decode_band(const Band& band) {
  for (size_t i = band.first_block; i < size_t{band.first_block} + band.blocks; ++i) {
    if (!decode_block(band, layout_.blocks[i], job_.packets->block(i))) return false;
  }
  return true;
}

// The image of resolution r, which the next one is made from.
template <class Rows>
void TileRun::make_image(size_t component, size_t r) {
  using Sample = typename Rows::Sample;
  const Resolution& resolution = layout_.resolution(component, r);
  Sample* const image = reinterpret_cast<Sample*>(job_.samples) + resolution.offset;
  Rows rows(job_, component, r, line<Sample>(0, 0), job_.line_stride, halves<Sample>());
  for_each_step<Rows>(resolution.h, [&](size_t n, int64_t even, int64_t odd) {
    const auto row = [&](int64_t y) {
      return y < 0 ? nullptr : image + static_cast<size_t>(y) * resolution.stride;
    };
    rows.step(n, row(even), row(odd));
  });
}

// Rows of samples become bytes of the planes of components `first` on.
template <class Sample, size_t kCount>
void TileRun::finish_row(size_t first, size_t y, const std::array<const Sample*, kCount>& rows) {
  std::array<uint8_t*, kCount> to;
  for (size_t i = 0; i < kCount; ++i) {
    const ComponentLayout& component = layout_.components[first + i];
    to[i] = job_.planes + component.plane + y * component.plane_stride;
  }
  const size_t w = layout_.components[first].w;
  if constexpr (kCount == 3) {
    const auto& c = coding_.component;
    const ToBytes to_bytes[3] = {ToBytes(c[0].bits), ToBytes(c[1].bits), ToBytes(c[2].bits)};
    untransform_to_bytes(rows.data(), w, to_bytes, to.data());
  } else {
    samples_to_bytes(rows[0], w, ToBytes(coding_.component[first].bits), to[0]);
  }
}

// The last resolution of one component, or of three with a colour transform over them in step.
template <class Rows, size_t kCount>
void TileRun::make_planes_of(size_t first) {
  using Sample = typename Rows::Sample;
  const size_t levels = coding_.levels, h = layout_.components[first].h;
  std::array<const Sample*, kCount> made;
  if (levels == 0) {
    for (size_t y = 0; y < h; ++y) {
      for (size_t i = 0; i < kCount; ++i) {
        const Resolution& only = layout_.resolution(first + i, 0);
        const auto source =
            band_line<Sample>(job_, layout_.bands[only.first_band], job_.packets->any_in(only.first_band), y);
        if constexpr (std::is_same_v<Sample, float>) {
          Wavelet97::load(source, only.w, 1, line<Sample>(i, 0));
        } else {
          Wavelet53::load(source, only.w, line<Sample>(i, 0));
        }
        made[i] = line<Sample>(i, 0);
      }
      finish_row<Sample, kCount>(first, y, made);
    }
    return;
  }
  for (size_t i = 0; i < kCount; ++i) {
    for (size_t r = 1; r < levels; ++r) make_image<Rows>(first + i, r);
  }
  std::array<std::optional<Rows>, kCount> all;
  for (size_t i = 0; i < kCount; ++i) {
    all[i].emplace(job_, first + i, levels, line<Sample>(i, 0), job_.line_stride, halves<Sample>());
  }
  for_each_step<Rows>(h, [&](size_t n, int64_t even, int64_t odd) {
    // Two pairs of rows in turn: the next step needs the even one of this.
    const size_t pair = Rows::kLines + 2 * (n % 2);
    for (size_t i = 0; i < kCount; ++i) all[i]->step(n, line<Sample>(i, pair), line<Sample>(i, pair + 1));
    for (size_t which = 0; which < 2; ++which) {
      const int64_t y = which == 0 ? even : odd;
      if (y < 0) continue;
      for (size_t i = 0; i < kCount; ++i) made[i] = line<Sample>(i, pair + which);
      finish_row<Sample, kCount>(first, static_cast<size_t>(y), made);
    }
  });
}

template <class Rows>
void TileRun::make_planes() {
  size_t first = 0;
  if (coding_.colour_transform) {
    make_planes_of<Rows, 3>(0);
    first = 3;
  }
  for (; first < layout_.components.size(); ++first) make_planes_of<Rows, 1>(first);
}

// Subsampled components give each sample to the pixels at it and behind it, as the library's planes do.
inline void TileRun::write_pixels() {
  const PartRows& parts = *job_.parts;
  const Rect& bounds = parts.bounds();
  const size_t n = layout_.components.size();
  const auto width = static_cast<size_t>(bounds.w), left = static_cast<size_t>(bounds.x);
  uint8_t* scratch[kMaxComponents];
  for (size_t i = 0; i < n; ++i) {
    scratch[i] = reinterpret_cast<uint8_t*>(job_.lines + i * job_.line_stride * sizeof(float));
  }
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) {
    const uint8_t* rows[kMaxComponents];
    for (size_t i = 0; i < n; ++i) {
      const ComponentLayout& component = layout_.components[i];
      const uint8_t dx = coding_.component[i].dx, dy = coding_.component[i].dy;
      const uint8_t* const row =
          job_.planes + component.plane + static_cast<size_t>(y) / dy * component.plane_stride;
      rows[i] = row + left;
      if (dx == 1) continue;
      double_bytes(row + left / 2, width / 2 + 1, scratch[i]);
      rows[i] = scratch[i] + left % 2;
    }
    if (job_.ycbcr) {
      uint8_t* const rgb[3] = {scratch[0], scratch[1], scratch[2]};
      convert_ycc(rgb, rows, width);
      for (size_t i = 0; i < 3; ++i) rows[i] = scratch[i];
    }
    interleave_bytes(rows, n, width, reinterpret_cast<uint8_t*>(parts.row(y)));
    parts.done(y);
  }
  parts.end();
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
