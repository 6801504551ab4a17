// Which tiles fill a region: pure integer geometry.
//
// No I/O, no codecs, no threads. Interior, border and wholly-outside regions go through the same function;
// what no copy covers is background. Thread-safe (pure functions over an immutable Slide).
#pragma once

#include <compare>
#include <cstdint>
#include <tuple>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// A tile of one slide of a reader's list. `image` as in slide.h, Note [Every image is a grid of tiles].
struct TileKey {
  uint32_t slide = 0;
  uint32_t image = 0;
  uint32_t col = 0, row = 0;
  bool operator==(const TileKey&) const = default;
  /// By slide, image, row, column: file order for every usual writer.
  std::strong_ordering operator<=>(const TileKey& other) const noexcept {
    return std::tie(slide, image, row, col) <=> std::tie(other.slide, other.image, other.row, other.col);
  }
};

struct TileKeyHash {
  size_t operator()(const TileKey& key) const noexcept;
};

/// Pixels of one tile and where they go. `src` in tile pixels, `dst` in pixels of the region.
struct TileCopy {
  TileKey tile;
  Rect src;
  Point dst;
};

struct RegionPlan {
  uint32_t slide = 0;
  uint32_t image = 0;
  Size size;     ///< Of the region.
  Rect covered;  ///< The part of it that lies inside the image, in region pixels; may be empty.
  std::vector<TileCopy> copies;  ///< Row-major by tile; together they cover `covered` exactly once.
};

/// `location` (level-0 pixels) in pixels of an image of extent `extent`, where level 0 has `extent0`: the
/// nearest integer to location * extent / extent0, halves up, in exact arithmetic, for any int64. Adjacent
/// level-0 locations that are multiples of the true ratio therefore map to adjacent pixels: grids join
/// without gap or overlap.
int64_t to_level(int64_t location, int64_t extent, int64_t extent0) noexcept;

/// Both axes of it for level `level` of `slide`.
Point to_level(const Slide& slide, int level, Point location_level0) noexcept;

/// The tiles that fill `region`, given in pixels of the image itself; it may lie partly or wholly outside.
/// Errors: out_of_range when the image does not exist; invalid_argument when a side is not positive, or the
/// region's corners pass int64.
Result<RegionPlan> plan_region(const Slide& slide, uint32_t slide_index, int image, Rect region);

}  // namespace microtome
