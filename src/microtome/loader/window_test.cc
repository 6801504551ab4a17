#include "microtome/loader/window.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "microtome/base/fail.h"

namespace microtome {
namespace {

constexpr size_t kTileBytes = 100;

using Batches = std::vector<std::vector<uint32_t>>;  // columns of tiles

Window::Source source_of(const Batches& batches) {
  return {batches.size(), 1,
          [&batches](uint64_t batch) -> Result<std::vector<TileKey>> {
            std::vector<TileKey> tiles;
            for (const uint32_t col : batches[batch]) tiles.push_back({0, 0, col, 0});
            return tiles;
          },
          [](const TileKey&) { return kTileBytes; }};
}

/// Does what a loader does that decodes `prefetch` batches ahead: how often each tile is decoded. Batches are
/// read when they are delivered, the latest moment there is.
struct Simulation {
  std::map<uint32_t, int> decoded;
  size_t most_cached = 0;
  std::set<TileKey> cached;

  Simulation(const Batches& batches, size_t budget, uint64_t prefetch) {
    Window window(source_of(batches), budget, 0);
    std::deque<std::vector<TileKey>> flights;
    uint64_t started = 0;
    for (uint64_t batch = 0; batch < batches.size(); ++batch) {
      for (; started < batches.size() && flights.size() <= prefetch; ++started) {
        auto decision = window.start(batch);
        EXPECT_TRUE(decision.ok());
        for (const TileKey& tile : decision->erase) EXPECT_EQ(cached.erase(tile), 1u);
        flights.push_back(decision->cached);
      }
      read(batches[batch], flights.front());
      flights.pop_front();
      for (const TileKey& tile : window.deliver(batch)) EXPECT_EQ(cached.erase(tile), 1u);
      EXPECT_LE(window.kept_bytes(), budget);
    }
    EXPECT_EQ(window.kept_bytes(), 0u);
    EXPECT_TRUE(cached.empty());
  }

  void read(const std::vector<uint32_t>& batch, const std::vector<TileKey>& through_cache) {
    for (const uint32_t col : std::set<uint32_t>(batch.begin(), batch.end())) {
      const TileKey tile{0, 0, col, 0};
      const bool kept = std::binary_search(through_cache.begin(), through_cache.end(), tile);
      if (kept && cached.contains(tile)) continue;
      ++decoded[col];
      if (kept) cached.insert(tile);
    }
    most_cached = std::max(most_cached, cached.size() * kTileBytes);
  }
};

TEST(Window, KeepsOnlyWhatALaterBatchNeeds) {
  const Batches batches{{1, 2}, {2, 3}, {3, 1}, {4}};
  Window window(source_of(batches), 1000, 0);
  const auto cached = [&](uint64_t delivered) {
    std::vector<uint32_t> cols;
    const auto decision = window.start(delivered);
    for (const TileKey& tile : decision->cached) cols.push_back(tile.col);
    return cols;
  };
  EXPECT_EQ(cached(0), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(cached(0), (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(window.kept_bytes(), 3 * kTileBytes);
  EXPECT_TRUE(window.deliver(0).empty());
  EXPECT_EQ(window.deliver(1), (std::vector<TileKey>{{0, 0, 2, 0}}));  // its last use
  EXPECT_EQ(window.kept_bytes(), 2 * kTileBytes);
  EXPECT_EQ(cached(2), (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(window.deliver(2).size(), 2u);
  EXPECT_TRUE(cached(3).empty());
  EXPECT_TRUE(window.deliver(3).empty());
  EXPECT_EQ(window.kept_bytes(), 0u);
}

TEST(Window, RepetitionsWithinABatchAreNoReasonToKeep) {
  const Batches batches{{1, 1, 1}, {2}};
  Window window(source_of(batches), 1000, 0);
  EXPECT_TRUE(window.start(0)->cached.empty());
}

TEST(Window, WithoutABudgetNothingIsKeptOrLookedAt) {
  Window window({3, 1, [](uint64_t) -> Result<std::vector<TileKey>> { return internal("asked"); },
                 [](const TileKey&) { return kTileBytes; }},
                0, 0);
  EXPECT_TRUE(window.start(0).ok());
}

TEST(Window, WhatIsNeededSoonestStays) {
  // Room for one: 7, needed last of all, gives way to 1 although it came first.
  const Batches batches{{7}, {1}, {1}, {2}, {7}};
  const Simulation simulation(batches, kTileBytes, 0);
  EXPECT_EQ(simulation.decoded.at(1), 1);
  EXPECT_EQ(simulation.decoded.at(7), 2);
}

TEST(Window, ATileThatABatchOnItsWayNeedsDoesNotGiveWay) {
  const Batches batches{{7}, {1}, {1}, {2}, {7}};
  Window window(source_of(batches), kTileBytes, 0);
  EXPECT_EQ(window.start(0)->cached.size(), 1u);
  const auto second = window.start(0);  // batch 0 has not been delivered
  EXPECT_TRUE(second->cached.empty());
  EXPECT_TRUE(second->erase.empty());
}

TEST(Window, AnErrorBelongsToItsBatch) {
  const Window::Source source{6, 1,
                              [](uint64_t batch) -> Result<std::vector<TileKey>> {
                                if (batch == 2) return corrupt("batch 2");
                                return std::vector<TileKey>{{0, 0, 5, 0}};
                              },
                              [](const TileKey&) { return kTileBytes; }};
  Window window(source, 1000, 0);
  EXPECT_EQ(window.start(0)->cached.size(), 1u);
  EXPECT_EQ(window.start(0)->cached.size(), 1u);
  EXPECT_EQ(window.start(0).error().message, "batch 2");
}

TEST(Window, BeginsWhereItIsTold) {
  const Batches batches{{1}, {2}, {1, 2}, {2}};
  Window window(source_of(batches), 1000, 2);
  const auto decision = window.start(2);
  EXPECT_EQ(decision->cached, (std::vector<TileKey>{{0, 0, 2, 0}}));
}

TEST(Window, EachTileIsDecodedOnceWhereTheBudgetAllows) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    Batches batches(1 + random() % 30);
    for (auto& batch : batches) {
      batch.resize(random() % 6);
      for (uint32_t& col : batch) col = static_cast<uint32_t>(random() % 20);
    }
    for (const uint64_t prefetch : {0, 1, 3, 100}) {
      const Simulation simulation(batches, 20 * kTileBytes, prefetch);
      for (const auto& [col, times] : simulation.decoded) EXPECT_EQ(times, 1) << "tile " << col;
    }
  }
}

TEST(Window, NeverHoldsMoreThanItsBudget) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    Batches batches(30);
    for (auto& batch : batches) {
      batch.resize(4);
      for (uint32_t& col : batch) col = static_cast<uint32_t>(random() % 25);
    }
    const size_t budget = kTileBytes * (random() % 12) + 50;
    for (const uint64_t prefetch : {0, 2, 7})
      EXPECT_LE(Simulation(batches, budget, prefetch).most_cached, budget);
  }
}

TEST(Window, LooksNoFurtherThanItsLimits) {
  uint64_t furthest = 0;
  const auto reach = [&](const std::function<std::vector<TileKey>(uint64_t)>& tiles_of, size_t budget,
                         uint64_t starts) {
    furthest = 0;
    Window window({uint64_t{1} << 40, 1,
                   [&](uint64_t batch) -> Result<std::vector<TileKey>> {
                     furthest = std::max(furthest, batch);
                     return tiles_of(batch);
                   },
                   [](const TileKey&) { return kTileBytes; }},
                  budget, 0);
    for (uint64_t i = 0; i < starts; ++i) EXPECT_TRUE(window.start(0).ok());
    return furthest - (starts - 1);  // batches after the one started last
  };
  const auto nothing = [](uint64_t) { return std::vector<TileKey>(); };
  const auto always_new = [](uint64_t batch) {
    return std::vector<TileKey>{{0, 0, static_cast<uint32_t>(batch), 0}};
  };
  EXPECT_EQ(reach(nothing, 1000, 1), Window::kFirstEntries - 1);
  EXPECT_EQ(reach(nothing, 1000, 2), Window::kFirstEntries + Window::kMoreEntries - 1);
  EXPECT_EQ(reach(nothing, 1000, 50), Window::kMaxEntries - 1);
  EXPECT_EQ(reach(always_new, 1000, 1), 10 * Window::kBudgets - 1);
  EXPECT_EQ(reach(always_new, 1, 1), Window::kMinAhead);
}

}  // namespace
}  // namespace microtome
