#include "microtome/loader/meter.h"

#include <gtest/gtest.h>

#include <thread>

#include "microtome/loader/loader_for_test.h"

namespace microtome {
namespace {

TEST(BusyClock, SumsOverThreadsThatLeftAndThatAreInside) {
  BusyClock clock;
  EXPECT_EQ(clock.total_us(1000), 0);
  clock.enter(1000);
  EXPECT_EQ(clock.total_us(1500), 500);
  clock.enter(1200);
  EXPECT_EQ(clock.total_us(1500), 800);
  clock.leave(2000);
  EXPECT_EQ(clock.total_us(2000), 1800);
  EXPECT_EQ(clock.total_us(3000), 2800);
  clock.leave(3000);
  EXPECT_EQ(clock.total_us(9000), 2800);
}

TEST(BusyClock, HoldsManyThreadsForMonths) {
  constexpr int64_t kMonth = int64_t{30} * 24 * 3600 * 1000000;
  BusyClock clock;
  for (int i = 0; i < 20; ++i) clock.enter(i * kMonth / 100);
  int64_t expected = 0;
  for (int i = 0; i < 20; ++i) expected += kMonth - i * kMonth / 100;
  EXPECT_EQ(clock.total_us(kMonth), expected);
  for (int i = 0; i < 20; ++i) clock.leave(kMonth);
  EXPECT_EQ(clock.total_us(2 * kMonth), expected);
}

TEST(BusyClock, ForgetsThoseWhoAreGone) {
  BusyClock clock;
  clock.enter(100);
  clock.enter(200);
  clock.forget(300);
  EXPECT_EQ(clock.total_us(1000), 300);
}

std::vector<PlannedTile> planned(const std::vector<TileKey>& keys) {
  std::vector<PlannedTile> tiles;
  for (const TileKey& key : keys) tiles.push_back({key, {}, 0, 0});
  return tiles;
}

TEST(LoaderMeter, CountsDifferentTilesOverBatches) {
  LoaderMeter meter(nullptr);
  meter.begin(planned({{0, 0, 1, 5}, {0, 0, 63, 5}, {0, 0, 64, 5}, {0, 0, 1, 6}}));
  EXPECT_EQ(meter.stats().tiles, 4u);
  meter.begin(planned({{0, 0, 1, 5}, {0, 0, 200, 5}}));
  EXPECT_EQ(meter.stats().tiles, 5u);
  meter.begin(planned({{0, 1, 1, 5}, {1, 0, 1, 5}, {1, 0, 5, 1}}));  // another level, another slide
  EXPECT_EQ(meter.stats().tiles, 8u);
}

TEST(LoaderMeter, OneIsOfOneLoaderAndTheProcessCountsAll) {
  const KnownSlide known({{{64, 64}, {16, 16}}}, 1, {}, {{0, 3, 3}});
  const LoaderContext context = context_for_test();
  std::vector<std::shared_ptr<const LoaderMeter>> meters;
  for (int i = 0; i < 2; ++i) {
    const auto loader = open_loader(context, {known.slide}, half_offset_grid({64, 64}, {16, 16}),
                                    in_order(25), options_for_test({16, 16}, 4, 2));
    while (loader->next()->has_value()) continue;
    meters.push_back(loader->meter());
  }
  for (const auto& meter : meters) {
    const LoaderStats stats = meter->stats();
    EXPECT_EQ(stats.batches, 7u);
    EXPECT_EQ(stats.tiles, 16u);
    EXPECT_EQ(stats.decoded, 15u);
    EXPECT_EQ(stats.reused, 4u * 15 - 15);
    EXPECT_EQ(stats.bytes_read, 15u * 16 * 16 * 3);
    EXPECT_GE(stats.absent, 1u);
    EXPECT_GT(stats.consumer_waited_s, 0);
    EXPECT_EQ(meter->stats().workers_waited_s, stats.workers_waited_s);  // stopped with the last batch
  }
  EXPECT_EQ(context.counters->decoded, 30u);
}

TEST(LoaderMeter, WorkersThatHaveDecodedAllThatIsAheadWait) {
  const KnownSlide known({{{64, 64}, {16, 16}}});
  const auto loader = open_loader(context_for_test(), {known.slide}, half_offset_grid({64, 64}, {16, 16}),
                                  in_order(25), options_for_test({16, 16}, 4, 3));
  EXPECT_EQ(loader->meter()->stats().workers_waited_s, 0);  // not before the first next()
  take(*loader);
  const LoaderStats before = loader->meter()->stats();
  EXPECT_EQ(before.batches, 1u);
  while (loader->meter()->stats().workers_waited_s < before.workers_waited_s + 0.003)
    std::this_thread::yield();
  EXPECT_EQ(loader->meter()->stats().consumer_waited_s, before.consumer_waited_s);
}

}  // namespace
}  // namespace microtome
