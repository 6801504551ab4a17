#include "microtome/plan/region.h"

#include <algorithm>
#include <limits>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {

size_t TileKeyHash::operator()(const TileKey& key) const noexcept {
  // Two rounds of multiply and fold over the 128 bits of the key; columns and rows are small and dense.
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15u;
  uint64_t hash = (uint64_t{key.slide} << 32 | key.image) * kOdd;
  hash = (hash ^ hash >> 29 ^ (uint64_t{key.row} << 32 | key.col)) * kOdd;
  return hash ^ hash >> 32;
}

int64_t to_level(int64_t location, int64_t extent, int64_t extent0) noexcept {
  // floor(location * extent / extent0 + 1/2) = floor((2 * location * extent + extent0) / (2 * extent0)).
  const __int128 twice = __int128{location} * extent * 2 + extent0;
  const __int128 divisor = __int128{extent0} * 2;
  __int128 nearest = twice / divisor;
  if (twice % divisor < 0) --nearest;  // division truncates towards zero
  // Only where extent > extent0 can the result pass int64.
  constexpr auto kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp<__int128>(nearest, kMin, kMax));
}

Point to_level(const Slide& slide, int level, Point location_level0) noexcept {
  const Size size0 = slide.levels()[0].size, size = slide.levels()[static_cast<size_t>(level)].size;
  return {to_level(location_level0.x, size.w, size0.w), to_level(location_level0.y, size.h, size0.h)};
}

namespace {

/// Tiles first … last of one axis, which cover [begin, end) of the image (not empty, inside it).
struct Span {
  int64_t first, last;
};

Span tiles_over(int64_t begin, int64_t end, int64_t tile) noexcept {
  return {begin / tile, (end - 1) / tile};
}

}  // namespace

Result<RegionPlan> plan_region(const Slide& slide, uint32_t slide_index, int image, Rect region) {
  if (image < 0 || image >= slide.image_count()) {
    return out_of_range("image {}, expected 0 to {}", image, slide.image_count() - 1);
  }
  if (region.empty())
    return invalid_argument("a region of {}x{} pixels, expected at least 1x1", region.w, region.h);
  if (!checked_add(region.x, region.w) || !checked_add(region.y, region.h)) {
    return invalid_argument("a region of {}x{} pixels at {},{} ends beyond 64-bit coordinates", region.w,
                            region.h, region.x, region.y);
  }
  const TileGrid& grid = slide.image(image);
  RegionPlan plan{slide_index, static_cast<uint32_t>(image), region.size(), {}, {}};
  const Rect inside = intersect(region, {0, 0, grid.size.w, grid.size.h});
  if (inside.empty()) return plan;
  plan.covered = {inside.x - region.x, inside.y - region.y, inside.w, inside.h};

  const Span cols = tiles_over(inside.x, inside.right(), grid.tile.w);
  const Span rows = tiles_over(inside.y, inside.bottom(), grid.tile.h);
  plan.copies.reserve(static_cast<size_t>((cols.last - cols.first + 1) * (rows.last - rows.first + 1)));
  for (int64_t row = rows.first; row <= rows.last; ++row) {
    const int64_t tile_y = row * grid.tile.h;
    const int64_t y0 = std::max(inside.y, tile_y), y1 = std::min(inside.bottom(), tile_y + grid.tile.h);
    for (int64_t col = cols.first; col <= cols.last; ++col) {
      const int64_t tile_x = col * grid.tile.w;
      const int64_t x0 = std::max(inside.x, tile_x), x1 = std::min(inside.right(), tile_x + grid.tile.w);
      plan.copies.push_back(
          {{slide_index, plan.image, static_cast<uint32_t>(col), static_cast<uint32_t>(row)},
           {x0 - tile_x, y0 - tile_y, x1 - x0, y1 - y0},
           {x0 - region.x, y0 - region.y}});
    }
  }
  return plan;
}

}  // namespace microtome
