// Many threads, one slide, one reader: run under the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "microtome/read/reader.h"
#include "microtome/read/slides_for_test.h"

namespace microtome {
namespace {

constexpr int kThreads = 8, kReads = 60;

/// `kThreads` threads read random regions of `made` with one reader; the number of wrong reads.
int read_together(TestSlide& made, size_t cache_bytes) {
  const auto slide = made.open();
  const auto cache = std::make_shared<TileCache>(cache_bytes);
  const auto buffers = BufferPool::make(1 << 18);
  Reader reader(std::make_shared<Executor>(), cache, std::make_shared<WorkerPool>(), buffers,
                std::make_shared<ReadCounters>());
  std::atomic<int> wrong{0};
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < kReads; ++i) {
      const size_t number = random() % static_cast<size_t>(slide->image_count());
      const TestImage& image = made.image(number);
      const Rect region{static_cast<int64_t>(random() % 300) - 40, static_cast<int64_t>(random() % 200) - 40,
                        static_cast<int64_t>(1 + random() % 100), static_cast<int64_t>(1 + random() % 100)};
      const TestCanvas canvas(region.size(), image);
      ReadOptions options;
      options.workers = 1 + i % 3;
      options.fill.assign(image.samples, std::byte{255});
      const Status status =
          reader.read(slide, static_cast<int>(number), region, canvas.view(), options, nullptr);
      if (!status.ok() || !made.shows(canvas.view(), number, region, options.fill)) ++wrong;
      if (i % 16 == 15) cache->set_capacity(i % 32 == 15 ? cache_bytes / 2 : cache_bytes);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache->info().bytes, cache_bytes);
  return wrong;
}

class ReadStressTest : public ::testing::TestWithParam<size_t> {};

TEST_P(ReadStressTest, EightThreadsShareOneReader) {
  const auto sparse = [](int64_t col, int64_t row) { return (col * 5 + row) % 7 == 0; };
  const auto flat = [](int64_t col, int64_t row) { return (col + row) % 3 == 1; };
  const auto twin = [](int64_t col, int64_t row) { return (col + row) % 4 == 2; };
  TestSlide made({{.size = {300, 200}, .tile = {32, 32}, .absent = sparse, .flat = flat, .twin = twin},
                  {.size = {150, 100}, .tile = {48, 16}, .flat = twin, .twin = flat, .share_twins = true}},
                 {{"macro", {.size = {90, 70}, .tile = {90, 8}, .samples = 1, .strips = true}}});
  EXPECT_EQ(read_together(made, GetParam()), 0);
}

INSTANTIATE_TEST_SUITE_P(CacheBytes, ReadStressTest,
                         ::testing::Values(size_t{0}, size_t{60'000}, size_t{10'000'000}));

}  // namespace
}  // namespace microtome
