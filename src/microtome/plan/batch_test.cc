#include "microtome/plan/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <tuple>

#include "microtome/plan/slide_for_test.h"

namespace microtome {
namespace {

RegionPlan planned(const Slide& slide, uint32_t index, int image, Rect region) {
  auto plan = plan_region(slide, index, image, region);
  EXPECT_TRUE(plan.ok()) << plan.error().to_string();
  return *std::move(plan);
}

TEST(PlanBatch, OfNothing) {
  const BatchPlan plan = plan_batch({});
  EXPECT_TRUE(plan.tiles.empty());
  EXPECT_TRUE(plan.placements.empty());
  EXPECT_TRUE(plan.sizes.empty());
}

TEST(PlanBatch, ASharedTileStandsOnceWithAllItsPlacements) {
  const auto slide = slide_of_grids({{{40, 40}, {10, 10}}});
  const std::vector<RegionPlan> regions{planned(*slide, 0, 0, {12, 12, 4, 4}),
                                        planned(*slide, 0, 0, {100, 0, 3, 3}),
                                        planned(*slide, 0, 0, {5, 15, 10, 4})};
  const BatchPlan plan = plan_batch(regions);
  ASSERT_EQ(plan.tiles.size(), 2u);
  EXPECT_EQ(plan.tiles[0].tile, (TileKey{0, 0, 0, 1}));
  const PlannedTile& shared = plan.tiles[1];
  EXPECT_EQ(shared.tile, (TileKey{0, 0, 1, 1}));
  ASSERT_EQ(plan.of(shared).size(), 2u);
  EXPECT_EQ(plan.of(shared)[0].region, 0u);
  EXPECT_EQ(plan.of(shared)[0].src, (Rect{2, 2, 4, 4}));
  EXPECT_EQ(plan.of(shared)[1].region, 2u);
  EXPECT_EQ(plan.of(shared)[1].src, (Rect{0, 5, 5, 4}));
  EXPECT_EQ(plan.of(shared)[1].dst, (Point{5, 0}));
  EXPECT_EQ(shared.needed, (Rect{0, 2, 6, 7}));  // the box around both
  EXPECT_EQ(plan.sizes, (std::vector<Size>{{4, 4}, {3, 3}, {10, 4}}));
  EXPECT_EQ(plan.covered, (std::vector<Rect>{{0, 0, 4, 4}, {}, {0, 0, 10, 4}}));
}

TEST(PlanBatch, TilesStandBySlideImageRowColumn) {
  const auto a = slide_of_grids({{{40, 40}, {10, 10}}, {{20, 20}, {10, 10}}}),
             b = slide_of_grids({{{40, 40}, {10, 10}}});
  const std::vector<RegionPlan> regions{planned(*b, 1, 0, {0, 0, 10, 10}), planned(*a, 0, 1, {0, 0, 20, 10}),
                                        planned(*a, 0, 0, {10, 0, 10, 20}),
                                        planned(*a, 0, 0, {0, 10, 10, 10})};
  std::vector<TileKey> tiles;
  for (const PlannedTile& tile : plan_batch(regions).tiles) tiles.push_back(tile.tile);
  EXPECT_EQ(tiles, (std::vector<TileKey>{
                       {0, 0, 1, 0}, {0, 0, 0, 1}, {0, 0, 1, 1}, {0, 1, 0, 0}, {0, 1, 1, 0}, {1, 0, 0, 0}}));
}

TEST(PlanBatch, HoldsTheSameCopiesAsItsRegions) {
  using Copy = std::tuple<TileKey, uint32_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t>;
  std::mt19937 random(5);
  const auto upto = [&](int64_t most) { return std::uniform_int_distribution<int64_t>(1, most)(random); };
  const std::vector<std::shared_ptr<const Slide>> slides{
      slide_of_grids({{{70, 50}, {7, 9}}, {{35, 25}, {8, 8}}}), slide_of_grids({{{64, 64}, {16, 16}}})};
  for (int round = 0; round < 100; ++round) {
    std::vector<RegionPlan> regions;
    std::vector<Copy> expected, found;
    const auto add = [](std::vector<Copy>& to, const TileKey& tile, uint32_t region, Rect src, Point dst) {
      to.emplace_back(tile, region, src.x, src.y, src.w, src.h, dst.x, dst.y);
    };
    for (uint32_t i = 0; i < 20; ++i) {
      const auto slide = static_cast<uint32_t>(upto(2) - 1);
      const int image = static_cast<int>(upto(slides[slide]->image_count()) - 1);
      regions.push_back(
          planned(*slides[slide], slide, image, {upto(80) - 10, upto(60) - 10, upto(30), upto(30)}));
      for (const TileCopy& copy : regions.back().copies) add(expected, copy.tile, i, copy.src, copy.dst);
    }
    const BatchPlan plan = plan_batch(regions);
    std::map<TileKey, int> seen;
    for (const PlannedTile& tile : plan.tiles) {
      EXPECT_EQ(++seen[tile.tile], 1);
      EXPECT_GT(tile.placement_count, 0u);
      Rect box;
      for (const Placement& placement : plan.of(tile)) {
        add(found, tile.tile, placement.region, placement.src, placement.dst);
        box = unite(box, placement.src);
      }
      EXPECT_EQ(tile.needed, box);
    }
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, expected);
  }
}

TEST(PlanBatch, AWholeLevelOfAMillionTilesIsPlannedInLinearTime) {
  const auto time = [](int64_t side) {
    const auto slide = slide_of_grids({{{side * 4, side * 4}, {4, 4}}});
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      const auto start = std::chrono::steady_clock::now();
      const RegionPlan region = planned(*slide, 0, 0, {0, 0, side * 4, side * 4});
      EXPECT_EQ(plan_batch(std::span(&region, 1)).tiles.size(), static_cast<size_t>(side * side));
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  };
  const double small = time(250), large = time(1000);  // 16 times as many tiles
  std::printf("  1,000,000 tiles planned in %.0f ms\n", large * 1e3);
  EXPECT_LT(large, 16 * 8 * small);  // a quadratic one would take 256 times as long
}

}  // namespace
}  // namespace microtome
