#include "microtome/loader/loader.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <tuple>

#include "microtome/loader/loader_for_test.h"
#include "microtome/loader/order.h"
#include "microtome/read/reader.h"

namespace microtome {
namespace {

constexpr Size kPatch{20, 14};

const KnownSlide& slide_a() {
  static const KnownSlide slide({{{100, 70}, {16, 12}}, {{50, 35}, {16, 16}}}, 1, {}, {{0, 3, 2}});
  return slide;
}

const KnownSlide& slide_b() {
  static const KnownSlide slide({{{64, 64}, {32, 32}}}, 9);
  return slide;
}

/// Inside, across every border, wholly outside, in an absent tile, at both levels, of both slides, some
/// twice.
const std::vector<Patch>& mixed_patches() {
  static const std::vector<Patch> patches{
      {0, 0, 0, 0},   {0, 0, 16, 12}, {0, 0, 7, 5},    {0, 0, -9, -3}, {0, 0, 95, 65},  {0, 0, 200, 5},
      {0, 1, 10, 10}, {1, 0, 20, 20}, {0, 0, 40, 20},  {0, 0, 7, 5},   {1, 0, 50, -10}, {0, 1, 45, 30},
      {0, 0, 8, 6},   {0, 0, 9, 7},   {0, 0, -30, 10}, {1, 0, 21, 20}, {0, 1, -5, 0},   {0, 0, 60, 30},
      {0, 0, 61, 30}, {1, 0, 0, 0},   {0, 0, 30, 56},  {0, 1, 11, 10}, {0, 0, 16, 12}};
  return patches;
}

std::vector<std::byte> expected_pixels(const Patch& patch) {
  const Rect region{patch.x, patch.y, kPatch.w, kPatch.h};
  const KnownSlide& from = patch.slide == 0 ? slide_a() : slide_b();
  auto pixels = from.crop(patch.level, region, kFill);
  if (patch.slide != 0 || patch.level != 0) return pixels;
  const Rect absent = intersect(region, {3 * 16, 2 * 12, 16, 12});
  for (int64_t y = absent.y; y < absent.bottom(); ++y) {
    for (int64_t x = absent.x; x < absent.right(); ++x) {
      const int64_t pixel = (y - region.y) * region.w + x - region.x;
      std::fill_n(pixels.begin() + pixel * KnownSlide::kSamples, KnownSlide::kSamples, kFill);
    }
  }
  return pixels;
}

std::unique_ptr<Loader> mixed_loader(const LoaderContext& context, LoaderOptions options,
                                     std::vector<int64_t> order) {
  return open_loader(context, {slide_a().slide, slide_b().slide}, mixed_patches(), std::move(order),
                     std::move(options));
}

using Shape = std::tuple<int, bool, int, int64_t, bool>;  // workers, shuffle, cache, batch size, drop_last

class LoaderShapes : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(All, LoaderShapes,
                         testing::Combine(testing::Values(0, 1, 2, 8), testing::Bool(), testing::Range(0, 3),
                                          testing::Values(1, 3, 8, 64), testing::Bool()));

TEST_P(LoaderShapes, BatchesAreTheirPatchesPixelsInOrder) {
  const auto [workers, shuffle, cache, batch_size, drop_last] = GetParam();
  const LoaderContext context = context_for_test(cache == 2 ? 1 << 20 : 0);
  LoaderOptions options = options_for_test(kPatch, batch_size, workers);
  options.drop_last = drop_last;
  if (cache == 0) options.keep_bytes = 0;
  OrderOptions how;
  how.shuffle = shuffle;
  how.seed = 11;
  const auto order = *make_order(static_cast<int64_t>(mixed_patches().size()), how);
  const auto loader = mixed_loader(context, options, order);

  const size_t count = order.size(), size = static_cast<size_t>(batch_size);
  const size_t batches = drop_last ? count / size : (count + size - 1) / size;
  ASSERT_EQ(loader->batch_count(), batches);
  size_t place = 0;
  for (size_t number = 0; number < batches; ++number) {
    const Batch batch = take(*loader);
    EXPECT_EQ(batch.number, number);
    EXPECT_TRUE(batch.errors.empty());
    ASSERT_EQ(batch.indices.size(), std::min(size, count - place));
    EXPECT_EQ(batch.pixels.shape, (std::vector<int64_t>{static_cast<int64_t>(batch.indices.size()), kPatch.h,
                                                        kPatch.w, KnownSlide::kSamples}));
    for (size_t row = 0; row < batch.indices.size(); ++row) {
      const int64_t index = order[place++];
      ASSERT_EQ(batch.indices[row], index);
      const auto expected = expected_pixels(mixed_patches()[static_cast<size_t>(index)]);
      ASSERT_TRUE(std::ranges::equal(row_of(batch, row), expected)) << "patch " << index;
    }
  }
  for (int again = 0; again < 2; ++again) {
    const auto end = loader->next();
    ASSERT_TRUE(end.ok());
    EXPECT_FALSE(end->has_value());
  }
  EXPECT_LE(context.executor->thread_count(), workers);
}

TEST(Loader, ARowIsWhatReadingItsRegionGives) {
  const LoaderContext context = context_for_test();
  Reader reader(context.executor, context.cache, context.workers, context.buffers, context.counters);
  const auto loader =
      mixed_loader(context, options_for_test(kPatch, 64, 2), in_order(mixed_patches().size()));
  const Batch batch = take(*loader);
  for (size_t row = 0; row < batch.indices.size(); ++row) {
    const Patch& patch = mixed_patches()[row];
    std::vector<std::byte> pixels(row_of(batch, row).size());
    const ImageView view{pixels.data(), kPatch, kPatch.w * KnownSlide::kSamples, KnownSlide::kSamples,
                         SampleType::u8};
    ReadOptions options;
    options.fill.assign(KnownSlide::kSamples, kFill);
    const auto& slide = patch.slide == 0 ? slide_a().slide : slide_b().slide;
    const Status status =
        reader.read(slide, patch.level, {patch.x, patch.y, kPatch.w, kPatch.h}, view, options, nullptr);
    ASSERT_TRUE(status.ok()) << status.error().to_string();
    EXPECT_TRUE(std::ranges::equal(row_of(batch, row), pixels)) << "patch " << row;
  }
}

TEST(Loader, NothingToLoad) {
  const LoaderContext context = context_for_test();
  const auto none = open_loader(context, {}, {}, {}, options_for_test(kPatch, 4, 2));
  EXPECT_EQ(none->batch_count(), 0u);
  EXPECT_FALSE(none->next()->has_value());
  LoaderOptions options = options_for_test(kPatch, 4, 2);
  options.drop_last = true;
  const auto dropped = mixed_loader(context, options, {1, 2, 3});
  EXPECT_EQ(dropped->batch_count(), 0u);
  EXPECT_FALSE(dropped->next()->has_value());
  EXPECT_EQ(context.executor->thread_count(), 0);
}

TEST(Loader, HoldsPrefetchBatchesBesideTheOneDelivered) {
  for (const int workers : {0, 2}) {
    for (const int64_t prefetch : {0, 1, 3, 100}) {
      const LoaderContext context = context_for_test();
      LoaderOptions options = options_for_test(kPatch, 2, workers);
      options.prefetch = prefetch;
      options.keep_bytes = 0;  // so that the pool's blocks are batches alone
      const auto loader = mixed_loader(context, options, in_order(mixed_patches().size()));
      for (uint64_t number = 0; number < loader->batch_count(); ++number) {
        const Batch batch = take(*loader);
        const auto info = context.buffers->info();
        const uint64_t ahead = workers == 0 ? 0 : static_cast<uint64_t>(prefetch);
        EXPECT_EQ(info.fresh + info.reused, std::min(loader->batch_count(), number + 1 + ahead))
            << "workers " << workers << ", prefetch " << prefetch;
      }
    }
  }
}

TEST(Loader, BatchesOutliveTheirLoaderAndSlidesAndReturnToThePool) {
  LoaderContext context = context_for_test();
  auto known = std::make_unique<KnownSlide>(KnownSlide::Levels{{{100, 70}, {16, 12}}});
  const auto expected = known->crop(0, {5, 5, 20, 14}, kFill);
  LoaderOptions options = options_for_test(kPatch, 1, 2);
  options.keep_bytes = 0;
  std::vector<Batch> batches;
  {
    const auto loader = open_loader(context, {known->slide}, {{0, 0, 5, 5}, {0, 0, 5, 5}}, {0, 1}, options);
    known.reset();
    while (batches.size() < loader->batch_count()) batches.push_back(take(*loader));
  }
  for (const Batch& batch : batches) EXPECT_TRUE(std::ranges::equal(row_of(batch, 0), expected));
  EXPECT_EQ(context.buffers->info().idle_bytes, 0u);
  batches.clear();
  EXPECT_GE(context.buffers->info().idle_bytes, 2 * expected.size());
  const auto pool = context.buffers;
  context = {};
  EXPECT_EQ(pool.use_count(), 1);  // nothing else is left over
}

TEST(Loader, CanBeDroppedAtAnyMoment) {
  const LoaderContext context = context_for_test();
  for (int round = 0; round < 300; ++round) {
    LoaderOptions options = options_for_test(kPatch, 2, 1 + round % 3);
    options.prefetch = round % 5;
    auto loader = mixed_loader(context, options, in_order(mixed_patches().size()));
    for (int taken = 0; taken < round % 4; ++taken) take(*loader);
    loader.reset();
  }
  EXPECT_LE(context.executor->thread_count(), 3);
  EXPECT_LE(context.workers->idle_count(), 3u);
  // Every block has come home: those of batches have one size, the largest; tiles are smaller.
  const auto info = context.buffers->info();
  EXPECT_LE(info.idle_bytes, 6u * 2 * 960 + 60 * 832u + 64);
  EXPECT_EQ(context.buffers.use_count(), 1);
}

/// Memory that becomes slow once told to, and counts the reads from then on.
class SlowedSource : public ByteSource {
 public:
  explicit SlowedSource(std::shared_ptr<const ByteSource> fast) : fast_(std::move(fast)) {}

  std::string_view name() const noexcept override { return fast_->name(); }
  uint64_t size() const noexcept override { return fast_->size(); }
  SourceId id() const noexcept override { return fast_->id(); }
  Status check_unchanged() const override { return fast_->check_unchanged(); }
  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    if (slow) {
      ++slow_reads;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return fast_->read_at(offset, dst);
  }

  std::atomic<bool> slow{false};
  mutable std::atomic<int> slow_reads{0};

 private:
  std::shared_ptr<const ByteSource> fast_;
};

TEST(Loader, DroppingItStopsABatchInItsMiddle) {
  constexpr int64_t kTiles = 20000;
  auto grid = std::make_unique<TileGrid>();
  grid->size = {kTiles, 1};
  grid->tile = grid->format.size = {1, 1};
  grid->cols = kTiles;
  grid->rows = 1;
  grid->offsets = tiff::LazyArray::of(std::vector<uint64_t>(kTiles, 0));
  grid->byte_counts = tiff::LazyArray::of(std::vector<uint64_t>(kTiles, KnownSlide::kSamples));
  SlideIndex index;
  index.levels.push_back(std::move(grid));
  static constexpr std::array<std::byte, KnownSlide::kSamples> kPixel{};
  const auto source = std::make_shared<SlowedSource>(make_memory_source({kPixel, nullptr}));
  const auto slide = Slide::make(source, "test", std::move(index));
  ASSERT_TRUE(slide.ok()) << slide.error().to_string();

  // The first batch is one tile; the second, all of them, is on its way when the first is delivered.
  LoaderOptions options = options_for_test({kTiles, 1}, 1, 2);
  auto loader =
      open_loader(context_for_test(), {*slide}, {{0, 0, 1 - kTiles, 0}, {0, 0, 0, 0}}, {0, 1}, options);
  source->slow = true;
  take(*loader);
  loader.reset();
  EXPECT_LT(source->slow_reads, kTiles / 2);  // all of them would take a second
}

TEST(Loader, SeveralLoadersShareOneContext) {
  const LoaderContext context = context_for_test();
  std::vector<std::unique_ptr<Loader>> loaders;
  for (int i = 0; i < 5; ++i)
    loaders.push_back(
        mixed_loader(context, options_for_test(kPatch, 4, 2), in_order(mixed_patches().size())));
  for (uint64_t number = 0; number < loaders[0]->batch_count(); ++number) {
    for (const auto& loader : loaders) {
      const Batch batch = take(*loader);
      for (size_t row = 0; row < batch.indices.size(); ++row) {
        const auto expected = expected_pixels(mixed_patches()[static_cast<size_t>(batch.indices[row])]);
        EXPECT_TRUE(std::ranges::equal(row_of(batch, row), expected));
      }
    }
  }
  EXPECT_EQ(context.executor->thread_count(), 2);
}

// Threads are told to give way and not to, over and over: a batch that was left in its middle just when the
// word was taken back was once nobody's, and its consumer waited for ever.
TEST(Loader, LoadersThatYieldToOneAnotherAllFinish) {
  const LoaderContext context = context_for_test();
  std::vector<std::future<size_t>> consumers;
  for (int i = 0; i < 3; ++i) {
    consumers.push_back(std::async(std::launch::async, [&context, i] {
      size_t rows = 0;
      for (int round = 0; round < 200; ++round) {
        const auto loader =
            mixed_loader(context, options_for_test(kPatch, 4, 1 + i % 2), in_order(mixed_patches().size()));
        for (uint64_t number = 0; number < loader->batch_count(); ++number) {
          rows += take(*loader).indices.size();
        }
      }
      return rows;
    }));
  }
  for (std::future<size_t>& rows : consumers) EXPECT_EQ(rows.get(), 200 * mixed_patches().size());
}

TEST(Loader, OpeningAMillionPatchesPlansNothing) {
  using Clock = std::chrono::steady_clock;
  const KnownSlide known({{{512, 512}, {16, 16}}});
  std::vector<Patch> patches(1000000);
  for (size_t i = 0; i < patches.size(); ++i)
    patches[i] = {0, 0, static_cast<int64_t>(i % 490), static_cast<int64_t>(i / 490 % 490)};
  const LoaderContext context = context_for_test();
  const auto shared = std::make_shared<const std::vector<Patch>>(std::move(patches));
  auto order = in_order(shared->size());
  const auto start = Clock::now();
  const auto loader =
      Loader::open(context, {known.slide}, shared, std::move(order), options_for_test(kPatch, 64, 2));
  const std::chrono::duration<double, std::milli> opened = Clock::now() - start;
  ASSERT_TRUE(loader.ok());
  const auto before = Clock::now();
  take(**loader);
  const std::chrono::duration<double, std::milli> first = Clock::now() - before;
  std::printf("  opened in %.1f ms, first batch after %.1f ms\n", opened.count(), first.count());
  // Planning all of it takes about a second; these bounds leave room for sanitizers and busy machines.
  EXPECT_LT(opened.count(), 500);
  const auto blocks = context.buffers->info();
  EXPECT_LT(blocks.fresh + blocks.reused, 5000u);
}

}  // namespace
}  // namespace microtome
