// How often tiles are decoded, counted.

#include <gtest/gtest.h>

#include "microtome/loader/loader_for_test.h"
#include "microtome/loader/order.h"

namespace microtome {
namespace {

uint64_t drain(Loader& loader) {
  uint64_t rows = 0;
  for (;;) {
    auto batch = loader.next();
    EXPECT_TRUE(batch.ok()) << batch.error().to_string();
    if (!batch.ok() || !batch->has_value()) return rows;
    rows += (*batch)->indices.size();
  }
}

class HalfOffsetGrid : public testing::TestWithParam<std::tuple<int64_t, int64_t, int>> {
 protected:
  HalfOffsetGrid()
      : image_{std::get<0>(GetParam()), 150},
        known_({{image_, kSmallTile}}),
        patches_(half_offset_grid(image_, kSmallTile)),
        tiles_(static_cast<uint64_t>(ceil_div(image_.w, kSmallTile.w) * ceil_div(image_.h, kSmallTile.h))) {}

  LoaderOptions options() const {
    return options_for_test(kSmallTile, std::get<1>(GetParam()), std::get<2>(GetParam()));
  }

  /// How many tiles are decoded for the whole grid.
  uint64_t decoded(const LoaderContext& context, const LoaderOptions& options, std::vector<int64_t> order) {
    const uint64_t before = context.counters->decoded;
    const auto loader = open_loader(context, {known_.slide}, patches_, std::move(order), options);
    EXPECT_EQ(drain(*loader), patches_.size());
    return context.counters->decoded - before;
  }

  const Size image_;
  const KnownSlide known_;
  const std::vector<Patch> patches_;
  const uint64_t tiles_;
};
INSTANTIATE_TEST_SUITE_P(Shapes, HalfOffsetGrid,
                         testing::Combine(testing::Values(16, 100, 333), testing::Values(1, 7, 64, 1000),
                                          testing::Values(0, 1, 3)));

TEST_P(HalfOffsetGrid, DecodesEachTileOnce) {
  for (const int64_t prefetch : {0, 2, 9}) {
    LoaderOptions how = options();
    how.prefetch = prefetch;
    EXPECT_EQ(decoded(context_for_test(), how, in_order(patches_.size())), tiles_);
  }
}

TEST_P(HalfOffsetGrid, ShuffledTooWhereTheBudgetHoldsTheSlide) {
  OrderOptions shuffle;
  shuffle.shuffle = true;
  const auto order = *make_order(static_cast<int64_t>(patches_.size()), shuffle);
  EXPECT_EQ(decoded(context_for_test(), options(), order), tiles_);
}

TEST_P(HalfOffsetGrid, AnEnoughBudgetIsARowOfTiles) {
  LoaderOptions how = options();
  how.prefetch = 0;
  const int64_t batch_rows = ceil_div(how.batch_size, image_.w / kSmallTile.w + 1) + 1;
  const int64_t row = ceil_div(image_.w, kSmallTile.w) * kSmallTile.w * kSmallTile.h * KnownSlide::kSamples;
  how.keep_bytes = static_cast<size_t>((batch_rows + 2) * row);
  EXPECT_EQ(decoded(context_for_test(), how, in_order(patches_.size())), tiles_);
}

TEST_P(HalfOffsetGrid, WithoutABudgetOnlyBatchesShare) {
  LoaderOptions how = options();
  how.keep_bytes = 0;
  const uint64_t without = decoded(context_for_test(), how, in_order(patches_.size()));
  if (how.batch_size >= static_cast<int64_t>(patches_.size())) {
    EXPECT_EQ(without, tiles_);
  } else {
    EXPECT_GT(without, tiles_);
  }
}

TEST_P(HalfOffsetGrid, AProcessCacheIsUsedInsteadAndKeepsAll) {
  const LoaderContext context = context_for_test(size_t{4} << 20);
  LoaderOptions how = options();
  how.keep_bytes = 0;
  EXPECT_EQ(decoded(context, how, in_order(patches_.size())), tiles_);
  EXPECT_EQ(context.cache->info().tiles, tiles_);
  EXPECT_EQ(decoded(context, how, in_order(patches_.size())), 0u);  // the next epoch finds everything
}

TEST(LoaderTiles, ATileIsKeptNoLongerThanItIsNeeded) {
  // A budget for the whole slide: were tiles not dropped after their last use, each would take a fresh block.
  const Size image{64, 16 * 200};
  const KnownSlide known({{image, kSmallTile}});
  const LoaderContext context = context_for_test();
  const auto patches = half_offset_grid(image, kSmallTile);
  const auto loader = open_loader(context, {known.slide}, patches, in_order(patches.size()),
                                  options_for_test(kSmallTile, 5, 2));
  EXPECT_EQ(drain(*loader), patches.size());
  EXPECT_EQ(context.counters->decoded, 4u * 200u);
  EXPECT_LT(context.buffers->info().fresh, 100u);
}

TEST(LoaderTiles, ATileThatOneBatchAloneNeedsIsDecodedStraightToItsPlace) {
  const KnownSlide known({{{64, 64}, kSmallTile}});
  const LoaderContext context = context_for_test();
  std::vector<Patch> patches;
  for (int64_t y = 0; y < 64; y += 16)
    for (int64_t x = 0; x < 64; x += 16) patches.push_back({0, 0, x, y});
  const auto loader =
      open_loader(context, {known.slide}, patches, in_order(16), options_for_test(kSmallTile, 4, 2));
  EXPECT_EQ(drain(*loader), 16u);
  EXPECT_EQ(context.counters->decoded, 16u);
  EXPECT_EQ(context.counters->direct, 16u);
}

TEST(LoaderTiles, OnlyTheSharedTileOfABatchGoesThroughTheCache) {
  const KnownSlide known({{{64, 64}, kSmallTile}});
  const LoaderContext context = context_for_test();
  std::vector<Patch> patches;
  for (int64_t x = 0; x < 64; x += 16) patches.push_back({0, 0, x, 0});
  patches.push_back({0, 0, 16, 0});  // the second batch needs the second tile again
  const auto loader =
      open_loader(context, {known.slide}, patches, in_order(5), options_for_test(kSmallTile, 4, 1));
  EXPECT_EQ(drain(*loader), 5u);
  EXPECT_EQ(context.counters->decoded, 4u);
  EXPECT_EQ(context.counters->direct, 3u);
  EXPECT_EQ(context.counters->shared, 1u);
}

TEST(LoaderTiles, TwoSlidesDoNotShareTiles) {
  const KnownSlide a({{{64, 64}, kSmallTile}}, 1), b({{{64, 64}, kSmallTile}}, 2);
  const LoaderContext context = context_for_test();
  std::vector<Patch> patches;
  for (uint32_t i = 0; i < 40; ++i) patches.push_back({i % 2, 0, 5 + i, 5});
  const auto loader = open_loader(context, {a.slide, b.slide}, patches, in_order(patches.size()),
                                  options_for_test({8, 8}, 3, 2));
  for (size_t place = 0; place < patches.size();) {
    const Batch batch = take(*loader);
    for (size_t row = 0; row < batch.indices.size(); ++row, ++place) {
      const Patch& patch = patches[place];
      const auto expected = (patch.slide == 0 ? a : b).crop(0, {patch.x, patch.y, 8, 8}, kFill);
      EXPECT_TRUE(std::ranges::equal(row_of(batch, row), expected));
    }
  }
}

}  // namespace
}  // namespace microtome
