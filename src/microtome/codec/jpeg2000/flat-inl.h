// Tiles of one colour, which are filled rather than transformed: background that was stored as any other.
// Only narrow ones (widths.h).
//
// Included by tile-inl.h and compiled once per instruction set.
//
// Note [A constant stays one]
// Where all sub-bands but LL are zeros and LL is constant, so is the image: exactly for 5/3, whose filters
// then add nothing, and up to rounding errors for 9/7, whose low-pass gain is 1 to some eight places. A
// colour is taken if no error of a ten-thousandth could round it to another byte; otherwise the tile is
// decoded as any other.
#if defined(MICROTOME_CODEC_JPEG2000_FLAT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_FLAT_INL_H_
#undef MICROTOME_CODEC_JPEG2000_FLAT_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_FLAT_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "microtome/codec/jpeg2000/pixels-inl.h"
#include "microtome/codec/jpeg2000/tile_job.h"
#include "microtome/codec/jpeg2000/widths.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

/// Whether code-blocks contribute to the lowest resolution at most.
inline bool only_lowest(const TileJob& job) {
  for (size_t c = 0; c < job.layout->components.size(); ++c) {
    for (size_t r = 1; r <= job.windows.top(c); ++r) {
      const Resolution& resolution = job.layout->resolution(c, r);
      for (size_t b = 0; b < resolution.bands; ++b) {
        if (job.packets->any_in(resolution.first_band + b)) return false;
      }
    }
  }
  return true;
}

/// The value that all of a component's LL has, once its code-blocks are decoded, if it has one.
inline std::optional<int16_t> constant_of(const TileJob& job, size_t component) {
  const Band& band = job.layout->bands[job.layout->resolution(component, 0).first_band];
  const Window& window = job.windows.of(component, 0);
  const auto row = [&](size_t y) {
    return reinterpret_cast<const Narrow::Value*>(job.values) + band.offset + (window.y + y) * band.stride +
           window.x;
  };
  const int16_t value = *row(0);
  for (size_t y = 0; y < window.h; ++y) {
    if (std::any_of(row(y), row(y) + window.w, [value](int16_t v) { return v != value; }))
      return std::nullopt;
  }
  return value;
}

using Colour = std::array<double, kMaxComponents>;

/// Undoes RCT or ICT.
inline void untransform(bool reversible, Colour& c) {
  const double y = c[0], u = c[1], v = c[2];
  if (reversible) {
    c[1] = y - std::floor((u + v) / 4);
    c[0] = v + c[1];
    c[2] = u + c[1];
  } else {
    c = {y + 1.402 * v, y - 0.34413 * u - 0.71414 * v, y + 1.772 * u, c[3]};
  }
}

/// The bytes of every pixel, if the tile is of one colour for sure. LL is decoded.
inline std::optional<std::array<uint8_t, kMaxComponents>> flat_pixel(const TileJob& job) {
  const Coding& coding = job.layout->coding;
  Colour colour{};
  double size = 1;
  for (size_t c = 0; c < coding.components; ++c) {
    const std::optional<int16_t> value = constant_of(job, c);
    if (!value) return std::nullopt;
    const Band& band = job.layout->bands[job.layout->resolution(c, 0).first_band];
    colour[c] = static_cast<double>(*value) * static_cast<double>(band.step);  // 1 of 5/3
    size += 2 * std::abs(colour[c]);
  }
  if (coding.colour_transform) untransform(coding.component[0].reversible, colour);
  std::array<uint8_t, kMaxComponents> pixel{};
  for (size_t c = 0; c < coding.components; ++c) {
    const double half = 1 << (coding.component[c].bits - 1), nearest = std::round(colour[c]);
    const bool certain = 0.5 - std::abs(colour[c] - nearest) > 1e-4 * size;
    if (!coding.component[c].reversible && !certain) return std::nullopt;
    pixel[c] = static_cast<uint8_t>(std::clamp(nearest + half, 0.0, 2 * half - 1));
  }
  if (job.ycbcr) {
    uint8_t rows[3][hn::MaxLanes(kInts)] = {{pixel[0]}, {pixel[1]}, {pixel[2]}};
    const uint8_t* const from[3] = {rows[0], rows[1], rows[2]};
    uint8_t* const to[3] = {rows[0], rows[1], rows[2]};
    convert_ycc(from, 1, to);
    for (size_t c = 0; c < 3; ++c) pixel[c] = rows[c][0];
  }
  return pixel;
}

inline void fill_parts(const TileJob& job, const std::array<uint8_t, kMaxComponents>& pixel) {
  const Rect& bounds = job.parts->bounds();
  const size_t n = job.layout->components.size(), bytes = n * static_cast<size_t>(bounds.w);
  std::memcpy(job.row, pixel.data(), n);
  // Each copy doubles what there is.
  for (size_t done = n; done < bytes; done *= 2) {
    std::memcpy(job.row + done, job.row, std::min(done, bytes - done));
  }
  for (int64_t y = bounds.y; y < bounds.bottom(); ++y) job.parts->put(y, job.row);
  job.parts->end();
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
