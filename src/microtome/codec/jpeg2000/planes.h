// Planes of JPEG 2000 samples, each with a sampling of its own, as rows of pixels.
//
// Called by library.cc, which gets planes from its library; the last function also by tile-inl.h. Pure;
// thread-safe. Positions are on the reference grid (ITU-T T.800 annex B.2): a plane has a sample at every
// multiple of dx and dy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "microtome/base/pixels.h"

namespace microtome::jpeg2000 {

struct Plane {
  const int32_t* data = nullptr;  ///< h rows of w samples.
  uint32_t w = 0, h = 0;          ///< Not empty.
  uint32_t x0 = 0, y0 = 0;  ///< Of the first sample, in samples: its place on the grid is x0 * dx, y0 * dy.
  uint32_t dx = 1, dy = 1;
};

/// The samples of `width` pixels from x, y of the reference grid: a pointer into the plane, or a replicated
/// copy in `room`. A pixel takes the sample at or before it, the first one where there is none, the last one
/// behind the end. `room`  width + 1 values.
const int32_t* plane_row(const Plane& plane, uint32_t x, uint32_t y, size_t width, int32_t* room);

/// Interleaves rows of samples into pixels of `type`, an integer of up to 32 bits. Values outside its range
/// saturate.
void interleave_samples(std::span<const int32_t* const> rows, size_t width, SampleType type, std::byte* to);

}  // namespace microtome::jpeg2000
