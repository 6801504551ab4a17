// The ways by which a tile gets its pixels without a decoder or a read of its own.
#include "microtome/read/tile_placer.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "microtome/read/batch_read_for_test.h"

namespace microtome {
namespace {

using TilePlacerTest = BatchReadTest;

bool dark_square(int64_t col, int64_t row) {
  return (col + row) % 2 == 1;
}

TEST_F(TilePlacerTest, ATileOfOneColourIsDecodedOnceAndFilledAfterThat) {
  TestSlide made({{.size = {128, 128}, .tile = {32, 32}, .flat = dark_square}});
  const auto slide = made.open();
  const std::vector<Wanted> whole{{0, 0, {0, 0, 128, 128}}},
      patches{{0, 0, {20, 20, 40, 40}}, {0, 0, {33, 1, 9, 9}}};
  plan({slide}, whole);
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, whole[0].rect, kFill));
  EXPECT_EQ(counters_.decoded, 8u + 1) << "one for all eight of one colour";
  EXPECT_EQ(counters_.constant, 7u);
  // Another read of the same worker knows it from the start, for parts of tiles and several placements too.
  plan({slide}, patches);
  ASSERT_TRUE(drain().ok());
  for (size_t i = 0; i < patches.size(); ++i)
    EXPECT_TRUE(made.shows(canvases_[i].view(), 0, patches[i].rect, kFill)) << i;
  EXPECT_TRUE(canvases_[0].gaps_untouched());
  EXPECT_EQ(counters_.constant, 7u + 2) << "tiles 1,0 and 0,1";
}

TEST_F(TilePlacerTest, AFlatTileGoesThroughTheCacheToo) {
  TestSlide made({{.size = {128, 128}, .tile = {32, 32}, .flat = dark_square}});
  TileCache cache(1 << 20);
  options_.cache = &cache;
  const auto slide = made.open();
  plan({slide}, {{0, 0, {0, 0, 128, 128}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 128, 128}, kFill));
  EXPECT_EQ(counters_.decoded, 9u);
  EXPECT_EQ(counters_.constant, 7u);
  EXPECT_EQ(cache.info().tiles, 16u);
  EXPECT_EQ(cache.info().bytes, 8u * 32 * 32 * 3 + 8 * 3) << "a flat one takes the room of a pixel";
  plan({slide}, {{0, 0, {20, 20, 40, 40}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {20, 20, 40, 40}, kFill)) << "from the cache";
  EXPECT_EQ(counters_.decoded, 9u);
}

// The upper half is wanted, the lower one kept: one colour, bytes decoded before, or neither.
TEST_F(TilePlacerTest, PartsAreKeptOnEveryWay) {
  TestSlide made({{.size = {128, 32},
                   .tile = {32, 32},
                   .flat = [](int64_t col, int64_t) { return col < 2; },
                   .twin = [](int64_t col, int64_t) { return col == 3; }}});
  const auto slide = made.open();
  TileCache cache(1 << 20);
  plan({slide}, {{0, 0, {64, 0, 32, 32}}});
  ASSERT_TRUE(drain().ok());
  options_.cache = &cache;
  options_.keep = [](const TileKey&) { return std::optional(Rect{0, 16, 32, 16}); };
  plan({slide}, {{0, 0, {0, 0, 128, 16}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 128, 16}, kFill));
  EXPECT_EQ(counters_.constant, 1u);
  EXPECT_EQ(cache.info().bytes, 2u * 32 * 16 * 3 + 2 * 3);
  const uint64_t decoded = counters_.decoded;
  plan({slide}, {{0, 0, {0, 16, 128, 16}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 16, 128, 16}, kFill)) << "from the cache";
  EXPECT_EQ(counters_.decoded, decoded);
}

TEST_F(TilePlacerTest, TilesOfTheSameBytesAreDecodedOncePerRead) {
  TestSlide made({{.size = {128, 128}, .tile = {32, 32}, .twin = dark_square}});
  const auto slide = made.open();
  for (uint64_t read = 1; read <= 2; ++read) {
    plan({slide}, {{0, 0, {0, 0, 128, 128}}});
    ASSERT_TRUE(drain().ok());
    EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 128, 128}, kFill));
    EXPECT_TRUE(canvases_[0].gaps_untouched());
    EXPECT_EQ(counters_.decoded, 8 * read);
    EXPECT_EQ(counters_.twins, 8 * read);
  }
}

TEST_F(TilePlacerTest, TilesAtOneOffsetAreDecodedOncePerReadWithoutReadingThemTwice) {
  TestSlide made({{.size = {128, 32},
                   .tile = {32, 32},
                   .twin = [](int64_t, int64_t) { return true; },
                   .share_twins = true}});
  auto source = std::make_shared<FakeSource>(made.bytes());
  plan({made.open(source)}, {{0, 0, {0, 0, 128, 32}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 128, 32}, kFill));
  EXPECT_EQ(counters_.decoded, 1u);
  EXPECT_EQ(counters_.twins, 3u);
  EXPECT_EQ(source->reads, 1);
}

// A twin serves no more than what was decoded of it.
TEST_F(TilePlacerTest, APartOfATwinServesOnlyParts) {
  TestSlide made({{.size = {128, 32}, .tile = {32, 32}, .twin = [](int64_t, int64_t) { return true; }}});
  const std::vector<Wanted> wanted{
      {0, 0, {4, 4, 20, 20}}, {0, 0, {32 + 5, 6, 10, 10}}, {0, 0, {64 + 3, 4, 20, 20}}};
  plan({made.open()}, wanted);
  ASSERT_TRUE(drain().ok());
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_TRUE(made.shows(canvases_[i].view(), 0, wanted[i].rect, kFill)) << i;
  EXPECT_EQ(counters_.twins, 1u);
  EXPECT_EQ(counters_.decoded, 2u);
}

// 9 MB of tiles side by side, of which a thread takes eight at a time.
TEST_F(TilePlacerTest, NeighboursInTheFileAreReadTogether) {
  TestSlide made({{.size = {1024, 1024}, .tile = {32, 32}}});
  auto source = std::make_shared<FakeSource>(made.bytes());
  plan({made.open(source)}, {{0, 0, {0, 0, 1024, 1024}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 1024, 1024}, kFill));
  EXPECT_EQ(counters_.decoded, 1024u);
  EXPECT_LT(source->reads, 350);
  EXPECT_EQ(counters_.packed_bytes, 1024u * 32 * 32 * 3);
}

}  // namespace
}  // namespace microtome
