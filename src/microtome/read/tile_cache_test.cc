#include "microtome/read/tile_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "microtome/base/fail.h"

namespace microtome {
namespace {

TileCacheKey key_of(uint32_t col, uint32_t row = 0) {
  return {SourceId{1, 2, 3, 4}, 0, col, row};
}

class TileCacheTest : public ::testing::Test {
 protected:
  /// A tile of `bytes` bytes, all `value`.
  Result<TilePixels> tile(size_t bytes, int value = 0) {
    TilePixels pixels{{}, {0, 0, static_cast<int64_t>(bytes), 1}, 1, SampleType::u8};
    MICROTOME_ASSIGN(pixels.buffer, pool_->allocate(bytes));
    std::fill_n(pixels.buffer.data(), bytes, static_cast<std::byte>(value));
    return pixels;
  }

  /// Asks for a tile of 100 bytes; whether it had to be made.
  bool made(TileCache& cache, const TileCacheKey& key) {
    bool made = false;
    const auto pixels = cache.get(key, [&] {
      made = true;
      return tile(100);
    });
    EXPECT_TRUE(pixels.ok());
    return made;
  }

  std::shared_ptr<BufferPool> pool_ = BufferPool::make(1 << 20);
};

TEST_F(TileCacheTest, CountsExactly) {
  TileCache cache(1000);
  EXPECT_TRUE(made(cache, key_of(1)));
  EXPECT_FALSE(made(cache, key_of(1)));
  EXPECT_TRUE(made(cache, key_of(2)));
  EXPECT_NE(cache.find(key_of(2)), nullptr);
  EXPECT_EQ(cache.find(key_of(3)), nullptr);  // counts nothing
  TileCache::Info info = cache.info();
  EXPECT_EQ(info.capacity_bytes, 1000u);
  EXPECT_EQ(info.bytes, 200u);
  EXPECT_EQ(info.tiles, 2u);
  EXPECT_EQ(info.hits, 2u);
  EXPECT_EQ(info.misses, 2u);
  EXPECT_EQ(info.evictions, 0u);
  cache.reset_counters();
  info = cache.info();
  EXPECT_EQ(info.hits + info.misses + info.evictions, 0u);
  EXPECT_EQ(info.tiles, 2u);
}

TEST_F(TileCacheTest, GivesThePixelsThatWereMade) {
  TileCache cache(1000);
  ASSERT_TRUE(cache.get(key_of(1), [&] { return tile(10, 7); }).ok());
  const auto pixels = cache.find(key_of(1));
  ASSERT_NE(pixels, nullptr);
  EXPECT_EQ(pixels->view().data, pixels->buffer.data());
  EXPECT_EQ(pixels->view().row_stride, 10);
  EXPECT_EQ(pixels->view().row(0)[9], std::byte{7});
}

// Keys fall into different shards; the order is that of all of them together.
TEST_F(TileCacheTest, EvictsTheLeastRecentlyUsedOfAllShards) {
  TileCache cache(1000);
  for (uint32_t i = 0; i < 10; ++i) made(cache, key_of(i));
  EXPECT_FALSE(made(cache, key_of(0)));
  EXPECT_NE(cache.find(key_of(2)), nullptr);
  made(cache, key_of(10));  // pushes 1 out
  made(cache, key_of(11));  // 3
  made(cache, key_of(12));  // 4
  EXPECT_EQ(cache.info().evictions, 3u);
  EXPECT_EQ(cache.info().bytes, 1000u);
  for (const uint32_t gone : {1u, 3u, 4u}) EXPECT_EQ(cache.find(key_of(gone)), nullptr) << gone;
  for (const uint32_t there : {0u, 2u, 5u, 6u, 7u, 8u, 9u, 10u, 11u, 12u})
    EXPECT_NE(cache.find(key_of(there)), nullptr) << there;
}

TEST_F(TileCacheTest, KeepsATileOfTheWholeCapacityAndNoneLarger) {
  TileCache cache(1000);
  made(cache, key_of(1));
  ASSERT_TRUE(cache.get(key_of(2), [&] { return tile(1000); }).ok());
  EXPECT_NE(cache.find(key_of(2)), nullptr);
  EXPECT_EQ(cache.find(key_of(1)), nullptr);
  const auto large = cache.get(key_of(3), [&] { return tile(1001); });
  ASSERT_TRUE(large.ok());
  EXPECT_EQ((*large)->part.w, 1001);
  EXPECT_EQ(cache.find(key_of(3)), nullptr);
  EXPECT_NE(cache.find(key_of(2)), nullptr) << "pushed out for a tile that cannot be kept";
}

TEST_F(TileCacheTest, EveryPartOfTheKeyCounts) {
  TileCache cache(10000);
  const TileCacheKey base = key_of(1, 1);
  std::vector<TileCacheKey> keys(8, base);
  keys[1].source.device += 1;
  keys[2].source.inode += 1;
  keys[3].source.size += 1;
  keys[4].source.mtime_ns += 1;
  keys[5].image += 1;
  keys[6].col += 1;
  keys[7].row += 1;
  for (const TileCacheKey& key : keys) EXPECT_TRUE(made(cache, key));
  for (const TileCacheKey& key : keys) EXPECT_FALSE(made(cache, key));
}

TEST_F(TileCacheTest, OneThreadMakesAndAllGetIt) {
  for (const size_t capacity : {size_t{1000}, size_t{0}}) {
    TileCache cache(capacity);
    std::atomic<int> makes{0}, right{0};
    const auto ask = [&] {
      const auto pixels = cache.get(key_of(1), [&] {
        ++makes;
        while (cache.info().hits < 7) std::this_thread::yield();  // until all others wait
        return tile(100, 42);
      });
      if (pixels.ok() && (*pixels)->buffer.data()[99] == std::byte{42}) ++right;
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back(ask);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(makes, 1);
    EXPECT_EQ(right, 8);
    const TileCache::Info info = cache.info();
    EXPECT_EQ(info.hits, 7u);
    EXPECT_EQ(info.misses, 1u);
    EXPECT_EQ(info.tiles, capacity == 0 ? 0u : 1u);
  }
}

TEST_F(TileCacheTest, AFailureReachesAllAndIsNotKept) {
  TileCache cache(1000);
  std::atomic<int> failures{0};
  const auto ask = [&] {
    const auto pixels = cache.get(key_of(1), [&]() -> Result<TilePixels> {
      while (cache.info().hits < 3) std::this_thread::yield();
      return corrupt("broken");
    });
    if (!pixels.ok() && pixels.error().message == "broken") ++failures;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(ask);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 4);
  EXPECT_EQ(cache.info().tiles, 0u);
  EXPECT_TRUE(made(cache, key_of(1)));
  EXPECT_FALSE(made(cache, key_of(1)));
}

TEST_F(TileCacheTest, AThrowingMakeIsAnErrorAndLeavesTheTileFree) {
  TileCache cache(1000);
  const auto lack = cache.get(key_of(1), []() -> Result<TilePixels> { throw std::bad_alloc(); });
  ASSERT_FALSE(lack.ok());
  EXPECT_EQ(lack.error().code, Errc::out_of_memory);
  const auto bug = cache.get(key_of(1), []() -> Result<TilePixels> { throw std::runtime_error("odd"); });
  ASSERT_FALSE(bug.ok());
  EXPECT_EQ(bug.error().code, Errc::internal);
  EXPECT_TRUE(made(cache, key_of(1)));
}

TEST_F(TileCacheTest, ALowerCapacityEvictsAtOnce) {
  TileCache cache(1000);
  for (uint32_t i = 0; i < 10; ++i) made(cache, key_of(i));
  cache.set_capacity(250);
  TileCache::Info info = cache.info();
  EXPECT_EQ(info.bytes, 200u);
  EXPECT_EQ(info.tiles, 2u);
  EXPECT_EQ(info.evictions, 8u);
  EXPECT_NE(cache.find(key_of(9)), nullptr);
  EXPECT_NE(cache.find(key_of(8)), nullptr);
  cache.set_capacity(0);
  EXPECT_EQ(cache.info().bytes, 0u);
  EXPECT_TRUE(made(cache, key_of(1)));
  EXPECT_TRUE(made(cache, key_of(1))) << "kept at capacity 0";
}

TEST_F(TileCacheTest, EraseAndClear) {
  TileCache cache(1000);
  for (uint32_t i = 0; i < 5; ++i) made(cache, key_of(i));
  cache.erase(key_of(2));
  cache.erase(key_of(77));
  EXPECT_EQ(cache.find(key_of(2)), nullptr);
  EXPECT_EQ(cache.info().bytes, 400u);
  cache.clear();
  EXPECT_EQ(cache.info().bytes, 0u);
  EXPECT_EQ(cache.info().tiles, 0u);
  EXPECT_EQ(cache.info().misses, 5u);
  EXPECT_EQ(cache.info().evictions, 0u);
}

TEST_F(TileCacheTest, ATileErasedWhileItIsMadeIsNotKept) {
  TileCache cache(1000);
  const auto pixels = cache.get(key_of(1), [&] {
    cache.erase(key_of(1));
    return tile(100);
  });
  EXPECT_TRUE(pixels.ok());
  EXPECT_EQ(cache.info().tiles, 0u);
}

TEST_F(TileCacheTest, PixelsOutliveTheirEviction) {
  TileCache::Pixels pixels;
  {
    TileCache cache(1000);
    pixels = *cache.get(key_of(1), [&] { return tile(100, 9); });
    cache.clear();
  }
  EXPECT_EQ(pixels->buffer.data()[0], std::byte{9});
}

// The thread that makes the tile does not exist in the child, which would wait for it for ever.
TEST_F(TileCacheTest, AChildForgetsTilesThatWereBeingMade) {
  TileCache cache(1000);
  made(cache, key_of(1));
  std::atomic<bool> making{false}, finish{false};
  std::thread maker([&] {
    (void)cache.get(key_of(2), [&] {
      making = true;
      while (!finish) std::this_thread::yield();
      return tile(100);
    });
  });
  while (!making) std::this_thread::yield();
  std::thread waiter([&] { made(cache, key_of(2)); });
  while (cache.info().hits < 1) std::this_thread::yield();

  pool_->fork_prepare();
  cache.fork_prepare();
  const pid_t child = ::fork();
  if (child == 0) {
    cache.fork_child();
    pool_->fork_child();
    const bool kept = !made(cache, key_of(1));
    const bool anew = made(cache, key_of(2));
    ::_exit(kept && anew && cache.info().tiles == 2 ? 0 : 1);
  }
  cache.fork_parent();
  pool_->fork_parent();
  finish = true;
  maker.join();
  waiter.join();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_FALSE(made(cache, key_of(2))) << "the parent's tile was lost";
}

TEST_F(TileCacheTest, ManyThreadsOverMoreTilesThanFit) {
  TileCache cache(2000);
  std::atomic<uint64_t> asked{0}, wrong{0};
  const auto work = [&](uint32_t seed) {
    for (uint32_t i = 0; i < 2000; ++i) {
      seed = seed * 1664525 + 1013904223;
      const uint32_t col = (seed >> 16) % 50;
      const auto pixels = cache.get(key_of(col), [&] { return tile(100, static_cast<int>(col)); });
      ++asked;
      if (!pixels.ok() || (*pixels)->buffer.data()[50] != static_cast<std::byte>(col)) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 8; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  const TileCache::Info info = cache.info();
  EXPECT_EQ(info.hits + info.misses, asked);
  EXPECT_EQ(info.misses, info.evictions + info.tiles);
  EXPECT_LE(info.bytes, 2000u);
  EXPECT_EQ(info.bytes, info.tiles * 100);
}

}  // namespace
}  // namespace microtome
