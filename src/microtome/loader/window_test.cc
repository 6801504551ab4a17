#include "microtome/loader/window.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "microtome/base/fail.h"

namespace microtome {
namespace {

constexpr Rect kWhole{0, 0, 10, 10}, kTop{0, 0, 10, 5}, kBottom{0, 5, 10, 5};
constexpr size_t kTileBytes = 100;

using Batches = std::vector<std::vector<uint32_t>>;  // columns of tiles, which are needed whole
using PartBatches = std::vector<std::vector<PartOfTile>>;

PartOfTile part(uint32_t col, const Rect& part = kWhole) {
  return {{0, 0, col, 0}, part};
}

Window::Source source_of(uint64_t batch_count,
                         std::function<Result<std::vector<PartOfTile>>(uint64_t)> tiles_of,
                         uint64_t patches_per_batch = 1) {
  return {batch_count, patches_per_batch, std::move(tiles_of), [](const TileKey&) { return kWhole; }, 1};
}

Window::Source source_of(const Batches& batches) {
  return source_of(batches.size(), [&batches](uint64_t batch) -> Result<std::vector<PartOfTile>> {
    std::vector<PartOfTile> tiles;
    for (const uint32_t col : batches[batch]) tiles.push_back(part(col));
    return tiles;
  });
}

Window::Source source_of(const PartBatches& batches, uint64_t patches_per_batch = 1) {
  return source_of(
      batches.size(),
      [&batches](uint64_t batch) -> Result<std::vector<PartOfTile>> { return batches[batch]; },
      patches_per_batch);
}

/// Does what a loader does that decodes `prefetch` batches ahead: how often each tile is decoded. Batches are
/// read when they are delivered, the latest moment there is.
struct Simulation {
  std::map<uint32_t, int> decoded;
  size_t most_cached = 0;
  std::set<TileKey> cached;

  Simulation(const Batches& batches, size_t budget, uint64_t prefetch) {
    Window window(source_of(batches), budget, 0);
    std::deque<std::vector<PartOfTile>> flights;
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

  void read(const std::vector<uint32_t>& batch, const std::vector<PartOfTile>& through_cache) {
    for (const uint32_t col : std::set<uint32_t>(batch.begin(), batch.end())) {
      const TileKey tile{0, 0, col, 0};
      const bool kept =
          std::find(through_cache.begin(), through_cache.end(), part(col)) != through_cache.end();
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
    for (const PartOfTile& kept : decision->cached) cols.push_back(kept.tile.col);
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
  Window window(source_of(3, [](uint64_t) -> Result<std::vector<PartOfTile>> { return internal("asked"); }),
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
  const auto tiles_of = [](uint64_t batch) -> Result<std::vector<PartOfTile>> {
    if (batch == 2) return corrupt("batch 2");
    return std::vector{part(5)};
  };
  Window window(source_of(6, tiles_of), 1000, 0);
  EXPECT_EQ(window.start(0)->cached.size(), 1u);
  EXPECT_EQ(window.start(0)->cached.size(), 1u);
  EXPECT_EQ(window.start(0).error().message, "batch 2");
}

TEST(Window, BeginsWhereItIsTold) {
  const Batches batches{{1}, {2}, {1, 2}, {2}};
  Window window(source_of(batches), 1000, 2);
  const auto decision = window.start(2);
  EXPECT_EQ(decision->cached, std::vector{part(2)});
}

TEST(Window, EachTileIsDecodedOnceWhereTheBudgetAllows) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    Batches batches(1 + random() % 30);
    for (auto& batch : batches) {
      batch.resize(random() % 6);
      for (uint32_t& col : batch) col = static_cast<uint32_t>(random() % 20);
    }
    for (const uint64_t prefetch : {0u, 1u, 3u, 100u}) {
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
    for (const uint64_t prefetch : {0u, 2u, 7u})
      EXPECT_LE(Simulation(batches, budget, prefetch).most_cached, budget);
  }
}

TEST(Window, KeepsThePartThatLaterBatchesNeed) {
  const PartBatches batches{
      {part(1, kTop)}, {part(1, {2, 6, 3, 2}), part(1, {4, 7, 4, 3})}, {part(1, kBottom)}};
  Window window(source_of(batches), 1000, 0);
  EXPECT_EQ(window.start(0)->cached, std::vector{part(1, kBottom)});
  EXPECT_EQ(window.kept_bytes(), kTileBytes / 2);
  // Its thread may come first, and what it keeps must then serve the first batch too.
  EXPECT_EQ(window.start(0)->cached, std::vector{part(1, kWhole)});
  EXPECT_EQ(window.start(0)->cached, std::vector{part(1, kWhole)});
  EXPECT_EQ(window.deliver(2).size(), 0u);  // not its turn
  EXPECT_TRUE(window.deliver(0).empty());
  EXPECT_TRUE(window.deliver(1).empty());
  EXPECT_EQ(window.deliver(2), (std::vector<TileKey>{{0, 0, 1, 0}}));
  EXPECT_EQ(window.kept_bytes(), 0u);
}

TEST(Window, KeepsAllOfATileThatIsNeededAgainInMoreThanHalf) {
  const PartBatches batches{{part(1, kTop)}, {part(1, {0, 4, 10, 6})}};
  Window window(source_of(batches), 1000, 0);
  EXPECT_EQ(window.start(0)->cached, std::vector{part(1, kWhole)});
}

TEST(Window, KeepsAllOfATileThatManyBatchesNeed) {
  PartBatches batches{{part(1, kTop)}};
  for (int i = 0; i < Window::kPartUses; ++i) batches.push_back({part(1, kBottom)});
  EXPECT_EQ(Window(source_of(batches), 1000, 0).start(0)->cached, std::vector{part(1, kBottom)});
  batches.push_back({part(1, kBottom)});
  EXPECT_EQ(Window(source_of(batches), 1000, 0).start(0)->cached, std::vector{part(1, kWhole)});
}

TEST(Window, AUseBeyondTheWindowThatNeedsAnotherPartIsNotServed) {
  const PartBatches batches{{part(1, kTop)}, {}, {part(1, kBottom)}, {part(1, kTop)}, {part(1, kBottom)}, {}};
  static_assert(Window::kMinAhead == 2);
  Window window(source_of(batches, Window::kMaxEntries), 1000, 0);
  EXPECT_EQ(window.start(0)->cached, std::vector{part(1, kBottom)});
  EXPECT_TRUE(window.start(1)->cached.empty());
  EXPECT_EQ(window.start(2)->cached.size(), 1u);
  EXPECT_TRUE(window.start(3)->cached.empty());
  EXPECT_EQ(window.start(4)->cached.size(), 1u);
  for (uint64_t batch = 0; batch < 4; ++batch) EXPECT_TRUE(window.deliver(batch).empty());
  EXPECT_EQ(window.deliver(4).size(), 1u);
  EXPECT_EQ(window.kept_bytes(), 0u);
}

TEST(Window, WhoeverMakesAPartItServesAll) {
  std::mt19937 random(9);
  const auto upto = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint32_t>(n)); };
  for (int round = 0; round < 300; ++round) {
    PartBatches batches(8);
    for (auto& batch : batches) {
      for (int i = 0; i < 3; ++i) {
        const int64_t x = upto(10), y = upto(10);
        batch.push_back(part(static_cast<uint32_t>(upto(4)), {x, y, 1 + upto(10 - x), 1 + upto(10 - y)}));
      }
    }
    Window window(source_of(batches), 10 * kTileBytes, 0);
    std::map<TileKey, std::vector<std::pair<Rect, Rect>>> uses;  // what each would keep, and what it needs
    for (const auto& batch : batches) {
      std::map<TileKey, Rect> needed;
      for (const PartOfTile& use : batch) needed[use.tile] = unite(needed[use.tile], use.part);
      const auto decision = window.start(0);
      for (const auto& [tile, kept] : decision->cached) uses[tile].push_back({kept, needed[tile]});
    }
    for (const auto& [tile, all] : uses) {
      // The first batch takes its own pixels while it makes the part; all others find theirs in it.
      for (size_t maker = 0; maker < all.size(); ++maker) {
        for (size_t user = 0; user < all.size(); ++user)
          EXPECT_TRUE(user == maker || all[maker].first.contains(all[user].second));
      }
    }
  }
}

TEST(Window, LooksNoFurtherThanItsLimits) {
  uint64_t furthest = 0;
  const auto reach = [&](const std::function<std::vector<PartOfTile>(uint64_t)>& tiles_of, size_t budget,
                         uint64_t starts) {
    furthest = 0;
    const auto noted = [&](uint64_t batch) -> Result<std::vector<PartOfTile>> {
      furthest = std::max(furthest, batch);
      return tiles_of(batch);
    };
    Window window(source_of(uint64_t{1} << 40, noted), budget, 0);
    for (uint64_t i = 0; i < starts; ++i) EXPECT_TRUE(window.start(0).ok());
    return furthest - (starts - 1);  // batches after the one started last
  };
  const auto nothing = [](uint64_t) { return std::vector<PartOfTile>(); };
  const auto always_new = [](uint64_t batch) { return std::vector{part(static_cast<uint32_t>(batch))}; };
  EXPECT_EQ(reach(nothing, 1000, 1), Window::kFirstEntries - 1);
  EXPECT_EQ(reach(nothing, 1000, 2), Window::kFirstEntries + Window::kMoreEntries - 1);
  EXPECT_EQ(reach(nothing, 1000, 50), Window::kMaxEntries - 1);
  EXPECT_EQ(reach(always_new, 1000, 1), 10 * Window::kBudgets - 1);
  EXPECT_EQ(reach(always_new, 1, 1), Window::kMinAhead);
}

}  // namespace
}  // namespace microtome
