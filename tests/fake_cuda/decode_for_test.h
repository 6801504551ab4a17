// For C++ tests of what the device's decoders decode: a loader's batches there against the CPU's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "microtome/base/cases_for_test.h"
#include "microtome/loader/device_loader.h"
#include "microtome/loader/loader_for_test.h"
#include "tests/fake_cuda/fake_for_test.h"

namespace microtome {

/// Of walks in which something failed.
struct Verdicts {
  uint64_t right = 0, refused = 0;
};

/// What became of a loader's batches.
struct Walk {
  LoaderStats stats;
  uint64_t batches = 0, filled = 0;
  std::optional<Error> error;
};

class DeviceDecodeTest : public cuda::FakeDriverTest {
 protected:
  static constexpr Size kPatch{100, 70};

  void SetUp() override {
    FakeDriverTest::SetUp();
    ::setenv("MICROTOME_LIB_NVJPEG", FAKE_NVJPEG_FILE, 1);
    ::setenv("MICROTOME_LIB_NVJPEG2K", FAKE_NVJPEG2K_FILE, 1);
  }

  static LoaderOptions loader_options(const Slide& slide, int workers, OnError on_error) {
    LoaderOptions options = options_for_test(kPatch, 8, workers);
    options.fill.assign(slide.image(0).format.samples, kFill);
    options.on_error = on_error;
    options.keep_bytes = 0;
    return options;
  }

  /// Reads all of the slide; each batch must be the CPU's, or `or_else` where a sample is not.
  static Walk walk(const std::shared_ptr<const Slide>& slide, gpu::Decode decode, int workers = 2,
                   OnError on_error = OnError::raise, size_t memory_bytes = 0, bool counts_waits = true,
                   std::optional<std::byte> or_else = std::nullopt) {
    const auto gpu = gpu::Gpu::open(open_driver(), 0).value();
    const auto patches = half_offset_grid(slide->image(0).size, {60, 50});
    const LoaderContext context = context_for_test();
    DeviceLoaderOptions options;
    options.loader = loader_options(*slide, workers, on_error);
    options.memory_bytes = memory_bytes;
    options.decode = decode;
    options.decoders = std::make_shared<gpu::Decoders>(gpu, cuda::Places{});
    Walk done;
    auto opened =
        DeviceLoader::open(context, gpu, {slide}, std::make_shared<const std::vector<Patch>>(patches),
                           in_order(patches.size()), std::move(options));
    if (!opened.ok()) {
      done.error = opened.error();
      return done;
    }
    const auto loader = *std::move(opened);
    const auto on_cpu =
        open_loader(context, {slide}, patches, in_order(patches.size()), loader_options(*slide, 1, on_error));
    const cuda::Stream stream = gpu->device->make_stream().value();
    const cuda::Event event = gpu->device->make_event().value();
    cuda::PinnedMemory memory;
    uint64_t waits = 0;
    for (;;) {
      auto batch = loader->next();
      if (!batch.ok()) {
        done.error = batch.error();
        break;
      }
      if (!*batch) break;
      const Batch expected = take(*on_cpu);
      const size_t bytes = row_of(expected, 0).size() * expected.indices.size();
      if (memory.size_bytes < bytes) memory = gpu->device->allocate_pinned(bytes).value();
      (*batch)->pixels.block->used_on({reinterpret_cast<uintptr_t>(stream.get())});
      gpu->device->copy_to_host(memory.data(), (*batch)->pixels.block->address(), bytes, stream).value();
      gpu->device->record(event, stream).value();
      while (!gpu->device->is_done(event).value()) std::this_thread::yield();
      const auto is_right = [&](std::byte found, std::byte wanted) {
        return found == wanted || found == or_else;
      };
      EXPECT_TRUE(std::memcmp(memory.data(), expected.pixels.data(), bytes) == 0 ||
                  std::equal(memory.data(), memory.data() + bytes, expected.pixels.data(), is_right))
          << "batch " << done.batches;
      done.filled += (*batch)->errors.size();
      ++done.batches;
      if (done.batches == 6) {
        // The loader is as far ahead as it gets then, and has as many blocks as it ever needs.
        if (counts_waits) std::this_thread::sleep_for(std::chrono::milliseconds(300));
        waits = report().synchronous_calls;
      }
      if (counts_waits && done.batches > 6 && done.batches < loader->batch_count()) {
        EXPECT_EQ(report().synchronous_calls, waits) << "batch " << done.batches;
      }
    }
    done.stats = loader->meter()->stats();
    return done;
  }

  /// Walks, in each of which one of the first 300 calls fails: `how` is a setting of the fake up to the
  /// call's number. Under the sanitizers some calls stand for all.
  void fail_at_each_call(const std::shared_ptr<const Slide>& slide, gpu::Decode decode,
                         const std::string& settings, const std::string& how, Verdicts& verdicts) {
    constexpr auto kEach = test::step<uint64_t>();
    constexpr size_t kLittle = size_t{2} << 20;
    const auto walk_once = [&] { return walk(slide, decode, 1, OnError::raise, kLittle, false); };
    configure(settings);
    ASSERT_FALSE(walk_once().error);
    const uint64_t calls = report().calls;
    EXPECT_GT(calls, 100u);
    for (uint64_t k = 1; k <= std::min<uint64_t>(calls, 300); k += kEach) {
      configure(settings + (settings.empty() ? "" : ",") + how + std::to_string(k));
      try {
        ++(walk_once().error ? verdicts.refused : verdicts.right);
      } catch (const Exception&) {  // of the test's own calls
        ++verdicts.refused;
      }
      end_all();
    }
    expect_leaks_ = true;
    expected_misuses_ = report().misuses;
  }
};

}  // namespace microtome
