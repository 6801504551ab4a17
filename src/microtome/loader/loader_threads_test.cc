// Who works on what, when tiles take their time: reads are held up one by one.

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "microtome/loader/gates_for_test.h"
#include "microtome/read/reader.h"

namespace microtome {
namespace {

/// next() in a thread of its own.
std::future<Batch> next_elsewhere(Loader& loader) {
  return std::async(std::launch::async, [&loader] { return take(loader); });
}

bool comes(const std::future<Batch>& batch) {
  return batch.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
}

TEST(LoaderThreads, ASlowTileHoldsUpNoOtherBatch) {
  for (const int workers : {2, 3}) {
    const GatedSlide slide(10);
    const auto tiles = in_order(10);
    slide.source->hold({0});
    const auto loader = slide.load(context_for_test(), tiles, 2, workers, 4);
    std::future<Batch> first = next_elsewhere(*loader);
    EXPECT_TRUE(slide.source->comes_to({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    slide.source->open();
    EXPECT_TRUE(slide.shows(first.get(), tiles));
    for (int i = 1; i < 5; ++i) EXPECT_TRUE(slide.shows(take(*loader), tiles));
  }
}

TEST(LoaderThreads, EveryThreadHasATileWhileTilesRemainAndNoMoreThanWorkers) {
  for (const int workers : {1, 2, 4}) {
    const GatedSlide slide(8);
    const auto tiles = in_order(8);
    std::set<uint64_t> first_ones;
    for (int i = 0; i < workers; ++i) first_ones.insert(static_cast<uint64_t>(i));
    slide.source->hold(first_ones);
    const auto loader = slide.load(context_for_test(), tiles, 1, workers, 5);
    std::future<Batch> first = next_elsewhere(*loader);
    EXPECT_TRUE(slide.source->comes_to(first_ones)) << workers;
    slide.source->open();
    EXPECT_TRUE(slide.shows(first.get(), tiles));
    for (int i = 1; i < 8; ++i) EXPECT_TRUE(slide.shows(take(*loader), tiles));
    EXPECT_EQ(slide.source->most_at_once(), workers);
  }
}

TEST(LoaderThreads, TheWaitingConsumerTakesNoPlaceThatAThreadHas) {
  const GatedSlide slide(9);
  const std::vector<int64_t> tiles{0, 1, 2, 3, 4, 5, 6, 7};
  slide.source->hold({4});
  const auto loader = slide.load(context_for_test(), tiles, 4, 1, 1);
  take(*loader);
  ASSERT_TRUE(slide.source->comes_to({4}));  // the one thread; tiles 5, 6 and 7 are left
  const auto waited = [&] { return loader->meter()->stats().consumer_waited_s; };
  const double before = waited();
  std::future<Batch> second = next_elsewhere(*loader);
  while (waited() < before + 0.01) std::this_thread::yield();
  EXPECT_EQ(std::ranges::count(slide.source->begun(), 5u), 0);
  slide.source->open();
  EXPECT_TRUE(slide.shows(second.get(), tiles));
  EXPECT_EQ(slide.source->most_at_once(), 1);
}

TEST(LoaderThreads, TheOldestBatchGoesFirst) {
  const GatedSlide slide(16);
  const std::vector<int64_t> tiles{9, 4, 12, 7, 0, 15, 3, 10, 5, 1, 14, 2, 6, 13, 8, 11};
  const auto loader = slide.load(context_for_test(), tiles, 4, 1, 3);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(slide.shows(take(*loader), tiles));
  // By batch, and inside one in the file's order.
  EXPECT_EQ(slide.source->begun(),
            (std::vector<uint64_t>{4, 7, 9, 12, 0, 3, 10, 15, 1, 2, 5, 14, 6, 8, 11, 13}));
}

TEST(LoaderThreads, ATileThatAnotherThreadDecodesHoldsUpNoThread) {
  // Every batch needs tile 0, which is kept; while one thread is at it the other does all the rest.
  const GatedSlide slide(5);
  const std::vector<int64_t> tiles{0, 1, 0, 2, 0, 3, 0, 4};
  slide.source->hold({0});
  const LoaderContext context = context_for_test();
  const auto loader = slide.load(context, tiles, 2, 2, 3);
  std::future<Batch> first = next_elsewhere(*loader);
  EXPECT_TRUE(slide.source->comes_to({0, 1, 2, 3, 4}));
  slide.source->open();
  EXPECT_TRUE(slide.shows(first.get(), tiles));
  for (int i = 1; i < 4; ++i) EXPECT_TRUE(slide.shows(take(*loader), tiles));
  EXPECT_EQ(context.counters->decoded, 5u);
  EXPECT_EQ(context.counters->shared, 3u);
}

TEST(LoaderThreads, TheConsumerNeedsNoThreadThatAnotherLoaderHolds) {
  const GatedSlide slow(2, 1), fast(6, 2);
  const auto tiles = in_order(6);
  slow.source->hold({1});
  const LoaderContext context = context_for_test();
  const auto holder = slow.load(context, {0, 1}, 1, 1, 1);
  take(*holder);
  ASSERT_TRUE(slow.source->comes_to({1}));  // the only thread is held up there
  const auto loader = fast.load(context, tiles, 2, 1, 1);
  for (int i = 0; i < 3; ++i) {
    std::future<Batch> batch = next_elsewhere(*loader);
    EXPECT_TRUE(comes(batch));
    if (!comes(batch)) slow.source->open();
    EXPECT_TRUE(fast.shows(batch.get(), tiles));
  }
  EXPECT_EQ(context.executor->thread_count(), 1);
  slow.source->open();
  take(*holder);
}

TEST(LoaderThreads, AReadNeedsNoThreadThatALoaderHolds) {
  const GatedSlide slow(2, 1), fast(6, 2);
  slow.source->hold({1});
  const LoaderContext context = context_for_test();
  const auto holder = slow.load(context, {0, 1}, 1, 1, 1);
  take(*holder);
  ASSERT_TRUE(slow.source->comes_to({1}));
  Reader reader(context.executor, context.cache, context.workers, context.buffers, context.counters);
  const Rect all{0, 0, 6 * GatedSlide::kTile.w, GatedSlide::kTile.h};
  std::vector<std::byte> pixels(static_cast<size_t>(all.w * all.h * KnownSlide::kSamples));
  const ImageView view{pixels.data(), all.size(), all.w * KnownSlide::kSamples, KnownSlide::kSamples,
                       SampleType::u8};
  ReadOptions options;
  options.workers = 2;
  options.fill.assign(KnownSlide::kSamples, kFill);
  EXPECT_TRUE(reader.read(fast.known.slide, 0, all, view, options, nullptr).ok());
  EXPECT_EQ(pixels, fast.known.crop(0, all, kFill));
  slow.source->open();
  take(*holder);
}

TEST(LoaderThreads, BatchesAheadGoOnWhileAnotherLoaderHasAHugeBatch) {
  constexpr int64_t kHuge = 2000;
  const GatedSlide huge(kHuge, 1), small(4, 2);
  const LoaderContext context = context_for_test();
  std::vector<Patch> patches{{0, 0, (1 - kHuge) * GatedSlide::kTile.w, 0}, {0, 0, 0, 0}};
  LoaderOptions options = options_for_test({kHuge * GatedSlide::kTile.w, GatedSlide::kTile.h}, 1, 1);
  options.prefetch = 1;
  huge.source->hold({1, kHuge - 1});
  const auto holder = open_loader(context, {huge.known.slide}, patches, {0, 1}, options);
  take(*holder);                            // tile 0 alone
  ASSERT_TRUE(huge.source->comes_to({1}));  // the only thread is in the huge batch
  const auto loader = small.load(context, {0, 1, 2, 3}, 2, 1, 1);
  EXPECT_TRUE(small.shows(take(*loader), in_order(4)));
  // Tiles 2 and 3 wait for the thread, which gets to the last tile of the huge batch only if it does not give
  // way.
  EXPECT_EQ(std::ranges::count(small.source->begun(), 2u), 0);
  huge.source->hold({kHuge - 1});
  EXPECT_TRUE(small.source->comes_to({2, 3}));
  huge.source->open();
  EXPECT_TRUE(small.shows(take(*loader), in_order(4)));
  take(*holder);
  EXPECT_EQ(context.executor->thread_count(), 1);
}

}  // namespace
}  // namespace microtome
