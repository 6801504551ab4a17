#include "microtome/plan/region.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "microtome/plan/slides_for_test.h"

namespace microtome {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

TEST(ToLevel, RoundsToTheNearestPixelHalvesUp) {
  EXPECT_EQ(to_level(0, 1, 4), 0);
  EXPECT_EQ(to_level(1, 1, 4), 0);
  EXPECT_EQ(to_level(2, 1, 4), 1);   // 0.5
  EXPECT_EQ(to_level(-2, 1, 4), 0);  // -0.5
  EXPECT_EQ(to_level(-3, 1, 4), -1);
  EXPECT_EQ(to_level(6, 1, 4), 2);    // 1.5
  EXPECT_EQ(to_level(-6, 1, 4), -1);  // -1.5
  EXPECT_EQ(to_level(7, 100, 100), 7);
}

// 46000/11500 is 4 and 32914/8228 is not: a ratio in float32 puts a patch at 4k on pixel k - 1.
TEST(ToLevel, GridsLandOnMultiplesThoughTheRatioIsNotWhole) {
  for (int64_t k = 0; k <= 8228; ++k) ASSERT_EQ(to_level(4 * k, 8228, 32914), k) << k;
  for (int64_t k = 0; k <= 11500; ++k) ASSERT_EQ(to_level(4 * k, 11500, 46000), k) << k;
}

TEST(ToLevel, IsTheNearestIntegerForEveryInt64) {
  std::mt19937_64 random(1);
  const int64_t extents[] = {1, 2, 3, 255, 256, 8228, 11500, (int64_t{1} << 31) - 1};
  for (const int64_t extent : extents) {
    for (const int64_t extent0 : extents) {
      if (extent > extent0) continue;
      std::vector<int64_t> locations = {kMin, kMin + 1, -1, 0, 1, kMax - 1, kMax};
      for (int i = 0; i < 200; ++i) locations.push_back(static_cast<int64_t>(random()) >> (random() % 63));
      for (const int64_t location : locations) {
        const __int128 got = to_level(location, extent, extent0);
        // |got - exact| <= 1/2 and, at exactly 1/2, got is the upper: -extent0 < 2 * (exact - got) * extent0
        // … <= …
        const __int128 twice_error = 2 * (__int128{location} * extent - got * extent0);
        ASSERT_TRUE(-extent0 <= twice_error && twice_error < extent0)
            << location << " " << extent << "/" << extent0;
      }
    }
  }
}

TEST(ToLevel, SaturatesWhereALevelIsLargerThanLevel0) {
  EXPECT_EQ(to_level(kMax, 4, 1), kMax);
  EXPECT_EQ(to_level(kMin, 4, 1), kMin);
}

TEST(ToLevel, TakesEachAxisByItsOwnRatio) {
  const auto slide = slide_for_test({{{46000, 32914}, {240, 240}}, {{11500, 8228}, {240, 240}}});
  EXPECT_EQ(to_level(*slide, 1, {4096, 4096}), (Point{1024, 1024}));
  EXPECT_EQ(to_level(*slide, 0, {4097, -5}), (Point{4097, -5}));
}

// Paints each plan on a canvas: every covered pixel once, from the tile and place that hold it, and nothing
// else.
TEST(PlanRegion, CoversEveryPixelOfTheImageOnceAndNothingElse) {
  std::mt19937 random(2);
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    const Size size{pick(1, 90), pick(1, 90)}, tile{pick(1, 40), pick(1, 40)};
    const auto slide = slide_for_test({{size, tile}});
    const Rect region{pick(-60, 120), pick(-60, 120), pick(1, 100), pick(1, 100)};
    const auto plan = plan_region(*slide, 7, 0, region);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->size, region.size());
    std::vector<int> painted(static_cast<size_t>(region.w * region.h), 0);
    for (const TileCopy& copy : plan->copies) {
      ASSERT_EQ(copy.tile.slide, 7u);
      ASSERT_FALSE(copy.src.empty());
      ASSERT_TRUE(slide->image(0).shown(copy.tile.col, copy.tile.row).contains(copy.src));
      for (int64_t y = 0; y < copy.src.h; ++y) {
        for (int64_t x = 0; x < copy.src.w; ++x) {
          const int64_t image_x = copy.tile.col * tile.w + copy.src.x + x;
          const int64_t image_y = copy.tile.row * tile.h + copy.src.y + y;
          ASSERT_EQ(image_x, region.x + copy.dst.x + x);
          ASSERT_EQ(image_y, region.y + copy.dst.y + y);
          ++painted[static_cast<size_t>((copy.dst.y + y) * region.w + copy.dst.x + x)];
        }
      }
    }
    for (int64_t y = 0; y < region.h; ++y) {
      for (int64_t x = 0; x < region.w; ++x) {
        const bool inside = Rect{0, 0, size.w, size.h}.contains({region.x + x, region.y + y, 1, 1});
        ASSERT_EQ(painted[static_cast<size_t>(y * region.w + x)], inside ? 1 : 0);
        ASSERT_EQ(plan->covered.contains({x, y, 1, 1}), inside);
      }
    }
  }
}

TEST(PlanRegion, IsEmptyFarOutside) {
  const auto slide = slide_for_test({{{100, 100}, {32, 32}}});
  for (const Rect& region :
       {Rect{kMin, 0, 5, 5}, Rect{0, kMax - 5, 5, 5}, Rect{100, 0, 5, 5}, Rect{-5, 0, 5, 5}}) {
    const auto plan = plan_region(*slide, 0, 0, region);
    ASSERT_TRUE(plan.ok()) << plan.error().to_string();
    EXPECT_TRUE(plan->copies.empty());
    EXPECT_TRUE(plan->covered.empty());
  }
}

TEST(PlanRegion, RefusesWhatNoImageCouldAnswer) {
  const auto slide = slide_for_test({{{100, 100}, {32, 32}}});
  const auto message = [&](int image, Rect region) {
    return plan_region(*slide, 0, image, region).error().to_string();
  };
  EXPECT_EQ(message(1, {0, 0, 1, 1}), "out of range: image 1, expected 0 to 0");
  EXPECT_EQ(message(-1, {0, 0, 1, 1}), "out of range: image -1, expected 0 to 0");
  EXPECT_EQ(message(0, {0, 0, 0, 3}), "invalid argument: a region of 0x3 pixels, expected at least 1x1");
  EXPECT_EQ(message(0, {0, 0, 3, -1}), "invalid argument: a region of 3x-1 pixels, expected at least 1x1");
  EXPECT_EQ(
      message(0, {kMax, 0, 1, 1}),
      "invalid argument: a region of 1x1 pixels at 9223372036854775807,0 ends beyond 64-bit coordinates");
}

TEST(TileKeyHash, SpreadsAGridOfTiles) {
  std::vector<int> buckets(1024, 0);
  for (uint32_t row = 0; row < 128; ++row) {
    for (uint32_t col = 0; col < 128; ++col) ++buckets[TileKeyHash()({0, 0, col, row}) % buckets.size()];
  }
  // 16 a bucket on average; a poor hash leaves many empty and some overfull.
  for (const int count : buckets) EXPECT_TRUE(count > 0 && count < 48) << count;
}

}  // namespace
}  // namespace microtome
