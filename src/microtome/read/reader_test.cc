#include "microtome/read/reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "microtome/io/temporary_files_for_test.h"
#include "microtome/read/slides_for_test.h"

namespace microtome {
namespace {

/// A reader with all it shares.
struct Fixture {
  explicit Fixture(size_t cache_bytes = 0) : cache(std::make_shared<TileCache>(cache_bytes)) {}
  explicit Fixture(std::function<int()> cpus) : workers(std::make_shared<WorkerPool>(std::move(cpus))) {}

  std::shared_ptr<Executor> executor = std::make_shared<Executor>();
  std::shared_ptr<TileCache> cache = std::make_shared<TileCache>(0);
  std::shared_ptr<WorkerPool> workers = std::make_shared<WorkerPool>();
  std::shared_ptr<BufferPool> buffers = BufferPool::make(1 << 20);
  std::shared_ptr<ReadCounters> counters = std::make_shared<ReadCounters>();
  Reader reader{executor, cache, workers, buffers, counters};
};

ReadOptions options_of(const TestImage& image, int workers) {
  ReadOptions options;
  options.workers = workers;
  for (size_t i = 0; i < image.samples * sample_bytes(image.type); ++i)
    options.fill.push_back(static_cast<std::byte>(17 * i + 200));
  return options;
}

std::string text(const Status& status) {
  return status.ok() ? "ok" : status.error().to_string();
}

/// Levels, edge tiles, absent tiles, wide samples, and strips as an associated image.
TestSlide varied_slide() {
  const auto sparse = [](int64_t col, int64_t row) { return (3 * col + row) % 4 == 0; };
  return TestSlide({{.size = {200, 150}, .tile = {32, 32}},
                    {.size = {101, 75}, .tile = {16, 48}, .absent = sparse},
                    {.size = {50, 37}, .tile = {64, 64}},
                    {.size = {40, 30}, .tile = {16, 16}, .samples = 1, .type = SampleType::u16},
                    {.size = {20, 15}, .tile = {16, 16}, .samples = 5, .type = SampleType::f32}},
                   {{"label", {.size = {33, 50}, .tile = {33, 16}, .strips = true}}});
}

class ReaderPixelsTest : public ::testing::TestWithParam<std::tuple<int, size_t>> {};

TEST_P(ReaderPixelsTest, RandomRegionsAreExact) {
  const auto [workers, cache_bytes] = GetParam();
  TestSlide made = varied_slide();
  const auto slide = made.open();
  Fixture fixture(cache_bytes);
  std::mt19937 random(7);
  const auto between = [&random](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int i = 0; i < 120; ++i) {
    const auto number = static_cast<size_t>(i % slide->image_count());
    const TestImage& image = made.image(number);
    const Rect region{between(-40, image.size.w + 10), between(-40, image.size.h + 10), between(1, 90),
                      between(1, 90)};
    const TestCanvas canvas(region.size(), image, i % 2 * 5);
    const ReadOptions options = options_of(image, workers);
    const Status status =
        fixture.reader.read(slide, static_cast<int>(number), region, canvas.view(), options, nullptr);
    ASSERT_TRUE(status.ok()) << text(status);
    ASSERT_TRUE(made.shows(canvas.view(), number, region, options.fill))
        << "region " << region.x << "," << region.y << " " << region.w << "x" << region.h;
    ASSERT_TRUE(canvas.gaps_untouched());
  }
}

INSTANTIATE_TEST_SUITE_P(WorkersAndCache, ReaderPixelsTest,
                         ::testing::Combine(::testing::Values(1, 2, 8),
                                            ::testing::Values(size_t{0}, size_t{20000}, size_t{1} << 20)));

TEST(Reader, OneWorkerStartsNoThreadAndMoreDo) {
  TestSlide made = varied_slide();
  const auto slide = made.open();
  const TestCanvas canvas({200, 150}, made.image(0));
  Fixture fixture;
  ASSERT_TRUE(
      fixture.reader.read(slide, 0, {0, 0, 200, 150}, canvas.view(), options_of(made.image(0), 1), nullptr)
          .ok());
  EXPECT_EQ(fixture.executor->thread_count(), 0);
  EXPECT_EQ(fixture.workers->idle_count(), 1u);
  // One tile: nothing to share with another thread.
  const TestCanvas small({10, 10}, made.image(0));
  ASSERT_TRUE(
      fixture.reader.read(slide, 0, {0, 0, 10, 10}, small.view(), options_of(made.image(0), 8), nullptr)
          .ok());
  EXPECT_EQ(fixture.executor->thread_count(), 0);
  ASSERT_TRUE(
      fixture.reader.read(slide, 0, {0, 0, 200, 150}, canvas.view(), options_of(made.image(0), 3), nullptr)
          .ok());
  EXPECT_GE(fixture.executor->thread_count(), 1);
  EXPECT_LE(fixture.executor->thread_count(), 3);
}

TEST(Reader, StartsNoMoreThreadsThanThereAreCpus) {
  TestSlide made = varied_slide();
  const auto slide = made.open();
  const TestCanvas canvas({200, 150}, made.image(0));
  Fixture fixture([] { return 2; });
  ASSERT_TRUE(
      fixture.reader.read(slide, 0, {0, 0, 200, 150}, canvas.view(), options_of(made.image(0), 16), nullptr)
          .ok());
  EXPECT_EQ(fixture.executor->thread_count(), 1) << "and the caller's";
  EXPECT_TRUE(made.shows(canvas.view(), 0, {0, 0, 200, 150}, options_of(made.image(0), 1).fill));
}

TEST(Reader, ASmallReadOfCachedTilesStartsNoThread) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}});
  const auto slide = made.open();
  Fixture fixture(1 << 20);
  const TestImage& image = made.image(0);
  const Rect cached{0, 0, 64, 32}, all{0, 0, 64, 64};
  const TestCanvas half(cached.size(), image), whole(all.size(), image);
  const auto read = [&](const Rect& region, const TestCanvas& canvas, int workers) {
    const ReadOptions options = options_of(image, workers);
    const Status status = fixture.reader.read(slide, 0, region, canvas.view(), options, nullptr);
    EXPECT_TRUE(status.ok()) << text(status);
    EXPECT_TRUE(made.shows(canvas.view(), 0, region, options.fill));
  };
  read(cached, half, 1);
  const auto before = fixture.cache->info();
  read(cached, half, 4);
  EXPECT_EQ(fixture.executor->thread_count(), 0);
  EXPECT_EQ(fixture.cache->info().hits, before.hits + 2) << "looking ahead counts nothing";
  EXPECT_EQ(fixture.cache->info().misses, before.misses);
  read(all, whole, 4);  // two of the four tiles are not there
  EXPECT_GE(fixture.executor->thread_count(), 1);
}

TEST(Reader, CountsInTheSharedCounters) {
  TestSlide made = varied_slide();
  const TestCanvas canvas({200, 150}, made.image(0));
  Fixture fixture;
  ASSERT_TRUE(
      fixture.reader
          .read(made.open(), 0, {0, 0, 200, 150}, canvas.view(), options_of(made.image(0), 2), nullptr)
          .ok());
  EXPECT_EQ(fixture.counters->decoded, 7u * 5);
  EXPECT_EQ(fixture.counters->direct, 7u * 5);
  EXPECT_EQ(&fixture.reader.counters(), fixture.counters.get());
}

TEST(Reader, AReadLargerThanTheCacheLeavesItAlone) {
  TestSlide made = varied_slide();
  const auto slide = made.open();
  const ReadOptions options = options_of(made.image(0), 1);
  Fixture fixture(4 * 32 * 32 * 3);
  const TestCanvas four({64, 64}, made.image(0)), all({200, 150}, made.image(0));
  ASSERT_TRUE(fixture.reader.read(slide, 0, {0, 0, 64, 64}, four.view(), options, nullptr).ok());
  EXPECT_EQ(fixture.cache->info().tiles, 4u);
  ASSERT_TRUE(fixture.reader.read(slide, 0, {0, 0, 200, 150}, all.view(), options, nullptr).ok());
  EXPECT_TRUE(made.shows(all.view(), 0, {0, 0, 200, 150}, options.fill));
  EXPECT_EQ(fixture.cache->info().tiles, 4u);
  EXPECT_EQ(fixture.cache->info().evictions, 0u);
  EXPECT_EQ(fixture.cache->info().hits, 4u);
  EXPECT_EQ(fixture.counters->decoded, 35u);
}

TEST(Reader, RefusesWhatDoesNotFit) {
  TestSlide made = varied_slide();
  const auto slide = made.open();
  Fixture fixture;
  const ReadOptions options = options_of(made.image(0), 1);
  const TestCanvas canvas({20, 10}, made.image(0));
  const auto read = [&](int image, Rect region, const ImageView& dst, const ReadOptions& how) {
    return text(fixture.reader.read(slide, image, region, dst, how, nullptr));
  };
  EXPECT_EQ(read(0, {0, 0, 10, 20}, canvas.view(), options),
            "invalid argument: the destination is 20x10 pixels, expected 10x20 as the region");
  EXPECT_EQ(
      read(3, {0, 0, 20, 10}, canvas.view(), options),
      "invalid argument: the destination has 3 uint8 samples, expected 1 uint16 as level 3 of made.svs");
  EXPECT_EQ(read(0, {0, 0, 20, 10}, canvas.view(), options_of(made.image(3), 1)),
            "invalid argument: fill is 2 bytes, expected 3: one pixel of 3 uint8 samples");
  EXPECT_EQ(read(0, {0, 0, 20, 10}, canvas.view(), options_of(made.image(0), 0)),
            "invalid argument: 0 workers, expected at least 1");
  ReadOptions forgiving = options;
  forgiving.on_error = OnError::fill;
  EXPECT_EQ(read(0, {0, 0, 20, 10}, canvas.view(), forgiving),
            "invalid argument: on_error fill without a place for what it fills");
  EXPECT_EQ(read(6, {0, 0, 20, 10}, canvas.view(), options).substr(0, 13), "out of range:");
  EXPECT_TRUE(canvas.untouched());
}

TEST(Reader, OnErrorFillAppendsWhatItFilled) {
  const auto cut = [](int64_t col, int64_t row) { return col == 1 && row == 0; };
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}, .cut = cut}});
  const TestSlide reference({{.size = {64, 64}, .tile = {32, 32}, .absent = cut}});
  const auto slide = made.open();
  for (const int workers : {1, 4}) {
    Fixture fixture;
    ReadOptions options = options_of(made.image(0), workers);
    const TestCanvas canvas({64, 64}, made.image(0));
    std::vector<RegionError> errors(1);
    const Status raised = fixture.reader.read(slide, 0, {0, 0, 64, 64}, canvas.view(), options, &errors);
    ASSERT_FALSE(raised.ok());
    EXPECT_EQ(raised.error().code, Errc::corrupt);
    EXPECT_EQ(errors.size(), 1u);
    options.on_error = OnError::fill;
    ASSERT_TRUE(fixture.reader.read(slide, 0, {0, 0, 64, 64}, canvas.view(), options, &errors).ok());
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[1].error.message, raised.error().message);
    EXPECT_TRUE(reference.shows(canvas.view(), 0, {0, 0, 64, 64}, options.fill));
  }
}

TEST(Reader, AFileThatShrinksOrChangesFailsTheRead) {
  TestSlide made({{.size = {64, 64}, .tile = {32, 32}}}), again({{.size = {64, 64}, .tile = {32, 32}}});
  const TemporaryDirectory directory;
  const std::string_view content(reinterpret_cast<const char*>(made.bytes().data()), made.bytes().size());
  const std::string path = directory.write("a.tif", content), touched = directory.write("b.tif", content);
  Fixture fixture(1 << 20);
  const ReadOptions options = options_of(made.image(0), 1);
  const TestCanvas canvas({64, 64}, made.image(0));
  const auto read = [&](const std::shared_ptr<const Slide>& slide) {
    return fixture.reader.read(slide, 0, {0, 0, 64, 64}, canvas.view(), options, nullptr);
  };
  auto source = open_file(path), touched_source = open_file(touched);
  ASSERT_TRUE(source.ok() && touched_source.ok());
  const auto slide = made.open(*source), touched_slide = again.open(*touched_source);
  ASSERT_TRUE(read(slide).ok());
  ASSERT_TRUE(read(touched_slide).ok());

  // Every tile is in the cache by now; the read must fail all the same.
  std::filesystem::resize_file(path, content.size() / 2);
  const Status shorter = read(slide);
  ASSERT_FALSE(shorter.ok());
  EXPECT_EQ(shorter.error().code, Errc::io);
  EXPECT_NE(shorter.error().message.find("file became shorter"), std::string::npos)
      << shorter.error().message;

  const auto time = std::filesystem::last_write_time(touched);
  std::filesystem::last_write_time(touched, time + std::chrono::seconds(1));
  const Status changed = read(touched_slide);
  ASSERT_FALSE(changed.ok());
  EXPECT_NE(changed.error().message.find("file changed"), std::string::npos) << changed.error().message;
}

}  // namespace
}  // namespace microtome
