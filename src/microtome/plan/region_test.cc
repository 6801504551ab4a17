#include "microtome/plan/region.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <unordered_set>

#include "microtome/plan/slide_for_test.h"

namespace microtome {
namespace {

using Wide = __int128;

/// Whether `found` is the integer nearest to location * extent / extent0, the upper one of two:
/// found - 1/2 <= location * extent / extent0 < found + 1/2, all multiplied by 2 * extent0.
bool is_nearest(int64_t found, int64_t location, int64_t extent, int64_t extent0) {
  const Wide twice = 2 * Wide{location} * extent, found_twice = 2 * Wide{found} * extent0;
  return found_twice - extent0 <= twice && twice < found_twice + extent0;
}

TEST(ToLevel, KnownValues) {
  EXPECT_EQ(to_level(0, 25, 100), 0);
  EXPECT_EQ(to_level(1, 25, 100), 0);   // 0.25
  EXPECT_EQ(to_level(2, 25, 100), 1);   // 0.5: up
  EXPECT_EQ(to_level(-2, 25, 100), 0);  // -0.5: up
  EXPECT_EQ(to_level(-3, 25, 100), -1);
  EXPECT_EQ(to_level(-6, 25, 100), -1);  // -1.5: up
  EXPECT_EQ(to_level(7, 100, 100), 7);
  EXPECT_EQ(to_level(46000, 11500, 46001), 11500);  // 11499.75
}

TEST(ToLevel, IsNearestWithHalvesUp) {
  for (const int64_t extent0 : {1, 2, 3, 7, 8, 99, 100, 32893, 46000})
    for (const int64_t extent : {1, 2, 3, 5, 8, 25, 8223, 11500})
      for (int64_t location = -250; location <= 250; ++location)
        ASSERT_TRUE(is_nearest(to_level(location, extent, extent0), location, extent, extent0))
            << location << " * " << extent << " / " << extent0;
}

TEST(ToLevel, IsNearestForAnyInt64) {
  std::mt19937_64 random(1);
  std::vector<int64_t> locations{INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
  for (int i = 0; i < 1000; ++i) locations.push_back(static_cast<int64_t>(random()) >> (i % 63));
  for (const int64_t extent0 : {int64_t{3}, int64_t{46001}, int64_t{INT32_MAX}, int64_t{1} << 61})
    for (const int64_t extent : {int64_t{1}, extent0 / 4 + 1, extent0 - 1, extent0})
      for (const int64_t location : locations)
        ASSERT_TRUE(is_nearest(to_level(location, extent, extent0), location, extent, extent0))
            << location << " * " << extent << " / " << extent0;
}

TEST(ToLevel, SaturatesWhereALevelIsLargerThanLevel0) {
  EXPECT_EQ(to_level(INT64_MAX, 2, 1), INT64_MAX);
  EXPECT_EQ(to_level(INT64_MIN, 2, 1), INT64_MIN);
  EXPECT_EQ(to_level(INT64_MAX / 2, 2, 1), INT64_MAX - 1);
  EXPECT_EQ(to_level(INT64_MIN, INT64_MAX, 1), INT64_MIN);
  EXPECT_EQ(to_level(INT64_MAX, INT64_MAX, INT64_MAX), INT64_MAX);
}

TEST(ToLevel, GridsOfTheTrueRatioJoin) {
  // Level 0 is not a multiple of the level: patches of 256 at locations rounded from their exact place.
  for (const auto& [extent0, extent] : {std::pair{46000, 11500}, {32893, 8223}, {100001, 6250}}) {
    for (int64_t patch = 0; patch < 40; ++patch) {
      const auto exact = static_cast<double>(patch * 256) * extent0 / extent;
      EXPECT_EQ(to_level(std::llround(exact), extent, extent0), patch * 256);
    }
  }
}

TEST(ToLevel, UsesEachAxisOwnRatio) {
  const auto slide = slide_of_grids({{{1000, 900}, {10, 10}}, {{250, 300}, {10, 10}}});
  EXPECT_EQ(to_level(*slide, 1, {400, 600}), (Point{100, 200}));
  EXPECT_EQ(to_level(*slide, 0, {-7, 11}), (Point{-7, 11}));
}

Error error_of(const Slide& slide, int image, Rect region) {
  const auto plan = plan_region(slide, 0, image, region);
  return plan.ok() ? Error{Errc::internal, "planned"} : plan.error();
}

TEST(PlanRegion, RefusesWhatIsNoRegion) {
  const auto slide = slide_of_grids({{{100, 100}, {10, 10}}});
  EXPECT_EQ(error_of(*slide, 1, {0, 0, 1, 1}).to_string(),
            "out of range: image 1 of test slide, which has 1 images");
  EXPECT_EQ(error_of(*slide, -1, {0, 0, 1, 1}).code, Errc::out_of_range);
  EXPECT_EQ(error_of(*slide, 0, {0, 0, 0, 5}).to_string(),
            "invalid argument: a region of 0x5 pixels, expected at least 1x1");
  EXPECT_EQ(error_of(*slide, 0, {0, 0, 5, -1}).code, Errc::invalid_argument);
  EXPECT_EQ(error_of(*slide, 0, {INT64_MAX - 4, 0, 5, 5}).to_string(),
            "invalid argument: a region of 5x5 pixels at 9223372036854775803,0 passes 64-bit coordinates");
  EXPECT_EQ(error_of(*slide, 0, {0, INT64_MAX, 1, 1}).code, Errc::invalid_argument);
}

TEST(PlanRegion, InsideOneTile) {
  const auto slide = slide_of_grids({{{100, 100}, {10, 20}}});
  const auto plan = plan_region(*slide, 7, 0, {31, 42, 5, 6});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->slide, 7u);
  EXPECT_EQ(plan->size, (Size{5, 6}));
  EXPECT_EQ(plan->covered, (Rect{0, 0, 5, 6}));
  ASSERT_EQ(plan->copies.size(), 1u);
  EXPECT_EQ(plan->copies[0].tile, (TileKey{7, 0, 3, 2}));
  EXPECT_EQ(plan->copies[0].src, (Rect{1, 2, 5, 6}));
  EXPECT_EQ(plan->copies[0].dst, (Point{0, 0}));
}

TEST(PlanRegion, ClipsAtEverySideAndOrdersRowMajor) {
  const auto slide = slide_of_grids({{{25, 15}, {10, 10}}});
  const auto plan = plan_region(*slide, 0, 0, {-5, -3, 100, 50});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->covered, (Rect{5, 3, 25, 15}));
  ASSERT_EQ(plan->copies.size(), 6u);
  EXPECT_EQ(plan->copies[2].tile, (TileKey{0, 0, 2, 0}));
  EXPECT_EQ(plan->copies[2].src, (Rect{0, 0, 5, 10}));  // a tile's padding is not shown
  EXPECT_EQ(plan->copies[2].dst, (Point{25, 3}));
  EXPECT_EQ(plan->copies[3].tile, (TileKey{0, 0, 0, 1}));
  EXPECT_EQ(plan->copies[3].src, (Rect{0, 0, 10, 5}));
}

TEST(PlanRegion, WhollyOutsideIsAllBackground) {
  const auto slide = slide_of_grids({{{25, 15}, {10, 10}}});
  for (const Rect& region : {Rect{25, 0, 5, 5}, Rect{0, 15, 5, 5}, Rect{-5, 0, 5, 5}, Rect{3, -9, 5, 9},
                             Rect{INT64_MIN, INT64_MIN, 9, 9}, Rect{INT64_MAX - 9, 0, 9, 9}}) {
    const auto plan = plan_region(*slide, 0, 0, region);
    ASSERT_TRUE(plan.ok());
    EXPECT_TRUE(plan->covered.empty());
    EXPECT_TRUE(plan->copies.empty());
  }
}

TEST(PlanRegion, ExtremesThatReachTheImage) {
  const auto slide = slide_of_grids({{{25, 15}, {10, 10}}});
  const auto left = plan_region(*slide, 0, 0, {-INT64_MAX, 0, INT64_MAX, 1});  // ends where the image begins
  ASSERT_TRUE(left.ok());
  EXPECT_TRUE(left->covered.empty());
  const auto all = plan_region(*slide, 0, 0, {-INT64_MAX + 100, 0, INT64_MAX, 1});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->covered, (Rect{INT64_MAX - 100, 0, 25, 1}));
  EXPECT_EQ(all->copies.size(), 3u);
}

TEST(PlanRegion, CoversEveryPixelOnceFromTheRightPlace) {
  std::mt19937 random(3);
  const auto upto = [&](int64_t most) { return std::uniform_int_distribution<int64_t>(1, most)(random); };
  for (int round = 0; round < 500; ++round) {
    const Size size{upto(60), upto(60)}, tile{upto(20), upto(20)};
    const auto slide = slide_of_grids({{size, tile}});
    const Rect region{upto(120) - 60, upto(120) - 60, upto(80), upto(80)};
    const auto plan = plan_region(*slide, 0, 0, region);
    ASSERT_TRUE(plan.ok());
    // -1: background; otherwise the pixel's number in the image.
    std::vector<int64_t> canvas(static_cast<size_t>(region.w * region.h), -1);
    for (const TileCopy& copy : plan->copies) {
      ASSERT_TRUE(slide->image(0).shown(copy.tile.col, copy.tile.row).contains(copy.src));
      ASSERT_FALSE(copy.src.empty());
      for (int64_t y = 0; y < copy.src.h; ++y) {
        for (int64_t x = 0; x < copy.src.w; ++x) {
          int64_t& pixel = canvas[static_cast<size_t>((copy.dst.y + y) * region.w + copy.dst.x + x)];
          ASSERT_EQ(pixel, -1) << "covered twice";
          pixel =
              (copy.tile.row * tile.h + copy.src.y + y) * size.w + copy.tile.col * tile.w + copy.src.x + x;
        }
      }
    }
    const Rect covered = plan->covered;
    for (int64_t y = 0; y < region.h; ++y) {
      for (int64_t x = 0; x < region.w; ++x) {
        const int64_t image_x = region.x + x, image_y = region.y + y;
        const bool inside = image_x >= 0 && image_y >= 0 && image_x < size.w && image_y < size.h;
        ASSERT_EQ(canvas[static_cast<size_t>(y * region.w + x)], inside ? image_y * size.w + image_x : -1);
        ASSERT_EQ(covered.contains({x, y, 1, 1}), inside);
      }
    }
  }
}

TEST(TileKeyHash, NeighboursDoNotCollide) {
  std::unordered_set<size_t> hashes;
  for (uint32_t slide = 0; slide < 3; ++slide)
    for (uint32_t image = 0; image < 3; ++image)
      for (uint32_t row = 0; row < 100; ++row)
        for (uint32_t col = 0; col < 100; ++col) hashes.insert(TileKeyHash{}({slide, image, col, row}));
  EXPECT_EQ(hashes.size(), 90000u);
}

}  // namespace
}  // namespace microtome
