#include "microtome/loader/tile_numbers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace microtome {
namespace {

TEST(TileNumbers, AgreeWithAMapWhileTilesComeAndGo) {
  std::mt19937 random(3);
  TileNumbers numbers;
  std::map<TileKey, uint32_t> expected;
  for (int step = 0; step < 200000; ++step) {
    // Grows to some thousands, and shrinks again: removals fill the holes of long runs.
    const bool grows = step / 20000 % 2 == 0;
    const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
    const TileKey key{below(2), below(3), below(40), below(40)};
    const auto found = expected.find(key);
    if (grows == (below(3) != 0)) {
      const auto [number, is_new] = numbers.add(key);
      EXPECT_EQ(is_new, found == expected.end());
      EXPECT_TRUE(is_new || number == found->second);
      expected[key] = number;
      EXPECT_EQ(numbers.key(number), key);
    } else if (found != expected.end()) {
      numbers.remove(found->second);
      expected.erase(found);
    }
    ASSERT_EQ(numbers.size(), expected.size());
  }
  std::set<uint32_t> distinct;
  for (const auto& [key, number] : expected) {
    EXPECT_EQ(numbers.add(key), std::pair(number, false));
    distinct.insert(number);
  }
  EXPECT_EQ(distinct.size(), expected.size());
}

TEST(TileNumbers, AreGivenOutAgain) {
  TileNumbers numbers;
  for (uint32_t i = 0; i < 1000; ++i) {
    const auto [number, is_new] = numbers.add({0, 0, i, 0});
    EXPECT_TRUE(is_new);
    EXPECT_EQ(number, 0u);
    numbers.remove(number);
  }
}

}  // namespace
}  // namespace microtome
