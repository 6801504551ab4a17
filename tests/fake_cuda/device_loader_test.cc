// Batches on the device, as their consumers get them: the CPU's pixels whatever the timing, nothing that
// makes the host wait, no races, nothing left.
#include "microtome/loader/device_loader.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "microtome/base/cases_for_test.h"
#include "microtome/loader/loader_for_test.h"
#include "tests/fake_cuda/fake_for_test.h"

namespace microtome {
namespace {

using cuda::DeviceTensor;
using cuda::ForeignStream;

/// What takes batches: a stream of its own that copies them to pinned memory of its own.
class Consumer {
 public:
  Consumer(std::shared_ptr<const cuda::Device> device, size_t bytes)
      : device_(std::move(device)),
        stream_(device_->make_stream().value()),
        event_(device_->make_event().value()),
        memory_(device_->allocate_pinned(bytes).value()) {}

  ForeignStream stream() const { return {reinterpret_cast<uintptr_t>(stream_.get())}; }

  /// Begins to read the batch.
  void begin(const DeviceTensor& pixels) {
    bytes_ = sample_bytes(pixels.type);
    for (const int64_t side : pixels.shape) bytes_ *= static_cast<size_t>(side);
    ASSERT_TRUE(device_->copy_to_host(memory_.data(), pixels.block->address(), bytes_, stream_).ok());
    ASSERT_TRUE(device_->record(event_, stream_).ok());
  }
  std::span<const std::byte> end() {
    while (!device_->is_done(event_).value()) std::this_thread::yield();
    return {memory_.data(), bytes_};
  }
  std::span<const std::byte> take(const DeviceTensor& pixels) {
    begin(pixels);
    return end();
  }

 private:
  std::shared_ptr<const cuda::Device> device_;
  cuda::Stream stream_;
  cuda::Event event_;
  cuda::PinnedMemory memory_;
  size_t bytes_ = 0;
};

class DeviceLoaderTest : public cuda::FakeDriverTest {
 protected:
  static constexpr Size kTile{32, 24}, kPatch{40, 30};

  std::shared_ptr<const gpu::Gpu> open_gpu(int ordinal = 0) {
    return gpu::Gpu::open(open_driver(), ordinal).value();
  }

  static Result<std::unique_ptr<DeviceLoader>> load(std::shared_ptr<const gpu::Gpu> gpu,
                                                    const LoaderContext& context, const KnownSlide& known,
                                                    const std::vector<Patch>& patches, LoaderOptions options,
                                                    size_t memory = 0) {
    return DeviceLoader::open(context, std::move(gpu), {known.slide},
                              std::make_shared<const std::vector<Patch>>(patches), in_order(patches.size()),
                              {std::move(options), memory, {}});
  }

  static void expect_pixels(const KnownSlide& known, const std::vector<Patch>& patches,
                            const std::vector<int64_t>& indices, std::span<const std::byte> pixels) {
    const size_t row = pixels.size() / indices.size();
    for (size_t i = 0; i < indices.size(); ++i) {
      const Patch& patch = patches[static_cast<size_t>(indices[i])];
      const auto expected = known.crop(patch.level, {patch.x, patch.y, kPatch.w, kPatch.h}, kFill);
      ASSERT_TRUE(std::ranges::equal(pixels.subspan(i * row, row), expected)) << "patch " << indices[i];
    }
  }

  static constexpr size_t kBatchBytes = size_t{8} * kPatch.w * kPatch.h * KnownSlide::kSamples;
};

TEST_F(DeviceLoaderTest, BatchesAreTheCpusAndNothingWaits) {
  for (const int threads : {0, 1, 3}) {
    configure("delay=100,seed=" + std::to_string(threads + 1));
    const KnownSlide known({{{300, 200}, kTile}}, 5);
    const auto patches = half_offset_grid({300, 200}, kTile);
    const auto gpu = open_gpu();
    Consumer consumer(gpu->device, kBatchBytes);
    const LoaderContext context = context_for_test();
    auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, threads)).value();
    uint64_t waits = 0, batches = 0;
    while (auto batch = loader->next().value()) {
      if (++batches == 5) {
        // The loader is as far ahead as it gets then, and has as many blocks as it ever needs.
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        waits = report().synchronous_calls;
      }
      batch->pixels.block->used_on(consumer.stream());
      expect_pixels(known, patches, batch->indices, consumer.take(batch->pixels));
      if (batches > 5 && batches < loader->batch_count()) {
        EXPECT_EQ(report().synchronous_calls, waits);
      }
    }
    EXPECT_EQ(batches, loader->batch_count());
    const LoaderStats stats = loader->meter()->stats();
    EXPECT_EQ(stats.decoded, 10u * 9u);  // each distinct tile once
    EXPECT_EQ(stats.tiles, stats.decoded);
    EXPECT_EQ(report().launches, batches);
    EXPECT_EQ(report().pageable_copies, 0u);
    loader.reset();
    EXPECT_FALSE(gpu->device->driver().devices().empty());
  }
}

TEST_F(DeviceLoaderTest, LittleMemoryDecodesAgainAndStaysRight) {
  configure("delay=200");
  const KnownSlide known({{{4000, 400}, {200, 100}}}, 6);
  std::vector<Patch> patches;  // each of four tiles
  for (int64_t y = 90; y < 400; y += 100)
    for (int64_t x = 180; x < 4000; x += 200) patches.push_back({0, 0, x, y});
  const std::vector<Patch> once = patches;
  patches.insert(patches.end(), once.rbegin(), once.rend());
  const auto gpu = open_gpu();
  Consumer consumer(gpu->device, kBatchBytes);
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, 2), size_t{2} << 20).value();
  while (auto batch = loader->next().value()) {
    batch->pixels.block->used_on(consumer.stream());
    expect_pixels(known, patches, batch->indices, consumer.take(batch->pixels));
  }
  const LoaderStats stats = loader->meter()->stats();
  EXPECT_EQ(stats.tiles, 80u);
  EXPECT_GT(stats.decoded, stats.tiles);
  EXPECT_GT(report().launches, loader->batch_count());  // some are more than a slab
}

TEST_F(DeviceLoaderTest, TooLittleMemoryIsRefused) {
  const KnownSlide known({{{300, 200}, kTile}}, 5);
  const auto gpu = open_gpu();
  const LoaderContext context = context_for_test();
  const auto loader = load(gpu, context, known, {{0, 0, 0, 0}}, options_for_test(kPatch, 8, 1), 1000);
  ASSERT_FALSE(loader.ok());
  EXPECT_EQ(loader.error().code, Errc::invalid_argument);
  EXPECT_NE(loader.error().message.find("device_memory_limit is 1000 bytes, expected "), std::string::npos);
}

TEST_F(DeviceLoaderTest, MemoryComesBackWhenItsConsumersStreamIsDone) {
  configure("delay=3000");
  const KnownSlide known({{{300, 200}, kTile}}, 7);
  const auto patches = half_offset_grid({300, 200}, kTile);
  const auto gpu = open_gpu();
  std::vector<std::unique_ptr<Consumer>> consumers;
  for (int i = 0; i < 3; ++i) consumers.push_back(std::make_unique<Consumer>(gpu->device, kBatchBytes));
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, 1)).value();
  std::vector<std::vector<int64_t>> indices(consumers.size());
  for (size_t i = 0;; ++i) {
    auto batch = loader->next().value();
    if (!batch) break;
    Consumer& consumer = *consumers[i % consumers.size()];
    if (i >= consumers.size()) expect_pixels(known, patches, indices[i % consumers.size()], consumer.end());
    batch->pixels.block->used_on(consumer.stream());
    indices[i % consumers.size()] = batch->indices;
    consumer.begin(batch->pixels);
  }  // … and the batch is dropped, while its consumer has not begun to read it
  for (auto& consumer : consumers) static_cast<void>(consumer->end());
}

TEST_F(DeviceLoaderTest, AStreamThatWasNotNamedIsARace) {
  RACES_ON_PURPOSE();
  configure("delay=3000");
  const KnownSlide known({{{300, 200}, kTile}}, 7);
  const auto patches = half_offset_grid({300, 200}, kTile);
  const auto gpu = open_gpu();
  Consumer consumer(gpu->device, kBatchBytes);
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, 1)).value();
  while (auto batch = loader->next().value()) consumer.begin(batch->pixels);
  static_cast<void>(consumer.end());
  expected_races_ = report().races;
  EXPECT_GT(expected_races_, 0u);
}

TEST_F(DeviceLoaderTest, BatchesOutliveTheirLoaderAndAreDroppedAnywhere) {
  const KnownSlide known({{{300, 200}, kTile}}, 8);
  const auto patches = half_offset_grid({300, 200}, kTile);
  auto gpu = open_gpu();
  Consumer consumer(gpu->device, kBatchBytes);
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, 1)).value();
  gpu.reset();
  auto batch = loader->next().value();
  auto second = loader->next().value();
  loader.reset();
  expect_pixels(known, patches, batch->indices, consumer.take(batch->pixels));
  batch->pixels.block->used_on({});
  std::thread([&] { batch.reset(); }).join();
  expect_pixels(known, patches, second->indices, consumer.take(second->pixels));
}

TEST_F(DeviceLoaderTest, SeveralLoadersAndDevices) {
  configure("devices=2,delay=100");
  const KnownSlide known({{{300, 200}, kTile}}, 9);
  const auto patches = half_offset_grid({300, 200}, kTile);
  const auto driver = open_driver();
  const LoaderContext context = context_for_test();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto gpu = gpu::Gpu::open(driver, i % 2).value();
      Consumer consumer(gpu->device, kBatchBytes);
      auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, i % 3)).value();
      while (auto batch = loader->next().value()) {
        EXPECT_EQ(batch->pixels.block->device().ordinal(), i % 2);
        batch->pixels.block->used_on(consumer.stream());
        expect_pixels(known, patches, batch->indices, consumer.take(batch->pixels));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(DeviceLoaderTest, ABrokenTileFailsItsBatchInItsTurn) {
  const KnownSlide known({{{300, 200}, kTile}}, 5, {{0, 6, 2}});
  const auto patches = half_offset_grid({300, 200}, kTile);
  const auto gpu = open_gpu();
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, 2)).value();
  LoaderOptions no_keeping = options_for_test(kPatch, 8, 2);
  no_keeping.keep_bytes = 0;  // else the CPU's batches fail for what later ones need of a tile
  const auto on_cpu = open_loader(context, {known.slide}, patches, in_order(patches.size()), no_keeping);
  for (;;) {
    const auto expected = on_cpu->next();
    const auto batch = loader->next();
    ASSERT_EQ(batch.ok(), expected.ok());
    if (batch.ok()) continue;
    EXPECT_EQ(batch.error().to_string(), expected.error().to_string());
    EXPECT_NE(batch.error().message.find("tile 6,2 level 0"), std::string::npos);
    break;
  }
  EXPECT_FALSE(loader->next().ok());
}

TEST_F(DeviceLoaderTest, BrokenAndAbsentTilesAreFilledAndTold) {
  configure("delay=50");
  const std::set<KnownSlide::Tile> broken{{0, 6, 2}, {0, 7, 2}, {0, 0, 0}};
  const KnownSlide known({{{300, 200}, kTile}}, 5, broken, {{0, 3, 3}});
  const auto patches = half_offset_grid({300, 200}, kTile);
  const auto gpu = open_gpu();
  Consumer consumer(gpu->device, kBatchBytes);
  const LoaderContext context = context_for_test();
  LoaderOptions options = options_for_test(kPatch, 8, 2);
  options.on_error = OnError::fill;
  options.keep_bytes = 0;  // as above
  auto loader = load(gpu, context, known, patches, options).value();
  const auto on_cpu = open_loader(context, {known.slide}, patches, in_order(patches.size()), options);
  size_t errors = 0;
  while (auto batch = loader->next().value()) {
    const Batch expected = take(*on_cpu);
    batch->pixels.block->used_on(consumer.stream());
    const auto found = consumer.take(batch->pixels);
    ASSERT_TRUE(std::ranges::equal(found, std::span(expected.pixels.data(), found.size()))) << batch->number;
    ASSERT_EQ(batch->errors.size(), expected.errors.size());
    for (size_t i = 0; i < batch->errors.size(); ++i) {
      EXPECT_EQ(batch->errors[i].region, expected.errors[i].region);
      EXPECT_EQ(batch->errors[i].error.to_string(), expected.errors[i].error.to_string());
    }
    errors += batch->errors.size();
  }
  EXPECT_GE(errors, 6u);
}

TEST_F(DeviceLoaderTest, NothingToDeliver) {
  const KnownSlide known({{{300, 200}, kTile}}, 5);
  const auto gpu = open_gpu();
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, {}, options_for_test(kPatch, 8, 2)).value();
  EXPECT_EQ(loader->batch_count(), 0u);
  EXPECT_FALSE(loader->next().value().has_value());
}

TEST_F(DeviceLoaderTest, DroppedInMidFlight) {
  const KnownSlide known({{{2000, 200}, kTile}}, 5);
  const auto patches = half_offset_grid({2000, 200}, kTile);
  for (int taken = 0; taken < 6; ++taken) {
    configure("delay=500,seed=" + std::to_string(taken + 1));
    const auto gpu = open_gpu();
    const LoaderContext context = context_for_test();
    LoaderOptions options = options_for_test(kPatch, 8, 2);
    options.prefetch = 5;
    auto loader = load(gpu, context, known, patches, options).value();
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(loader->next().value().has_value());
  }
}

TEST_F(DeviceLoaderTest, AForkedChildIsToldAndLeavesAllAlone) {
  const KnownSlide known({{{300, 200}, kTile}}, 5);
  const auto patches = half_offset_grid({300, 200}, kTile);
  const auto gpu = open_gpu();
  const LoaderContext context = context_for_test();
  auto loader = load(gpu, context, known, patches, options_for_test(kPatch, 8, 1)).value();
  auto batch = loader->next().value();
  batch->pixels.block->used_on({});
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    const auto next = loader->next();
    const bool told = !next.ok() && next.error().message.find("made by fork") != std::string::npos;
    batch.reset();
    loader.reset();
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  uint64_t rest = 0;
  while (loader->next().value()) ++rest;
  EXPECT_EQ(rest + 1, loader->batch_count());
}

constexpr auto kEach = test::step<uint64_t>();

/// Reads a few batches. True: all of their pixels are right.
Result<bool> read_all(const KnownSlide& known, const LoaderContext& context) {
  constexpr Size kSmallPatch{40, 30};
  const std::vector<Patch> patches{
      {0, 0, -5, -5}, {0, 0, 20, 10}, {0, 0, 50, 30}, {0, 0, 61, 33}, {0, 0, 9, 9}};
  MICROTOME_ASSIGN(const auto driver, cuda::Driver::open());
  MICROTOME_ASSIGN(auto gpu, gpu::Gpu::open(driver, 0));
  MICROTOME_ASSIGN(
      auto loader,
      DeviceLoader::open(context, gpu, {known.slide}, std::make_shared<const std::vector<Patch>>(patches),
                         in_order(patches.size()), {options_for_test(kSmallPatch, 2, 1), 0, {}}));
  MICROTOME_ASSIGN(const cuda::Stream stream, gpu->device->make_stream());
  bool right = true;
  for (;;) {
    MICROTOME_ASSIGN(auto batch, loader->next());
    if (!batch) return right;
    batch->pixels.block->used_on({reinterpret_cast<uintptr_t>(stream.get())});
    const size_t row = static_cast<size_t>(kSmallPatch.w * kSmallPatch.h * KnownSlide::kSamples);
    std::vector<std::byte> pixels(row * batch->indices.size());
    MICROTOME_TRY(
        gpu->device->copy_to_host(pixels.data(), batch->pixels.block->address(), pixels.size(), stream));
    MICROTOME_TRY(gpu->device->synchronize(stream));
    for (size_t i = 0; i < batch->indices.size(); ++i) {
      const Patch& patch = patches[static_cast<size_t>(batch->indices[i])];
      const auto expected = known.crop(0, {patch.x, patch.y, kSmallPatch.w, kSmallPatch.h}, kFill);
      right = right && std::memcmp(pixels.data() + i * row, expected.data(), row) == 0;
    }
  }
}

TEST_F(DeviceLoaderTest, FaultsAtEachCallAreErrorsOrRightPixels) {
  const KnownSlide known({{{100, 60}, kTile}}, 5);
  const LoaderContext context = context_for_test();
  configure("");
  ASSERT_TRUE(read_all(known, context).value());
  const uint64_t calls = report().calls;
  EXPECT_GT(calls, 150u);
  uint64_t right = 0, refused = 0;
  for (const char* how : {"fail_with=2,fail_at=", "fail_with=999,fail_at=", "lost_at="}) {
    for (uint64_t k = 1; k <= std::min<uint64_t>(calls, 300); k += kEach) {
      configure(how + std::to_string(k));
      const auto result = read_all(known, context);
      if (result.ok()) {
        EXPECT_TRUE(*result) << how << k;
      } else {
        EXPECT_FALSE(result.error().message.empty()) << how << k;
      }
      ++(result.ok() ? right : refused);
    }
  }
  EXPECT_GT(right, 0u);
  EXPECT_GT(refused, 0u);
  expect_leaks_ = true;
}

}  // namespace
}  // namespace microtome
