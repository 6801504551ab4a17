#include "microtome/read/batch_read.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/read/batch_read_for_test.h"

namespace microtome {
namespace {

TEST_F(BatchReadTest, AWholeImageIsDecodedInPlace) {
  TestSlide made({{.size = {100, 70}, .tile = {32, 16}}});
  plan({made.open()}, {{0, 0, {0, 0, 100, 70}}});
  EXPECT_EQ(read_->unit_count(), 4u * 5);
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(read_->done());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 100, 70}, kFill));
  EXPECT_TRUE(canvases_[0].gaps_untouched());
  EXPECT_EQ(counters_.decoded, 20u);
  EXPECT_EQ(counters_.direct, 20u);
  EXPECT_EQ(counters_.shared, 0u);
  EXPECT_EQ(counters_.absent, 0u);
  EXPECT_EQ(counters_.packed_bytes, 20u * 32 * 16 * 3);
}

// Patches of a tile's size that start in a tile's middle: every tile is shared by up to four of them.
TEST_F(BatchReadTest, AHalfTileGridDecodesEachTileOnce) {
  TestSlide made({{.size = {128, 128}, .tile = {32, 32}}});
  std::vector<Wanted> grid;
  for (int64_t y = 16; y < 112; y += 32)
    for (int64_t x = 16; x < 112; x += 32) grid.push_back({0, 0, {x, y, 32, 32}});
  plan({made.open()}, grid);
  ASSERT_TRUE(drain().ok());
  for (size_t i = 0; i < grid.size(); ++i)
    EXPECT_TRUE(made.shows(canvases_[i].view(), 0, grid[i].rect, kFill)) << i;
  EXPECT_EQ(counters_.decoded, 16u);
  EXPECT_EQ(counters_.direct, 4u) << "the corner tiles, each with one placement";
  EXPECT_EQ(counters_.shared, 4u * 9 - 16);
}

TEST_F(BatchReadTest, EqualRegionsAreDecodedOnceAndCopied) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  const std::vector<Wanted> twice{{0, 0, {5, 5, 40, 20}}, {0, 0, {5, 5, 40, 20}}};
  plan({made.open()}, twice);
  ASSERT_TRUE(drain().ok());
  for (const TestCanvas& canvas : canvases_) EXPECT_TRUE(made.shows(canvas.view(), 0, twice[0].rect, kFill));
  EXPECT_EQ(counters_.decoded, 2u);
  EXPECT_EQ(counters_.direct, 2u);
  EXPECT_EQ(counters_.shared, 2u);
}

TEST_F(BatchReadTest, TwoSlidesOfDifferentTilesShareABatch) {
  TestSlide first({{.size = {100, 100}, .tile = {32, 32}}, {.size = {50, 50}, .tile = {16, 16}}}),
      second({{.size = {90, 60}, .tile = {48, 16}}});
  const std::vector<Wanted> wanted{
      {1, 0, {10, 10, 40, 40}}, {0, 0, {70, 70, 50, 50}}, {0, 1, {0, 0, 50, 50}}, {1, 0, {-5, 50, 40, 40}}};
  plan({first.open(), second.open()}, wanted);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Worker worker;
      if (!read_->drain(worker).ok()) ++failures;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(read_->done());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const TestSlide& made = wanted[i].slide == 0 ? first : second;
    EXPECT_TRUE(made.shows(canvases_[i].view(), static_cast<size_t>(wanted[i].image), wanted[i].rect, kFill))
        << i;
    EXPECT_TRUE(canvases_[i].gaps_untouched());
  }
}

TEST_F(BatchReadTest, AbsentTilesAndTheOutsideAreFilled) {
  TestSlide made({{.size = {96, 96}, .tile = {32, 32}, .absent = [](int64_t col, int64_t row) {
                     return (col + row) % 2 == 0;
                   }}});
  const Rect region{-20, -10, 150, 130}, outside{200, 200, 10, 10};
  plan({made.open()}, {{0, 0, region}, {0, 0, outside}});
  EXPECT_EQ(read_->unit_count(), 9u + 2);
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, region, kFill));
  EXPECT_TRUE(made.shows(canvases_[1].view(), 0, outside, kFill));
  EXPECT_EQ(counters_.decoded, 4u);
  EXPECT_EQ(counters_.absent, 5u);
}

TEST_F(BatchReadTest, ErrorsNameTheTile) {
  const auto cut = [](int64_t col, int64_t row) { return col == 1 && row == 2; };
  TestSlide made({{.size = {96, 96}, .tile = {32, 32}, .cut = cut}});
  plan({made.open()}, {{0, 0, {0, 0, 96, 96}}});
  const ByteRange range = made.range(0, 1, 2);
  EXPECT_EQ(error(),
            fmt::format("corrupt: raw: 1536 bytes cannot hold the 32 rows of 96 bytes that are needed "
                        "(tile 1,2 level 0, bytes {}+1536, made.svs)",
                        range.offset));
  EXPECT_FALSE(read_->done());
}

TEST_F(BatchReadTest, ErrorsNameTheAssociatedImage) {
  const auto cut = [](int64_t, int64_t row) { return row == 3; };
  TestSlide made({{.size = {32, 32}, .tile = {32, 32}}},
                 {{"label", {.size = {20, 30}, .tile = {20, 8}, .strips = true, .cut = cut}}});
  plan({made.open()}, {{0, 1, {0, 0, 20, 30}}});
  EXPECT_EQ(error(), fmt::format("corrupt: raw: 180 bytes cannot hold the 6 rows of 60 bytes that are needed "
                                 "(tile 0,3 associated image label, bytes {}+180, made.svs)",
                                 made.range(1, 0, 3).offset));
}

TEST_F(BatchReadTest, AFailingReadNamesTheTile) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  const auto source = std::make_shared<FakeSource>(made.bytes());
  source->broken_offset = made.range(0, 1, 0).offset;
  plan({made.open(source)}, {{0, 0, {0, 0, 64, 64}}});
  EXPECT_EQ(error(), "io: the disk is broken (tile 1,0 level 0, bytes 3072+3072, fake.svs)");
}

TEST_F(BatchReadTest, AnAbsurdByteCountIsRefusedBeforeItAllocates) {
  SlideIndex index;
  auto grid = std::make_unique<TileGrid>();
  grid->size = grid->tile = grid->format.size = {256, 256};
  grid->cols = grid->rows = 1;
  grid->offsets = tiff::LazyArray::of({0});
  grid->byte_counts = tiff::LazyArray::of({uint64_t{5} << 40});
  index.levels.push_back(std::move(grid));
  const auto source = std::make_shared<FakeSource>(std::vector<std::byte>(), uint64_t{5} << 40);
  auto slide = Slide::make(source, "test", std::move(index));
  ASSERT_TRUE(slide.ok());
  plan({*slide}, {{0, 0, {0, 0, 256, 256}}});
  EXPECT_EQ(error(),
            "corrupt: a tile of 5497558138880 bytes, expected at most 67108864 for 256x256 pixels "
            "(tile 0,0 level 0, bytes 0+5497558138880, fake.svs)");
  EXPECT_EQ(source->reads, 0);
}

TEST_F(BatchReadTest, OnErrorFillReportsEachRegionOfABrokenTile) {
  const auto cut = [](int64_t col, int64_t row) { return row == 0 && col != 1; };
  for (const bool cached : {false, true}) {
    TestSlide made({{.size = {96, 64}, .tile = {32, 32}, .absent = nullptr, .cut = cut}});
    // The same with broken tiles as background.
    const TestSlide reference({{.size = {96, 64}, .tile = {32, 32}, .absent = cut}});
    const std::vector<Wanted> wanted{
        {0, 0, {0, 0, 96, 64}}, {0, 0, {32, 0, 32, 64}}, {0, 0, {16, 16, 32, 32}}};
    TileCache cache(1 << 20);
    options_.cache = cached ? &cache : nullptr;
    options_.on_error = OnError::fill;
    plan({made.open()}, wanted);
    ASSERT_TRUE(drain().ok());
    ASSERT_TRUE(read_->done());
    for (size_t i = 0; i < wanted.size(); ++i)
      EXPECT_TRUE(reference.shows(canvases_[i].view(), 0, wanted[i].rect, kFill)) << i;
    const std::vector<RegionError> errors = read_->take_errors();
    ASSERT_EQ(errors.size(), 3u);
    EXPECT_EQ(errors[0].region, 0u);
    EXPECT_NE(errors[0].error.message.find("(tile 0,0 level 0"), std::string::npos);
    EXPECT_EQ(errors[1].region, 0u);
    EXPECT_NE(errors[1].error.message.find("(tile 2,0 level 0"), std::string::npos);
    EXPECT_EQ(errors[2].region, 2u);
    EXPECT_NE(errors[2].error.message.find("(tile 0,0 level 0"), std::string::npos);
    EXPECT_TRUE(read_->take_errors().empty());
    EXPECT_EQ(cache.info().tiles, cached ? 4u : 0u) << "broken tiles are not kept";
  }
}

TEST_F(BatchReadTest, OnErrorFillForgivesATileThatCannotBeRead) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  const auto source = std::make_shared<FakeSource>(made.bytes());
  source->broken_offset = made.range(0, 1, 0).offset;
  options_.on_error = OnError::fill;
  plan({made.open(source)}, {{0, 0, {0, 0, 64, 64}}});
  ASSERT_TRUE(drain().ok());
  ASSERT_EQ(read_->take_errors().size(), 1u);
}

TEST_F(BatchReadTest, OnErrorFillForgivesNeitherAChangedFileNorLackOfMemory) {
  options_.on_error = OnError::fill;
  {
    TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
    const auto source = std::make_shared<FakeSource>(made.bytes());
    source->changed = true;
    plan({made.open(source)}, {{0, 0, {0, 0, 64, 64}}});
    EXPECT_EQ(error(), "io: file changed");
    EXPECT_EQ(source->reads, 0);
  }
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  const auto source = std::make_shared<FakeSource>(made.bytes());
  source->throws = true;
  plan({made.open(source)}, {{0, 0, {0, 0, 64, 64}}});
  EXPECT_EQ(error(), "out of memory: no memory left");
}

TEST_F(BatchReadTest, LooksForChangesOnceInEachSource) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}}), other({{.size = {64, 64}, .tile = {32, 32}}}),
      unused({{.size = {64, 64}, .tile = {32, 32}}});
  const auto source = std::make_shared<FakeSource>(made.bytes());
  const auto other_source = std::make_shared<FakeSource>(other.bytes());
  const auto unused_source = std::make_shared<FakeSource>(unused.bytes());
  plan({made.open(source), unused.open(unused_source), other.open(other_source)},
       {{0, 0, {0, 0, 64, 64}}, {2, 0, {0, 0, 64, 64}}, {0, 0, {0, 0, 10, 10}}});
  ASSERT_TRUE(drain().ok());
  ASSERT_TRUE(drain().ok());
  EXPECT_EQ(source->checks, 1);
  EXPECT_EQ(other_source->checks, 1);
  EXPECT_EQ(unused_source->checks, 0);
  EXPECT_EQ(other_source->reads, 4);
}

TEST_F(BatchReadTest, StopsAndGoesOn) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  plan({made.open()}, {{0, 0, {0, 0, 64, 64}}});
  std::atomic<bool> stop{true};
  EXPECT_TRUE(drain(&stop).ok());
  EXPECT_FALSE(read_->done());
  EXPECT_EQ(counters_.decoded, 1u);  // it always gets on
  stop = false;
  EXPECT_FALSE(read_->all_taken());  // whatever the flag says by now
  EXPECT_TRUE(drain(&stop).ok());
  EXPECT_TRUE(read_->all_taken());
  EXPECT_TRUE(read_->done());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 64, 64}, kFill));
}

TEST_F(BatchReadTest, AfterAFailureEveryDrainGivesIt) {
  const auto cut = [](int64_t col, int64_t row) { return col == 0 && row == 0; };
  TestSlide made({{.size = {320, 320}, .tile = {32, 32}, .cut = cut}});
  plan({made.open()}, {{0, 0, {0, 0, 320, 320}}});
  const std::string first = error();
  EXPECT_EQ(error(), first);
  EXPECT_EQ(counters_.decoded, 1u) << "went on after the failure";
}

TEST_F(BatchReadTest, TheCacheServesTheSecondBatch) {
  TestSlide made(
      {{.size = {96, 70}, .tile = {32, 32}, .absent = [](int64_t col, int64_t) { return col == 1; }}});
  const auto slide = made.open();
  TileCache cache(1 << 20);
  options_.cache = &cache;
  const Rect region{10, 5, 86, 65};
  plan({slide}, {{0, 0, region}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, region, kFill));
  EXPECT_EQ(counters_.decoded, 6u);
  EXPECT_EQ(counters_.direct, 0u);
  EXPECT_EQ(counters_.shared, 0u);
  EXPECT_EQ(cache.info().bytes, 3u * 70 * 64) << "only what the image shows of its tiles";
  const uint64_t packed = counters_.packed_bytes;

  const Rect again{0, 0, 96, 70};  // more of the same tiles
  plan({slide}, {{0, 0, again}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, again, kFill));
  EXPECT_EQ(counters_.decoded, 6u);
  EXPECT_EQ(counters_.shared, 6u);
  EXPECT_EQ(counters_.packed_bytes, packed);
}

TEST_F(BatchReadTest, KeepSaysWhichTilesAreCached) {
  TestSlide made({{.size = {96, 96}, .tile = {32, 32}}});
  TileCache cache(1 << 20);
  options_.cache = &cache;
  options_.keep = [](const TileKey& tile) {
    return tile.row == 1 ? std::optional(Rect{0, 0, 32, 32}) : std::nullopt;
  };
  plan({made.open()}, {{0, 0, {0, 0, 96, 96}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 96, 96}, kFill));
  EXPECT_EQ(cache.info().tiles, 3u);
  EXPECT_EQ(counters_.direct, 6u);
}

TEST_F(BatchReadTest, KeepSaysWhichPartOfATileIsCached) {
  TestSlide made({{.size = {32, 32}, .tile = {32, 32}}});
  const auto slide = made.open();
  TileCache cache(1 << 20);
  options_.cache = &cache;
  options_.keep = [](const TileKey&) { return std::optional(Rect{0, 16, 32, 16}); };
  const auto read = [&](const Rect& region) {
    plan({slide}, {{0, 0, region}});
    EXPECT_TRUE(drain().ok());
    EXPECT_TRUE(made.shows(canvases_[0].view(), 0, region, kFill));
    return counters_.decoded.load();
  };
  EXPECT_EQ(read({0, 0, 32, 16}), 1u);  // takes another part than it keeps
  EXPECT_EQ(cache.info().bytes, 3u * 32 * 16);
  EXPECT_EQ(read({0, 16, 32, 16}), 1u);
  EXPECT_EQ(read({5, 20, 27, 7}), 1u);
  EXPECT_EQ(counters_.shared, 2u);
  EXPECT_EQ(read({5, 15, 27, 7}), 2u);  // a row of it was not kept
  EXPECT_EQ(counters_.direct, 1u);
  EXPECT_EQ(cache.info().bytes, 3u * 32 * 16);
}

TEST_F(BatchReadTest, ConsultTakesFromTheCacheAndLeavesIt) {
  TestSlide made({{.size = {96, 96}, .tile = {32, 32}}});
  const auto slide = made.open();
  TileCache cache(1 << 20);
  options_.cache = &cache;
  plan({slide}, {{0, 0, {0, 0, 32, 32}}});
  ASSERT_TRUE(drain().ok());
  options_.cache_use = CacheUse::consult;
  plan({slide}, {{0, 0, {0, 0, 96, 96}}});
  ASSERT_TRUE(drain().ok());
  EXPECT_TRUE(made.shows(canvases_[0].view(), 0, {0, 0, 96, 96}, kFill));
  EXPECT_EQ(cache.info().tiles, 1u);
  EXPECT_EQ(cache.info().hits, 1u);
  EXPECT_EQ(counters_.decoded, 1u + 8);
  EXPECT_EQ(counters_.direct, 8u);
  EXPECT_EQ(counters_.shared, 1u);
}

TEST_F(BatchReadTest, RefusesDestinationsThatDoNotFit) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  const auto slide = made.open();
  const auto planned = plan_region(*slide, 0, 0, {0, 0, 40, 40});
  ASSERT_TRUE(planned.ok());
  const auto message = [&](const std::vector<TestCanvas>& canvases) {
    std::vector<ImageView> views;
    for (const TestCanvas& canvas : canvases) views.push_back(canvas.view());
    BatchRead read({slide}, plan_batch(std::vector(canvases.empty() ? 1 : canvases.size(), *planned)), views,
                   options_);
    const Status status = read.drain(worker_);
    for (const TestCanvas& canvas : canvases) EXPECT_TRUE(canvas.untouched());
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Errc::invalid_argument);
    return status.error().message;
  };
  const TestCanvas right({40, 40}, 3, SampleType::u8);
  EXPECT_EQ(message({}), "0 destinations, expected 1, one for each region");
  EXPECT_EQ(message({right, TestCanvas({40, 41}, 3, SampleType::u8)}),
            "destination 1 is 40x41 pixels, expected 40x40 as its region");
  EXPECT_EQ(message({right, TestCanvas({40, 40}, 4, SampleType::u8)}),
            "destination 1 has 4 uint8 samples, expected 3 uint8 as destination 0");
  options_.fill.resize(6);
  EXPECT_EQ(message({TestCanvas({40, 40}, 3, SampleType::u16)}),
            "the destination has 3 uint16 samples, expected 3 uint8 as level 0 of made.svs");
  EXPECT_EQ(message({right}), "fill is 6 bytes, expected 3: one pixel of 3 uint8 samples");
}

}  // namespace
}  // namespace microtome
