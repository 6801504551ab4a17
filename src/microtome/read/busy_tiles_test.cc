// Tiles that another thread is decoding for a cache: see Note [Tiles being decoded elsewhere] in
// batch_read.h. The other thread is this one, inside the cache's `make`.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"
#include "microtome/read/batch_read.h"
#include "microtome/read/slides_for_test.h"

namespace microtome {
namespace {

using Busy = TileCache::Busy;

class BusyTilesTest : public ::testing::Test {
 protected:
  static constexpr Rect kAll{0, 0, 64, 32};

  void SetUp() override {
    slide_ = made_.open();
    auto region = plan_region(*slide_, 0, 0, kAll);
    ASSERT_TRUE(region.ok());
    BatchReadOptions options;
    options.fill.assign(3, std::byte{9});
    options.cache = &cache_;
    options.buffers = pool_.get();
    options.counters = &counters_;
    read_ = std::make_unique<BatchRead>(std::vector{slide_}, plan_batch(std::span(&*region, 1)),
                                        std::vector{canvas_.view()}, std::move(options));
  }

  TileCacheKey key(uint32_t col, uint32_t row) const { return {slide_->source().id(), 0, col, row}; }

  /// Pixels of the tile, as another thread would have decoded them.
  Result<TilePixels> pixels_of(int64_t col, int64_t row) {
    TilePixels pixels{{}, {0, 0, 16, 16}, 3, SampleType::u8};
    MICROTOME_ASSIGN(pixels.buffer, pool_->allocate(16 * 16 * 3));
    for (int64_t y = 0; y < 16; ++y)
      for (int64_t x = 0; x < 16; ++x)
        for (size_t i = 0; i < 3; ++i)
          pixels.buffer.data()[static_cast<size_t>((y * 16 + x) * 3) + i] =
              test_byte(0, col * 16 + x, row * 16 + y, i);
    return pixels;
  }

  TestSlide made_{{{.size = {64, 32}, .tile = {16, 16}}}};
  std::shared_ptr<const Slide> slide_;
  TileCache cache_{1 << 20};
  std::shared_ptr<BufferPool> pool_ = BufferPool::make(1 << 20);
  ReadCounters counters_, total_;
  TestCanvas canvas_{kAll.size(), 3, SampleType::u8};
  std::unique_ptr<BatchRead> read_;
  Worker worker_;
};

TEST_F(BusyTilesTest, TheCacheLeavesThem) {
  const auto never = [this] { return pixels_of(9, 9); };
  bool null = false;
  const auto got = cache_.get(key(0, 0), [&] {
    const auto inner = cache_.get(key(0, 0), never, Busy::leave);
    null = inner.ok() && *inner == nullptr;
    return pixels_of(0, 0);
  });
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(null);
  EXPECT_EQ(cache_.info().hits, 0u);
  EXPECT_EQ(cache_.info().misses, 1u);
  EXPECT_EQ(*cache_.get(key(0, 0), never, Busy::leave), *got);  // nobody makes it any more
}

TEST_F(BusyTilesTest, ADrainDoesEverythingElse) {
  Worker other;
  ASSERT_TRUE(cache_
                  .get(key(1, 0),
                       [&] {
                         EXPECT_TRUE(read_->drain(other, nullptr, Busy::leave).ok());
                         EXPECT_EQ(counters_.decoded, 7u);
                         EXPECT_TRUE(read_->puts_off());
                         EXPECT_FALSE(read_->done());
                         EXPECT_TRUE(read_->drain(other, nullptr, Busy::leave).ok());  // again in vain
                         EXPECT_TRUE(read_->puts_off());
                         return pixels_of(1, 0);
                       })
                  .ok());
  ASSERT_TRUE(read_->drain(worker_).ok());
  EXPECT_TRUE(read_->done());
  EXPECT_FALSE(read_->puts_off());
  EXPECT_EQ(counters_.decoded, 7u);
  EXPECT_EQ(counters_.shared, 1u);
  EXPECT_TRUE(made_.shows(canvas_.view(), 0, kAll, {}));
}

TEST_F(BusyTilesTest, IfTheOtherThreadFailsTheTileIsDecodedAfterAll) {
  ASSERT_FALSE(cache_
                   .get(key(1, 0),
                        [&]() -> Result<TilePixels> {
                          EXPECT_TRUE(read_->drain(worker_, nullptr, Busy::leave).ok());
                          return Error{Errc::out_of_memory, "theirs"};
                        })
                   .ok());
  ASSERT_TRUE(read_->drain(worker_).ok());
  EXPECT_TRUE(read_->done());
  EXPECT_EQ(counters_.decoded, 8u);
  EXPECT_TRUE(made_.shows(canvas_.view(), 0, kAll, {}));
}

TEST_F(BusyTilesTest, CountersAddUpInTheirTotal) {
  total_.decoded = 100;
  counters_.total = &total_;
  ASSERT_TRUE(read_->drain(worker_).ok());
  EXPECT_EQ(counters_.decoded, 8u);
  EXPECT_EQ(total_.decoded, 108u);
  EXPECT_EQ(total_.packed_bytes, counters_.packed_bytes);
}

}  // namespace
}  // namespace microtome
