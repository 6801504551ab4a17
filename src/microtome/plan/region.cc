#include "microtome/plan/region.h"

#include <algorithm>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {
namespace {

using Wide = __int128;  // two int64 factors fit

Status check_region(const Slide& slide, int image, const Rect& region) {
  if (image < 0 || image >= slide.image_count())
    return out_of_range("image {} of {}, which has {} images", image, slide.name(), slide.image_count());
  if (region.empty())
    return invalid_argument("a region of {}x{} pixels, expected at least 1x1", region.w, region.h);
  if (!checked_add(region.x, region.w) || !checked_add(region.y, region.h))
    return invalid_argument("a region of {}x{} pixels at {},{} passes 64-bit coordinates", region.w, region.h,
                            region.x, region.y);
  return ok_status();
}

}  // namespace

size_t TileKeyHash::operator()(const TileKey& key) const noexcept {
  // Two rounds of multiply and fold; tiles of one image differ in the low bits of col and row alone.
  const auto mix = [](uint64_t value) {
    value *= 0x9E3779B97F4A7C15;
    return value ^ (value >> 32);
  };
  const uint64_t where = (uint64_t{key.row} << 32) | key.col;
  const uint64_t which = (uint64_t{key.slide} << 32) | key.image;
  return static_cast<size_t>(mix(mix(where) + which));
}

int64_t to_level(int64_t location, int64_t extent, int64_t extent0) noexcept {
  const Wide product = Wide{location} * extent;
  Wide quotient = product / extent0, rest = product % extent0;
  if (rest < 0) {
    rest += extent0;
    --quotient;
  }
  if (rest >= extent0 - rest) ++quotient;
  return static_cast<int64_t>(std::clamp<Wide>(quotient, INT64_MIN, INT64_MAX));
}

Point to_level(const Slide& slide, int level, Point location_level0) noexcept {
  const Size size0 = slide.levels()[0].size, size = slide.levels()[static_cast<size_t>(level)].size;
  return {to_level(location_level0.x, size.w, size0.w), to_level(location_level0.y, size.h, size0.h)};
}

Result<RegionPlan> plan_region(const Slide& slide, uint32_t slide_index, int image, Rect region) {
  MICROTOME_TRY(check_region(slide, image, region));
  RegionPlan plan{slide_index, static_cast<uint32_t>(image), region.size(), {}, {}};
  const TileGrid& grid = slide.image(image);
  const Rect inside = intersect(region, {0, 0, grid.size.w, grid.size.h});
  if (inside.empty()) return plan;
  plan.covered = {inside.x - region.x, inside.y - region.y, inside.w, inside.h};

  const int64_t first_col = inside.x / grid.tile.w, last_col = (inside.right() - 1) / grid.tile.w;
  const int64_t first_row = inside.y / grid.tile.h, last_row = (inside.bottom() - 1) / grid.tile.h;
  plan.copies.reserve(static_cast<size_t>((last_col - first_col + 1) * (last_row - first_row + 1)));
  for (int64_t row = first_row; row <= last_row; ++row) {
    for (int64_t col = first_col; col <= last_col; ++col) {
      const Rect shown = grid.shown(col, row);
      // Where the tile's shown part stands in the image.
      const Rect stands{col * grid.tile.w, row * grid.tile.h, shown.w, shown.h};
      const Rect part = intersect(stands, inside);
      plan.copies.push_back({{slide_index, static_cast<uint32_t>(image), static_cast<uint32_t>(col),
                              static_cast<uint32_t>(row)},
                             {part.x - stands.x + shown.x, part.y - stands.y + shown.y, part.w, part.h},
                             {part.x - region.x, part.y - region.y}});
    }
  }
  return plan;
}

}  // namespace microtome
