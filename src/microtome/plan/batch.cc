#include "microtome/plan/batch.h"

#include <algorithm>
#include <bit>

namespace microtome {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

/// Numbers distinct tiles in the order in which they come. As long as they come in file order, as those of a
/// single region do, all are new; from the first that does not, an open-addressing table twice as large as
/// needed tells.
class TileNumbers {
 public:
  TileNumbers(std::vector<PlannedTile>& tiles, size_t most) : tiles_(tiles), most_(most) {
    tiles_.reserve(most);
  }

  uint32_t number_of(const TileKey& key) {
    if (slots_.empty()) {
      if (tiles_.empty() || tiles_.back().tile < key) return append(key);
      make_table();
    }
    uint32_t& number = slot_of(key);
    if (number == kNone) number = append(key);
    return number;
  }

 private:
  uint32_t append(const TileKey& key) {
    tiles_.push_back({key, {}, 0, 0});
    return static_cast<uint32_t>(tiles_.size() - 1);
  }

  void make_table() {
    slots_.assign(std::bit_ceil(2 * most_), kNone);
    for (uint32_t i = 0; i < tiles_.size(); ++i) slot_of(tiles_[i].tile) = i;
  }

  /// Where `key` stands or belongs.
  uint32_t& slot_of(const TileKey& key) noexcept {
    const size_t mask = slots_.size() - 1;
    size_t slot = TileKeyHash{}(key)&mask;
    while (slots_[slot] != kNone && tiles_[slots_[slot]].tile != key) slot = (slot + 1) & mask;
    return slots_[slot];
  }

  std::vector<PlannedTile>& tiles_;  // unowned: plan_batch's
  const size_t most_;
  std::vector<uint32_t> slots_;
};

/// Sorts `tiles`; the result says for each old number the new one.
std::vector<uint32_t> sort_tiles(std::vector<PlannedTile>& tiles) {
  std::vector<uint32_t> moved(tiles.size());
  // first_placement is not set yet and carries the old number through the sort.
  for (uint32_t i = 0; i < tiles.size(); ++i) tiles[i].first_placement = i;
  const auto before = [](const PlannedTile& a, const PlannedTile& b) { return a.tile < b.tile; };
  if (!std::is_sorted(tiles.begin(), tiles.end(), before)) std::sort(tiles.begin(), tiles.end(), before);
  for (uint32_t i = 0; i < tiles.size(); ++i) moved[tiles[i].first_placement] = i;
  return moved;
}

}  // namespace

BatchPlan plan_batch(std::span<const RegionPlan> regions) {
  BatchPlan plan;
  plan.covered.reserve(regions.size());
  plan.sizes.reserve(regions.size());
  size_t copies = 0;
  for (const RegionPlan& region : regions) {
    plan.covered.push_back(region.covered);
    plan.sizes.push_back(region.size);
    copies += region.copies.size();
  }

  std::vector<uint32_t> numbers;  // of every copy's tile
  numbers.reserve(copies);
  {
    TileNumbers distinct(plan.tiles, copies);
    for (const RegionPlan& region : regions)
      for (const TileCopy& copy : region.copies) numbers.push_back(distinct.number_of(copy.tile));
  }
  if (plan.tiles.size() < copies / 2) plan.tiles.shrink_to_fit();
  const std::vector<uint32_t> moved = sort_tiles(plan.tiles);

  // A counting sort of the placements by tile; within a tile they stay in the regions' order.
  for (uint32_t& number : numbers) {
    number = moved[number];
    ++plan.tiles[number].placement_count;
  }
  uint32_t first = 0;
  for (PlannedTile& tile : plan.tiles) {
    tile.first_placement = first;
    first += tile.placement_count;
    tile.placement_count = 0;
  }
  plan.placements.resize(copies);
  auto number = numbers.begin();
  for (size_t i = 0; i < regions.size(); ++i) {
    for (const TileCopy& copy : regions[i].copies) {
      PlannedTile& tile = plan.tiles[*number++];
      plan.placements[tile.first_placement + tile.placement_count++] = {static_cast<uint32_t>(i), copy.src,
                                                                        copy.dst};
      tile.needed = unite(tile.needed, copy.src);
    }
  }
  return plan;
}

}  // namespace microtome
