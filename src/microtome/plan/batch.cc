#include "microtome/plan/batch.h"

#include <algorithm>
#include <cstddef>

namespace microtome {

namespace {

/// A copy and the region it belongs to.
struct Use {
  const TileCopy* copy;
  uint32_t region;
};

size_t count_copies(std::span<const RegionPlan> regions) noexcept {
  size_t count = 0;
  for (const RegionPlan& region : regions) count += region.copies.size();
  return count;
}

/// Every copy, by tile and, within a tile, in order of regions.
std::vector<Use> uses_by_tile(std::span<const RegionPlan> regions) {
  std::vector<Use> uses;
  uses.reserve(count_copies(regions));
  for (size_t i = 0; i < regions.size(); ++i) {
    for (const TileCopy& copy : regions[i].copies) uses.push_back({&copy, static_cast<uint32_t>(i)});
  }
  const auto by_tile = [](const Use& a, const Use& b) { return a.copy->tile < b.copy->tile; };
  // One region's copies are in order already, and a whole level is one region.
  if (!std::is_sorted(uses.begin(), uses.end(), by_tile)) std::stable_sort(uses.begin(), uses.end(), by_tile);
  return uses;
}

}  // namespace

BatchPlan plan_batch(std::span<const RegionPlan> regions) {
  BatchPlan plan;
  plan.covered.reserve(regions.size());
  plan.sizes.reserve(regions.size());
  for (const RegionPlan& region : regions) {
    plan.covered.push_back(region.covered);
    plan.sizes.push_back(region.size);
  }
  const std::vector<Use> uses = uses_by_tile(regions);
  plan.placements.reserve(uses.size());
  for (const auto& [copy, region] : uses) {
    if (plan.tiles.empty() || plan.tiles.back().tile != copy->tile) {
      plan.tiles.push_back({copy->tile, {}, static_cast<uint32_t>(plan.placements.size()), 0});
    }
    PlannedTile& tile = plan.tiles.back();
    tile.needed = unite(tile.needed, copy->src);
    ++tile.placement_count;
    plan.placements.push_back({region, copy->src, copy->dst});
  }
  return plan;
}

}  // namespace microtome
