#include "microtome/device/buffer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <thread>
#include <vector>

namespace microtome {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

Buffer allocate(BufferPool& pool, size_t bytes) {
  auto buffer = pool.allocate(bytes);
  EXPECT_TRUE(buffer.ok()) << buffer.error().to_string();
  return *std::move(buffer);
}

TEST(BufferPool, GivesAlignedMemoryOfAnySize) {
  const auto pool = BufferPool::make(64 * kMiB);
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{65}, kMiB - 1, kMiB, 3 * kMiB + 1}) {
    const Buffer buffer = allocate(*pool, bytes);
    ASSERT_NE(buffer.data(), nullptr);
    EXPECT_EQ(buffer.size(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    std::memset(buffer.data(), 0xA5, bytes);
  }
}

TEST(BufferPool, GivesADroppedBlockToTheNextThatFits) {
  const auto pool = BufferPool::make(64 * kMiB);
  std::byte* first = nullptr;
  {
    const Buffer buffer = allocate(*pool, 4 * kMiB);
    first = buffer.data();
  }
  EXPECT_EQ(pool->info().idle_bytes, 4 * kMiB);
  EXPECT_EQ(allocate(*pool, 4 * kMiB - 100).data(), first);
  EXPECT_NE(allocate(*pool, 3 * kMiB).data(), first);  // 4 is more than 1.25 times 3
  EXPECT_EQ(allocate(*pool, 4 * kMiB).data(), first);
  EXPECT_EQ(pool->info().reused, 2u);
  EXPECT_EQ(pool->info().fresh, 2u);
}

TEST(BufferPool, PrefersTheSmallestBlockThatFits) {
  const auto pool = BufferPool::make(64 * kMiB);
  std::byte* small = nullptr;
  {
    const Buffer large = allocate(*pool, 5 * kMiB), middle = allocate(*pool, 4 * kMiB + 4096);
    small = middle.data();
  }
  EXPECT_EQ(allocate(*pool, 4 * kMiB).data(), small);
}

TEST(BufferPool, KeepsAtMostItsCapacityOldestGoesFirst) {
  const auto pool = BufferPool::make(5 * kMiB);
  std::byte* last = nullptr;
  {
    std::optional<Buffer> a = allocate(*pool, 2 * kMiB), b = allocate(*pool, 3 * kMiB),
                          c = allocate(*pool, 2 * kMiB);
    last = c->data();
    a.reset();
    b.reset();
    EXPECT_EQ(pool->info().idle_bytes, 5 * kMiB);
    c.reset();
  }
  EXPECT_EQ(pool->info().idle_bytes, 5 * kMiB);  // a went, b and c stay
  EXPECT_EQ(allocate(*pool, 2 * kMiB).data(), last);
  { const Buffer too_large = allocate(*pool, 6 * kMiB); }
  EXPECT_LE(pool->info().idle_bytes, 5 * kMiB);
  pool->set_capacity(2 * kMiB);
  EXPECT_LE(pool->info().idle_bytes, 2 * kMiB);
  pool->clear();
  EXPECT_EQ(pool->info().idle_bytes, 0u);
}

TEST(BufferPool, ABufferOutlivesItsPool) {
  auto pool = BufferPool::make(kMiB);
  Buffer buffer = allocate(*pool, 2 * kMiB);
  Buffer small = allocate(*pool, 100);
  pool.reset();
  std::memset(buffer.data(), 1, buffer.size());
  std::memset(small.data(), 1, small.size());
}

TEST(BufferPool, MovesCarryTheBlock) {
  const auto pool = BufferPool::make(64 * kMiB);
  Buffer a = allocate(*pool, kMiB);
  std::byte* data = a.data();
  Buffer b = std::move(a);
  EXPECT_EQ(b.data(), data);
  a = allocate(*pool, kMiB);
  a = std::move(b);
  EXPECT_EQ(a.data(), data);
}

TEST(BufferPool, RefusesWhatNoMachineHas) {
  const auto pool = BufferPool::make(kMiB);
  const auto most = pool->allocate(std::numeric_limits<size_t>::max());
  ASSERT_FALSE(most.ok());
  EXPECT_EQ(most.error().code, Errc::out_of_memory);
  const auto huge = pool->allocate(size_t{1} << 62);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.error().to_string(), "out of memory: no memory for 4611686018427387904 bytes of pixels");
}

TEST(BufferPool, ServesManyThreads) {
  const auto pool = BufferPool::make(8 * kMiB);
  std::vector<std::thread> team;
  for (int seed = 0; seed < 8; ++seed) {
    team.emplace_back([&pool, seed] {
      std::vector<Buffer> held;
      for (size_t i = 0; i < 300; ++i) {
        held.push_back(allocate(*pool, (i * 7919 + static_cast<size_t>(seed) * 104729) % (2 * kMiB)));
        held.back().data()[0] = static_cast<std::byte>(seed);
        if (held.size() > 3) held.erase(held.begin());
      }
      for (const Buffer& buffer : held) EXPECT_EQ(buffer.data()[0], static_cast<std::byte>(seed));
    });
  }
  for (std::thread& thread : team) thread.join();
  EXPECT_LE(pool->info().idle_bytes, 8 * kMiB);
}

TEST(BufferPool, WorksInAForkedChild) {
  const auto pool = BufferPool::make(8 * kMiB);
  { const Buffer buffer = allocate(*pool, 2 * kMiB); }
  pool->fork_prepare();
  const pid_t child = fork();
  if (child == 0) {
    pool->fork_child();
    const auto buffer = pool->allocate(2 * kMiB);
    _exit(buffer.ok() && pool->info().reused == 1 ? 0 : 1);
  }
  pool->fork_parent();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pool->info().reused, 0u);
}

TEST(Tensor, HasRoomForItsShape) {
  const auto pool = BufferPool::make(kMiB);
  const auto tensor = make_tensor(*pool, {2, 3, 5, 4}, SampleType::u16);
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(tensor->buffer->size(), 240u);
  EXPECT_EQ(tensor->data(), tensor->buffer->data());
  EXPECT_TRUE(make_tensor(*pool, {0, 3}, SampleType::u8).ok());
}

TEST(Tensor, RefusesShapesBeyondTheAddressSpace) {
  const auto pool = BufferPool::make(kMiB);
  const auto huge = make_tensor(*pool, {int64_t{1} << 40, int64_t{1} << 40}, SampleType::u8);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.error().code, Errc::out_of_memory);
  const auto negative = make_tensor(*pool, {2, -1}, SampleType::u8);
  ASSERT_FALSE(negative.ok());
  EXPECT_EQ(negative.error().to_string(), "invalid argument: an extent of -1, expected 0 or more");
}

}  // namespace
}  // namespace microtome
