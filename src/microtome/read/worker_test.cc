#include "microtome/read/worker.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "microtome/io/byte_source.h"

namespace microtome {
namespace {

TileFormat format_of(Compression compression) {
  TileFormat format;
  format.compression = compression;
  format.size = {8, 8};
  return format;
}

TEST(TileScratch, GrowsAndIsReused) {
  TileScratch scratch;
  const auto first = scratch.take(1000);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->size(), 1000u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first->data()) % 64, 0u);
  const auto smaller = scratch.take(10), larger = scratch.take(1100);
  EXPECT_EQ(smaller->data(), first->data());
  EXPECT_EQ(smaller->size(), 10u);
  EXPECT_EQ(larger->data(), first->data()) << "a little growth allocated anew";
  EXPECT_EQ(scratch.take(1 << 20)->size(), 1u << 20);
  scratch.free();
  EXPECT_EQ(scratch.capacity(), 0u);
}

TEST(TileScratch, AnAbsurdSizeIsAnErrorAndLeavesItUsable) {
  TileScratch scratch;
  const auto absurd = scratch.take(size_t{1} << 62);
  ASSERT_FALSE(absurd.ok());
  EXPECT_EQ(absurd.error().to_string(),
            "out of memory: 4611686018427387904 bytes for a tile, expected at most 17179869184");
  EXPECT_TRUE(scratch.take(10).ok());
}

TEST(Worker, MakesOneDecoderForEachCodec) {
  Worker worker;
  const auto raw = worker.decoder(format_of(Compression::none));
  ASSERT_TRUE(raw.ok());
  const auto deflate = worker.decoder(format_of(Compression::deflate));
  const auto deflate_old = worker.decoder(format_of(Compression::deflate_old));
  ASSERT_TRUE(deflate.ok() && deflate_old.ok());
  EXPECT_EQ(*deflate, *deflate_old);
  EXPECT_NE(*raw, *deflate);
  EXPECT_EQ(*worker.decoder(format_of(Compression::none)), *raw);
}

TEST(Worker, NamesTheCompressionItCannotDecode) {
  Worker worker;
  ASSERT_TRUE(worker.decoder(format_of(Compression::none)).ok());
  const auto decoder = worker.decoder(format_of(Compression{64999}));
  ASSERT_FALSE(decoder.ok());
  EXPECT_EQ(decoder.error().code, Errc::unsupported);
  EXPECT_NE(decoder.error().message.find("64999"), std::string::npos) << decoder.error().message;
}

TEST(WorkerPool, LeasesIdleWorkersAgain) {
  WorkerPool pool;
  Worker* first = nullptr;
  {
    const auto one = pool.lease(), two = pool.lease();
    EXPECT_NE(&*one, &*two);
    first = &*one;
    EXPECT_EQ(pool.idle_count(), 0u);
  }
  EXPECT_EQ(pool.idle_count(), 2u);
  EXPECT_EQ(&*pool.lease(), first) << "the one given back last is the warm one";
  pool.clear();
  EXPECT_EQ(pool.idle_count(), 0u);
}

TEST(WorkerPool, AnIdleWorkerKeepsNoLargeScratch) {
  WorkerPool pool;
  {
    const auto worker = pool.lease();
    ASSERT_TRUE(worker->twin.take(Worker::kKeptScratch * 2).ok());
  }
  {
    const auto worker = pool.lease();
    EXPECT_EQ(worker->twin.capacity(), 0u);
    ASSERT_TRUE(worker->twin.take(1000).ok());
  }
  EXPECT_GE(pool.lease()->twin.capacity(), 1000u);
}

/// Every read takes `pause` at least.
class PausingSource final : public ByteSource {
 public:
  explicit PausingSource(std::chrono::microseconds pause) : pause_(pause) {}
  std::string_view name() const noexcept override { return "pausing"; }
  uint64_t size() const noexcept override { return 1 << 20; }
  SourceId id() const noexcept override { return {}; }
  Status read_at(uint64_t, std::span<std::byte> dst) const override {
    std::this_thread::sleep_for(pause_);
    std::fill(dst.begin(), dst.end(), std::byte{0});
    return ok_status();
  }
  Status check_unchanged() const override { return ok_status(); }

 private:
  std::chrono::microseconds pause_;
};

TEST(WorkerPool, UsesMoreWorkersThanCpusOnlyForSlowSources) {
  std::atomic<int> cpus{4};
  WorkerPool pool([&] { return cpus.load(); });
  const PausingSource slow(10 * TileBytes::kSlow);
  const auto read = [&](const ByteSource& source, uint64_t offset) {
    EXPECT_TRUE(pool.lease()->bytes.read(source, {offset, 10}, {}).ok());
  };
  EXPECT_EQ(pool.useful(1), 1);
  EXPECT_EQ(pool.useful(4), 4);
  EXPECT_EQ(pool.useful(16), 4);
  cpus = 8;
  EXPECT_EQ(pool.useful(16), 8) << "asked anew";
  read(slow, 0);
  EXPECT_EQ(pool.useful(16), 16);
  { (void)pool.lease(); }
  EXPECT_EQ(pool.useful(16), 16) << "a worker that read nothing knows nothing";
  const std::vector<std::byte> bytes(100);
  const auto fast = make_memory_source({bytes, nullptr});
  read(*fast, 0);
  EXPECT_EQ(pool.useful(16), 8);
  EXPECT_EQ(WorkerPool().useful(1000), 1000);
}

TEST(WorkerPool, WorksInAChild) {
  WorkerPool pool;
  { (void)pool.lease(); }
  pool.fork_prepare();
  const pid_t child = ::fork();
  if (child == 0) {
    pool.fork_child();
    const auto worker = pool.lease();
    ::_exit(worker->twin.take(10).ok() && pool.idle_count() == 0 ? 0 : 1);
  }
  pool.fork_parent();
  EXPECT_EQ(pool.idle_count(), 1u);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace microtome
