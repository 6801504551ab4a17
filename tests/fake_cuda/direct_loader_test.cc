// Tiles that cuFile reads into memory of the device: the CPU's pixels by every way, and what is in the way is
// told.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "microtome/base/cases_for_test.h"
#include "microtome/base/fail.h"
#include "microtome/loader/device_loader.h"
#include "microtome/loader/loader_for_test.h"
#include "tests/fake_cuda/fake_for_test.h"

namespace microtome {
namespace {

constexpr Size kTile{256, 160}, kPatch{300, 200};

/// The bytes in a file that has no name any more, behind the fakes, because there is no direct I/O in some
/// temporary folders.
std::shared_ptr<const ByteSource> as_file(const std::shared_ptr<const ByteSource>& source) {
  static int number = 0;
  const std::string path = std::filesystem::path(FAKE_CUFILE_FILE).parent_path() /
                           ("direct-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
  std::vector<std::byte> bytes(source->size());
  EXPECT_TRUE(source->read_at(0, bytes).ok());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  auto file = open_file(path).value();
  std::filesystem::remove(path);
  return file;
}

class DirectLoaderTest : public cuda::FakeDriverTest {
 protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    ::setenv("MICROTOME_LIB_CUFILE", FAKE_CUFILE_FILE, 1);
  }

  void TearDown() override {
    FakeDriverTest::TearDown();
    if (expect_leaks_) end_cufile();
  }

  struct Outcome {
    std::string mode, lacking;
    LoaderStats stats;
  };

  /// Reads all patches, and compares them.
  static Result<Outcome> read_all(const KnownSlide& known, const std::vector<Patch>& patches,
                                  gpu::Direct direct, int threads = 2, size_t memory = 0) {
    MICROTOME_ASSIGN(const auto driver, cuda::Driver::open());
    MICROTOME_ASSIGN(const auto gpu, gpu::Gpu::open(driver, 0));
    const LoaderContext context = context_for_test();
    DeviceLoaderOptions options;
    options.loader = options_for_test(kPatch, 4, threads);
    options.memory_bytes = memory;
    options.direct = direct;
    options.reads = std::make_shared<gpu::DirectReads>(gpu->device, LibraryPlaces{});
    MICROTOME_ASSIGN(auto loader, DeviceLoader::open(context, gpu, {known.slide},
                                                     std::make_shared<const std::vector<Patch>>(patches),
                                                     in_order(patches.size()), options));
    MICROTOME_ASSIGN(const cuda::Stream stream, gpu->device->make_stream());
    for (;;) {
      MICROTOME_ASSIGN(auto batch, loader->next());
      if (!batch) break;
      batch->pixels.block->used_on({reinterpret_cast<uintptr_t>(stream.get())});
      const size_t row = static_cast<size_t>(kPatch.w * kPatch.h * KnownSlide::kSamples);
      std::vector<std::byte> pixels(row * batch->indices.size());
      MICROTOME_TRY(
          gpu->device->copy_to_host(pixels.data(), batch->pixels.block->address(), pixels.size(), stream));
      MICROTOME_TRY(gpu->device->synchronize(stream));
      for (size_t i = 0; i < batch->indices.size(); ++i) {
        const Patch& patch = patches[static_cast<size_t>(batch->indices[i])];
        const auto expected = known.crop(patch.level, {patch.x, patch.y, kPatch.w, kPatch.h}, kFill);
        if (std::memcmp(pixels.data() + i * row, expected.data(), row) != 0)
          return internal("patch {} is wrong", batch->indices[i]);
      }
    }
    return Outcome{loader->direct().mode(), loader->direct().lacking(), loader->meter()->stats()};
  }

  static std::vector<Patch> places(Size size) {
    std::vector<Patch> patches;
    for (int64_t y = -50; y < size.h; y += 130)
      for (int64_t x = -70; x < size.w; x += 210) patches.push_back({0, 0, x, y});
    return patches;
  }

  static constexpr Size kWhole{1024, 800}, kOdd{1000, 700};
  static constexpr size_t kLittle = size_t{3} << 20;
};

TEST_F(DirectLoaderTest, TilesComeByEveryWayWithoutBeingDecoded) {
  const KnownSlide known({{kWhole, kTile}}, 3, {}, {}, as_file);
  for (const auto& [settings, direct, mode] :
       {std::tuple{"delay=100,cufile_delay=500", gpu::Direct::any, "direct"},
        std::tuple{"cufile_short=3", gpu::Direct::only, "direct"},
        std::tuple{"cufile_direct=0,cufile_delay=100", gpu::Direct::only, "compat"}}) {
    for (const int threads : {0, 3}) {
      SCOPED_TRACE(settings);
      configure(settings);
      const Outcome outcome = read_all(known, places(kWhole), direct, threads).value();
      EXPECT_EQ(outcome.mode, mode);
      EXPECT_EQ(outcome.lacking, "");
      EXPECT_EQ(outcome.stats.by_cufile, 20u);  // each once
      EXPECT_EQ(outcome.stats.decoded, 0u);
      EXPECT_EQ(outcome.stats.bytes_read, uint64_t{20} * 3 * 256 * 160);
      const FakeCudaReport now = report();
      EXPECT_EQ(now.unregistered_reads, 0u);
      EXPECT_EQ(std::string(mode) == "direct" ? now.compat_reads : now.direct_reads, 0u);
      if (std::string(settings).find("short") == std::string::npos) {
        EXPECT_EQ(now.unaligned_reads, 0u);
      }
      EXPECT_LT(now.bytes_to_device, uint64_t{3} * 256 * 160);  // lists of pieces: no tile goes up
    }
  }
}

TEST_F(DirectLoaderTest, WhatHasToBeDecodedGoesTheUsualWayBeside) {
  // Tiles at the right edge are wider than what is shown of them.
  const KnownSlide known({{kOdd, kTile}}, 4, {}, {}, as_file);
  configure("delay=100,cufile_delay=300");
  const Outcome outcome = read_all(known, places(kOdd), gpu::Direct::any).value();
  EXPECT_GE(outcome.stats.by_cufile, 10u);
  EXPECT_GE(outcome.stats.decoded, 5u);
  EXPECT_EQ(outcome.stats.cufile_failed, 0u);
}

TEST_F(DirectLoaderTest, SlabsAreWrittenAgainOnlyWhenTheirReadersAreDone) {
  const KnownSlide known({{{2048, 1600}, kTile}}, 5, {}, {}, as_file);
  std::vector<Patch> there_and_back = places({2048, 1600});
  const std::vector<Patch> once = there_and_back;
  there_and_back.insert(there_and_back.end(), once.rbegin(), once.rend());
  for (int seed = 1; seed <= test::cases(3); ++seed) {
    configure("delay=1500,cufile_delay=100,seed=" + std::to_string(seed));
    const Outcome outcome = read_all(known, there_and_back, gpu::Direct::only, 3, kLittle).value();
    EXPECT_GT(outcome.stats.by_cufile, 80u);  // some again
  }
}

TEST_F(DirectLoaderTest, ReadsThatFailAreErrorsOrReadInTheUsualWay) {
  const KnownSlide known({{kWhole, kTile}}, 3, {}, {}, as_file);
  configure("cufile_fail=5");
  const Outcome outcome = read_all(known, places(kWhole), gpu::Direct::any).value();
  EXPECT_GE(outcome.stats.cufile_failed, 3u);
  EXPECT_NE(outcome.lacking.find("cuFileRead of "), std::string::npos) << outcome.lacking;
  EXPECT_NE(outcome.lacking.find("Input/output error"), std::string::npos) << outcome.lacking;
  EXPECT_NE(outcome.lacking.find("level 0"), std::string::npos) << outcome.lacking;
  const auto refused = read_all(known, places(kWhole), gpu::Direct::only);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::io);
  EXPECT_NE(refused.error().message.find("Input/output error"), std::string::npos) << refused.error().message;
}

TEST_F(DirectLoaderTest, WhatIsInTheWayIsAnErrorOrTold) {
  const KnownSlide file({{kWhole, kTile}}, 3, {}, {}, as_file), memory({{kWhole, kTile}}, 3),
      small({{{300, 200}, {32, 24}}}, 3, {}, {}, as_file);
  const auto told = [&](const KnownSlide& known) {
    const auto outcome = read_all(known, places(kWhole), gpu::Direct::any);
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_EQ(outcome->mode, "");
    EXPECT_EQ(outcome->stats.by_cufile, 0u);
    return outcome->lacking;
  };
  const auto refused = [&](const KnownSlide& known, Errc code) {
    const auto outcome = read_all(known, places(kWhole), gpu::Direct::only);
    EXPECT_FALSE(outcome.ok());
    if (outcome.ok()) return std::string();
    EXPECT_EQ(outcome.error().code, code) << outcome.error().message;
    return outcome.error().message;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };

  configure("cufile_direct=0");
  EXPECT_TRUE(has(told(file), "has compat mode alone"));
  configure("cufile_direct=0,cufile_compat=0");
  EXPECT_TRUE(has(told(file), "CU_FILE_DRIVER_NOT_INITIALIZED"));
  EXPECT_TRUE(has(refused(file, Errc::unavailable), "CU_FILE_DRIVER_NOT_INITIALIZED"));
  configure("cufile_most=4096");
  EXPECT_TRUE(has(told(file), "cuFileBufRegister answered 5030"));
  EXPECT_TRUE(has(refused(file, Errc::unavailable), "cuFileBufRegister answered 5030"));
  configure("");
  EXPECT_EQ(told(memory), "");
  EXPECT_TRUE(has(refused(memory, Errc::unsupported), "gds = 'on': known slide is not a file"));
  EXPECT_EQ(told(small), "");
  EXPECT_TRUE(
      has(refused(small, Errc::unsupported), "no image that is read has tiles that are their pixels"));
  ::setenv("MICROTOME_LIB_CUFILE", "/nowhere/libcufile.so.0", 1);
  EXPECT_TRUE(has(told(file), "/nowhere/libcufile.so.0"));
  EXPECT_TRUE(has(refused(file, Errc::unavailable), "/nowhere/libcufile.so.0"));
}

constexpr auto kEachCall = 3 * test::step<uint64_t>();  // some calls stand for all, others for each way

TEST_F(DirectLoaderTest, AFaultAtEachCallIsAnErrorOrTheRightPixels) {
  const KnownSlide known({{kWhole, kTile}}, 3, {}, {}, as_file);
  const std::vector<Patch> patches{
      {0, 0, 0, 0}, {0, 0, 200, 100}, {0, 0, 500, 300}, {0, 0, 700, 500}, {0, 0, 9, 9}};
  configure("");
  ASSERT_TRUE(read_all(known, patches, gpu::Direct::only, 1, kLittle).ok());
  const uint64_t calls = std::min<uint64_t>(report().calls, 300);
  int right = 0, refused = 0;
  for (const gpu::Direct direct : {gpu::Direct::only, gpu::Direct::any}) {
    for (uint64_t k = direct == gpu::Direct::only ? 1 : 2; k <= calls; k += kEachCall) {
      configure("fail_at=" + std::to_string(k) + ",fail_with=" + (k % 2 ? "999" : "2"));
      const auto outcome = read_all(known, patches, direct, 1, kLittle);
      if (outcome.ok())
        ++right;
      else
        ++refused;
      EXPECT_TRUE(outcome.ok() || outcome.error().message.find("is wrong") == std::string::npos) << k;
      // What could not be given back stays.
      expected_misuses_ = report().misuses;
    }
  }
  EXPECT_GT(right, 0);
  EXPECT_GT(refused, 0);
  expect_leaks_ = true;
}

}  // namespace
}  // namespace microtome
