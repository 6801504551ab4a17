// The tiles of many regions, each once: what a batch reads.
//
// Pure, like region.h. A tile that several regions share stands here once with all its placements, so that it
// is decoded once and copied many times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "microtome/base/geometry.h"
#include "microtome/plan/region.h"

namespace microtome {

/// `src` of a tile goes to `dst` of region number `region`.
struct Placement {
  uint32_t region = 0;
  Rect src;
  Point dst;
};

struct PlannedTile {
  TileKey tile;
  Rect needed;  ///< Bounding box of its placements' src, in tile pixels.
  uint32_t first_placement = 0, placement_count = 0;
};

struct BatchPlan {
  std::vector<PlannedTile>
      tiles;  ///< Distinct, by slide, image, row, column: file order for every usual writer.
  std::vector<Placement> placements;  ///< Grouped by tile.
  std::vector<Rect> covered;          ///< RegionPlan::covered of each region.
  std::vector<Size> sizes;            ///< RegionPlan::size of each region.

  std::span<const Placement> of(const PlannedTile& tile) const noexcept {
    return std::span(placements).subspan(tile.first_placement, tile.placement_count);
  }
};

BatchPlan plan_batch(std::span<const RegionPlan> regions);

}  // namespace microtome
