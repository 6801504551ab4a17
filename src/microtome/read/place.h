// Pixels into place: copies and background.
//
// Called by batch_read. Knows views of memory; no tiles, no plans. Thread-safe: no state.
#pragma once

#include <cstddef>
#include <span>

#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"

namespace microtome {

/// Copies all of `from` to `to`, which has its size, samples and type and does not overlap it.
void copy_pixels(const ImageView& from, const ImageView& to, Stores stores = Stores::cached);

/// Sets every pixel of `view` to `pixel` (view.pixel_bytes() of them). Bytes between rows stay as they are.
void fill_pixels(const ImageView& view, std::span<const std::byte> pixel, Stores stores = Stores::cached);

/// Sets every pixel of `view` outside `covered`, which lies inside it or is empty.
void fill_around(const ImageView& view, const Rect& covered, std::span<const std::byte> pixel);

}  // namespace microtome
