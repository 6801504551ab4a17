#include "microtome/loader/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace microtome {
namespace {

std::vector<int64_t> order_of(int64_t count, OrderOptions options) {
  auto order = make_order(count, options);
  EXPECT_TRUE(order.ok()) << order.error().to_string();
  return *std::move(order);
}

OrderOptions shuffled(uint64_t seed, uint64_t epoch = 0) {
  OrderOptions options;
  options.shuffle = true;
  options.seed = seed;
  options.epoch = epoch;
  return options;
}

std::vector<int64_t> counting(int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

TEST(Order, WithoutShuffleIsTheInputsAndIgnoresTheSeed) {
  OrderOptions options;
  options.seed = 7;
  EXPECT_EQ(order_of(5, options), counting(5));
  EXPECT_TRUE(order_of(0, options).empty());
}

// Computed by a Python script of a dozen lines that follows the definition with Python's own integers:
//   mix = splitmix64's finalizer; step = 0x9E3779B97F4A7C15; all modulo 2^64
//   state = mix(mix(seed + step) + epoch + step)
//   for i in n-1 … 1: do { state += step; p = mix(state) * (i+1) } while p mod 2^64 < 2^64 mod (i+1);
//                     j = p >> 64; swap a[i], a[j]
// whose generator gives splitmix64's published first numbers for seed 0: e220a8397b1dcdaf, 6e789e6aa1b965f4.
TEST(Order, KnownShuffles) {
  using Order = std::vector<int64_t>;
  EXPECT_EQ(order_of(12, shuffled(0, 0)), (Order{3, 6, 11, 4, 0, 7, 9, 5, 8, 2, 10, 1}));
  EXPECT_EQ(order_of(12, shuffled(0, 1)), (Order{5, 2, 0, 4, 8, 3, 7, 10, 11, 9, 1, 6}));
  EXPECT_EQ(order_of(12, shuffled(1, 0)), (Order{6, 11, 3, 0, 1, 9, 5, 2, 7, 4, 10, 8}));
  EXPECT_EQ(order_of(12, shuffled(UINT64_MAX, UINT64_MAX)), (Order{11, 0, 9, 10, 5, 7, 3, 2, 8, 1, 4, 6}));
  const Order large = order_of(100000, shuffled(42, 3));
  EXPECT_EQ(Order(large.begin(), large.begin() + 5), (Order{16948, 90939, 8905, 3013, 98125}));
  EXPECT_EQ(Order(large.end() - 5, large.end()), (Order{71985, 53623, 87920, 19109, 46756}));
}

TEST(Order, AShuffleIsAPermutation) {
  for (const int64_t count : {0, 1, 2, 3, 1000}) {
    auto order = order_of(count, shuffled(5));
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, counting(count));
  }
}

TEST(Order, EveryPermutationIsAsLikely) {
  std::map<std::vector<int64_t>, int> seen;
  for (uint64_t seed = 0; seed < 24000; ++seed) ++seen[order_of(4, shuffled(seed))];
  EXPECT_EQ(seen.size(), 24u);
  // 1000 expected of each, with a standard deviation of 31.
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 160);
}

TEST(Order, RanksShareTheEpochsOrder) {
  for (const int64_t count : {0, 1, 7, 8, 9, 100}) {
    const auto all = order_of(count, shuffled(3, 2));
    for (const int64_t world : {1, 2, 3, 8, 200}) {
      size_t least = SIZE_MAX, most = 0;
      std::vector<int64_t> together(all.size());
      for (int64_t rank = 0; rank < world; ++rank) {
        OrderOptions options = shuffled(3, 2);
        options.rank = rank;
        options.world_size = world;
        const auto mine = order_of(count, options);
        least = std::min(least, mine.size());
        most = std::max(most, mine.size());
        for (size_t i = 0; i < mine.size(); ++i)
          together[static_cast<size_t>(rank) + i * static_cast<size_t>(world)] = mine[i];
      }
      EXPECT_EQ(together, all) << count << " over " << world;
      EXPECT_LE(most - least, 1u);
    }
  }
}

TEST(Order, AWorldOfAnySize) {
  OrderOptions options;
  options.world_size = INT64_MAX;
  options.rank = 2;
  EXPECT_EQ(order_of(5, options), (std::vector<int64_t>{2}));
  options.rank = INT64_MAX - 1;
  EXPECT_TRUE(order_of(5, options).empty());
}

TEST(Order, RefusesRanksThatDoNotExist) {
  OrderOptions options;
  options.rank = 4;
  options.world_size = 4;
  EXPECT_EQ(make_order(9, options).error().to_string(),
            "invalid argument: rank is 4, expected 0 to 3 in a world of 4");
  options.rank = -1;
  EXPECT_EQ(make_order(9, options).error().code, Errc::invalid_argument);
  options.world_size = 0;
  EXPECT_EQ(make_order(9, options).error().to_string(),
            "invalid argument: world_size is 0, expected at least 1");
  EXPECT_EQ(make_order(-1, {}).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace microtome
