#include "microtome/device/buffer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <thread>

#include "microtome/base/fork_for_test.h"

namespace microtome {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

Buffer take(BufferPool& pool, size_t bytes) {
  auto buffer = pool.allocate(bytes);
  EXPECT_TRUE(buffer.ok()) << buffer.error().to_string();
  return *std::move(buffer);
}

uintptr_t address(const Buffer& buffer) {
  return reinterpret_cast<uintptr_t>(buffer.data());
}

TEST(BufferPool, BlocksAreAlignedAndWritable) {
  const auto pool = BufferPool::make(0);
  for (const size_t bytes : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{100000}, kMiB - 1}) {
    const Buffer buffer = take(*pool, bytes);
    EXPECT_EQ(buffer.size(), bytes);
    EXPECT_EQ(address(buffer) % 64, 0u);
    std::memset(buffer.data(), 7, bytes);
  }
  for (const size_t bytes : {kMiB, kMiB + 1, 3 * kMiB + 77}) {
    const Buffer buffer = take(*pool, bytes);
    EXPECT_EQ(buffer.size(), bytes);
    EXPECT_EQ(address(buffer) % 4096, 0u);
    std::memset(buffer.data(), 7, bytes);
  }
}

// The first touch of a page costs as much as decoding into it: it is left to the threads that decode.
TEST(BufferPool, AllocatingTouchesNoPages) {
  const auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt;
  };
  const auto pool = BufferPool::make(0);
  const long before = faults();
  const Buffer buffer = take(*pool, 64 * kMiB);
  // Half: the address sanitizer notes some of it elsewhere.
  EXPECT_LT(faults() - before, static_cast<long>(64 * kMiB / 4096 / 2));
}

TEST(BufferPool, NothingIsABufferTooAndADefaultOneOwnsNothing) {
  const auto pool = BufferPool::make(kMiB);
  const Buffer empty = take(*pool, 0);
  EXPECT_NE(empty.data(), nullptr);
  EXPECT_EQ(empty.size(), 0u);
  EXPECT_EQ(Buffer().data(), nullptr);
  EXPECT_EQ(pool->info().idle_bytes, 0u);
}

TEST(BufferPool, ReturnedBlocksAreReused) {
  const auto pool = BufferPool::make(8 * kMiB);
  uintptr_t first = 0;
  {
    const Buffer buffer = take(*pool, 2 * kMiB);
    first = address(buffer);
  }
  EXPECT_EQ(pool->info().idle_bytes, 2 * kMiB);
  const Buffer again = take(*pool, 2 * kMiB - 5000);
  EXPECT_EQ(address(again), first);
  EXPECT_EQ(again.size(), 2 * kMiB - 5000);
  EXPECT_EQ(pool->info().reused, 1u);
  EXPECT_EQ(pool->info().fresh, 1u);
  EXPECT_EQ(pool->info().idle_bytes, 0u);
}

TEST(BufferPool, WhatNoOneWantedForTooLongIsFreedAtTheNextUse) {
  const auto pool = BufferPool::make(64 * kMiB, std::chrono::nanoseconds(0));
  { const Buffer small = take(*pool, 1 * kMiB), large = take(*pool, 8 * kMiB); }
  // `large` came back first, and was idle too long when `small` did.
  EXPECT_EQ(pool->info().idle_bytes, 1 * kMiB);
  {
    const Buffer again = take(*pool, 1 * kMiB);  // however long it was idle
    EXPECT_EQ(pool->info().reused, 1u);
  }
  EXPECT_EQ(pool->info().idle_bytes, 1 * kMiB);
  const Buffer other = take(*pool, 2 * kMiB);
  EXPECT_EQ(pool->info().idle_bytes, 0u);
}

TEST(BufferPool, WhatComesBackAgainAndAgainIsKept) {
  const auto pool = BufferPool::make(64 * kMiB, std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) {
    const Buffer small = take(*pool, 1 * kMiB), large = take(*pool, 8 * kMiB);
  }
  EXPECT_EQ(pool->info().idle_bytes, 9 * kMiB);
  EXPECT_EQ(pool->info().reused, 4u);
}

TEST(BufferPool, ABlockMoreThanAQuarterTooLargeIsNotTaken) {
  const auto pool = BufferPool::make(64 * kMiB);
  { const Buffer buffer = take(*pool, 5 * kMiB); }
  const Buffer no = take(*pool, 4 * kMiB - 4096);
  EXPECT_EQ(pool->info().reused, 0u);
  const Buffer yes = take(*pool, 4 * kMiB);
  EXPECT_EQ(pool->info().reused, 1u);
}

TEST(BufferPool, TheSmallestBlockThatFitsIsTaken) {
  const auto pool = BufferPool::make(64 * kMiB);
  uintptr_t small = 0;
  {
    const Buffer a = take(*pool, 4 * kMiB + 400000), b = take(*pool, 4 * kMiB + 8192),
                 c = take(*pool, 4 * kMiB + 800000);
    small = address(b);
  }
  EXPECT_EQ(address(take(*pool, 4 * kMiB)), small);
}

TEST(BufferPool, BeyondItsCapacityTheLongestIdleBlockIsFreed) {
  const auto pool = BufferPool::make(6 * kMiB);
  auto a = std::make_unique<Buffer>(take(*pool, 2 * kMiB)),
       b = std::make_unique<Buffer>(take(*pool, 3 * kMiB)),
       c = std::make_unique<Buffer>(take(*pool, 3 * kMiB + 4096));
  a.reset();
  b.reset();
  EXPECT_EQ(pool->info().idle_bytes, 5 * kMiB);
  c.reset();  // now a goes, and b with it, for there is room for c alone beside nothing of 3 MiB
  EXPECT_EQ(pool->info().idle_bytes, 3 * kMiB + 4096);
  { const Buffer large = take(*pool, 7 * kMiB); }  // never fits: freed without pushing anything out
  EXPECT_EQ(pool->info().idle_bytes, 3 * kMiB + 4096);
  pool->set_capacity(1 * kMiB);
  EXPECT_EQ(pool->info().idle_bytes, 0u);
  EXPECT_EQ(pool->info().capacity_bytes, 1 * kMiB);
}

TEST(BufferPool, ClearFreesIdleBlocksAlone) {
  const auto pool = BufferPool::make(8 * kMiB);
  const Buffer used = take(*pool, kMiB);
  { const Buffer idle = take(*pool, kMiB); }
  pool->clear();
  EXPECT_EQ(pool->info().idle_bytes, 0u);
  std::memset(used.data(), 1, used.size());
}

TEST(BufferPool, BuffersOutliveTheirPool) {
  auto pool = BufferPool::make(8 * kMiB);
  const Buffer small = take(*pool, 100), large = take(*pool, 2 * kMiB);
  pool.reset();
  std::memset(small.data(), 1, small.size());
  std::memset(large.data(), 1, large.size());
}

TEST(BufferPool, MovingLeavesOneOwner) {
  const auto pool = BufferPool::make(8 * kMiB);
  {
    Buffer a = take(*pool, kMiB), b = take(*pool, 2 * kMiB);
    const uintptr_t from = address(a);
    b = std::move(a);  // b's own block goes back at once
    EXPECT_EQ(pool->info().idle_bytes, 2 * kMiB);
    EXPECT_EQ(address(b), from);
    EXPECT_EQ(a.data(), nullptr);  // NOLINT: what moving promises
    EXPECT_EQ(a.size(), 0u);
  }
  EXPECT_EQ(pool->info().idle_bytes, 3 * kMiB);
}

TEST(BufferPool, SizesBeyondTheAddressSpaceAreRefused) {
  const auto pool = BufferPool::make(0);
  for (const size_t bytes : {std::numeric_limits<size_t>::max(), std::numeric_limits<size_t>::max() / 2}) {
    const auto buffer = pool->allocate(bytes);
    ASSERT_FALSE(buffer.ok());
    EXPECT_EQ(buffer.error().code, Errc::out_of_memory);
    EXPECT_EQ(buffer.error().message, std::to_string(bytes) + " bytes pass the address space");
  }
}

TEST(BufferPool, ManyThreads) {
  const auto pool = BufferPool::make(4 * kMiB);
  std::atomic<bool> overlap{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto mark = static_cast<std::byte>(t + 1);
      for (size_t i = 0; i < 300; ++i) {
        const Buffer a = take(*pool, 1000 + 1000 * (i % 7)), b = take(*pool, kMiB + 4096 * (i % 5));
        std::memset(a.data(), t + 1, a.size());
        b.data()[0] = b.data()[b.size() - 1] = mark;
        const auto mine = [mark](std::byte byte) { return byte == mark; };
        if (!std::all_of(a.data(), a.data() + a.size(), mine) || b.data()[0] != mark) overlap = true;
        if (i % 50 == 0) pool->clear();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(overlap);
  const auto info = pool->info();
  EXPECT_EQ(info.reused + info.fresh, 4u * 300u * 2u);
  EXPECT_LE(info.idle_bytes, info.capacity_bytes);
}

TEST(BufferPool, AForkedChildFindsThePoolUnlocked) {
  FORKS_WHILE_THREADS_ALLOCATE();
  const auto pool = BufferPool::make(4 * kMiB);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) take(*pool, 5000);
  });
  for (int i = 0; i < 20; ++i) {
    pool->fork_prepare();
    const pid_t child = fork();
    if (child == 0) {
      pool->fork_child();
      alarm(60);
      const auto buffer = pool->allocate(5000);
      _exit(buffer.ok() ? 0 : 1);
    }
    pool->fork_parent();
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  stop = true;
  busy.join();
}

TEST(MakeTensor, HasItsShapeAndMemory) {
  const auto pool = BufferPool::make(0);
  const auto tensor = make_tensor(*pool, {2, 3, 5, 4}, SampleType::f32);
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{2, 3, 5, 4}));
  EXPECT_EQ(tensor->buffer->size(), 2u * 3 * 5 * 4 * 4);
  EXPECT_EQ(tensor->type, SampleType::f32);
  EXPECT_EQ(make_tensor(*pool, {0, 3}, SampleType::u8)->buffer->size(), 0u);
}

TEST(MakeTensor, RefusesWhatNoMemoryHolds) {
  const auto pool = BufferPool::make(0);
  const auto large = make_tensor(*pool, {int64_t{1} << 40, int64_t{1} << 40, 3}, SampleType::u8);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().to_string(),
            "out of memory: a tensor of 1099511627776x1099511627776x3 passes the address space");
  const auto negative = make_tensor(*pool, {2, -1}, SampleType::u8);
  ASSERT_FALSE(negative.ok());
  EXPECT_EQ(negative.error().to_string(), "invalid argument: a tensor's side is -1, expected 0 or more");
}

}  // namespace
}  // namespace microtome
