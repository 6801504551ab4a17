// What opening costs in reads, counted: it must not grow with the number of tiles.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "microtome/slide/slide.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

// 100,172 tiles, whose offsets and byte counts take 800 KB.
constexpr Size kLarge{316 * 256, 317 * 256};
constexpr Size kTile{256, 256};

TestTiff pyramid(Size size, const std::string& description) {
  TestTiff tiff;
  for (int64_t reduction = 1; reduction <= 64; reduction *= 4) {
    auto& level = tiff.directory(tiled({size.w / reduction, size.h / reduction}, kTile));
    level.set(u32(tag::kNewSubfileType, {reduction == 1 ? 0u : 1u})).set(ascii(270, description));
  }
  return tiff;
}

struct Cost {
  uint64_t reads = 0, bytes = 0;
};

Cost cost_of_opening(const TestTiff& tiff, size_t levels, std::string_view format) {
  const auto source = std::make_shared<tiff::CountingSource>(tiff.source());
  const auto slide = Slide::open(source);
  EXPECT_TRUE(slide.ok()) << slide.error().to_string();
  if (!slide.ok()) return {};
  EXPECT_EQ((*slide)->levels().size(), levels);
  EXPECT_EQ((*slide)->format(), format);
  return {source->reads, source->bytes};
}

TEST(OpenCost, OfAGenericTiffDoesNotGrowWithItsTiles) {
  const Cost small = cost_of_opening(pyramid({64 * 64, 64 * 64}, "a slide"), 4, "generic-tiff");
  const Cost large = cost_of_opening(pyramid(kLarge, "a slide"), 4, "generic-tiff");
  EXPECT_LE(large.reads, 24u);
  EXPECT_LE(large.bytes, 20u << 10);
  // Arrays of one value stand in their entries, so the small one is no more than somewhat cheaper.
  EXPECT_LE(large.reads, small.reads + 8);
}

TEST(OpenCost, OfAnAperioSlideDoesNotGrowWithItsTiles) {
  const Cost large = cost_of_opening(pyramid(kLarge, "Aperio x\r\n|AppMag = 40|MPP = 0.25"), 4, "aperio");
  EXPECT_LE(large.reads, 24u);
  EXPECT_LE(large.bytes, 20u << 10);
}

TEST(OpenCost, FindingOneTileReadsOnePageOfEachArray) {
  const auto source = std::make_shared<tiff::CountingSource>(pyramid(kLarge, "a slide").source());
  const auto slide = Slide::open(source).value();
  const uint64_t reads = source->reads, bytes = source->bytes;
  ASSERT_TRUE(slide->tile(0, 200, 200).ok());
  EXPECT_EQ(source->reads - reads, 2u);
  EXPECT_EQ(source->bytes - bytes, 2 * tiff::LazyArray::kPageValues * sizeof(uint32_t));
  ASSERT_TRUE(slide->tile(0, 201, 200).ok());
  EXPECT_EQ(source->reads - reads, 2u);
}

}  // namespace
}  // namespace microtome
