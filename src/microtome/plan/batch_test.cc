#include "microtome/plan/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "microtome/plan/slides_for_test.h"

namespace microtome {
namespace {

std::vector<RegionPlan> plans(const std::vector<std::pair<std::shared_ptr<const Slide>, Rect>>& regions) {
  std::vector<RegionPlan> plans;
  for (uint32_t i = 0; i < regions.size(); ++i) {
    auto plan = plan_region(*regions[i].first, i % 2, 0, regions[i].second);
    EXPECT_TRUE(plan.ok());
    plans.push_back(*std::move(plan));
  }
  return plans;
}

TEST(PlanBatch, NamesEachTileOnceWithEveryUseOfIt) {
  std::mt19937 random(3);
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int round = 0; round < 300; ++round) {
    const auto a = slide_for_test({{{300, 200}, {64, 48}}}), b = slide_for_test({{{100, 500}, {50, 50}}});
    std::vector<std::pair<std::shared_ptr<const Slide>, Rect>> regions;
    for (int i = 0; i < 12; ++i) {
      regions.emplace_back(i % 2 == 0 ? a : b,
                           Rect{pick(-50, 320), pick(-50, 520), pick(1, 150), pick(1, 150)});
    }
    const auto region_plans = plans(regions);
    const BatchPlan batch = plan_batch(region_plans);

    ASSERT_EQ(batch.sizes.size(), regions.size());
    EXPECT_TRUE(std::adjacent_find(batch.tiles.begin(), batch.tiles.end(), [](const auto& x, const auto& y) {
                  return !(x.tile < y.tile);
                }) == batch.tiles.end());
    size_t uses = 0;
    for (const PlannedTile& tile : batch.tiles) {
      Rect needed;
      ASSERT_GT(tile.placement_count, 0u);
      for (const Placement& placement : batch.of(tile)) {
        needed = unite(needed, placement.src);
        const auto& copies = region_plans[placement.region].copies;
        EXPECT_EQ(std::count_if(copies.begin(), copies.end(),
                                [&](const TileCopy& copy) {
                                  return copy.tile == tile.tile && copy.src == placement.src &&
                                         copy.dst == placement.dst;
                                }),
                  1);
        ++uses;
      }
      EXPECT_EQ(tile.needed, needed);
    }
    size_t copies = 0;
    for (size_t i = 0; i < region_plans.size(); ++i) {
      copies += region_plans[i].copies.size();
      EXPECT_EQ(batch.covered[i], region_plans[i].covered);
      EXPECT_EQ(batch.sizes[i], region_plans[i].size);
    }
    EXPECT_EQ(uses, copies);
    EXPECT_EQ(batch.placements.size(), copies);
  }
}

TEST(PlanBatch, OfNothingIsNothing) {
  const BatchPlan batch = plan_batch({});
  EXPECT_TRUE(batch.tiles.empty());
  EXPECT_TRUE(batch.sizes.empty());
}

TEST(PlanBatch, PlansAMillionTilesInWellUnderASecond) {
  const auto slide = slide_for_test({{{256000, 256000}, {256, 256}}});
  const auto start = std::chrono::steady_clock::now();
  const auto region = plan_region(*slide, 0, 0, {0, 0, 256000, 256000});
  const BatchPlan batch = plan_batch(std::span(&*region, 1));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(batch.tiles.size(), 1000000u);
  EXPECT_LT(seconds.count(), 10.0);  // 0.1 s without sanitizers; the bound only catches what is not linear
}

}  // namespace
}  // namespace microtome
