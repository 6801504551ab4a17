// The fake nvJPEG itself: it notices what the real one would suffer from.
#include <cstring>
#include <vector>

#include "microtome/device/cuda/libraries.h"
#include "tests/fake_cuda/fake_for_test.h"
#include "tests/fake_cuda/jpeg_for_test.h"

namespace microtome::cuda {
namespace {

using test::encode_jpeg;
using test::JpegKind;
using Bytes = std::vector<std::byte>;

class FakeNvjpegTest : public FakeDriverTest {
 protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    ::setenv("MICROTOME_LIB_NVJPEG", FAKE_NVJPEG_FILE, 1);
    api_ = open_nvjpeg({}).value().api;
  }

  /// A device whose context is current, a handle for its engines, a state and a stream.
  struct Ready {
    Ready(const NvjpegApi& functions, std::shared_ptr<const Device> on)
        : api(functions), device(std::move(on)), current(*device), stream(device->make_stream().value()) {
      EXPECT_EQ(api.nvjpegCreateExV2(NvjpegBackend::hardware, nullptr, nullptr, 0, &handle),
                NvjpegStatus::success);
      EXPECT_EQ(api.nvjpegJpegStateCreate(handle, &state), NvjpegStatus::success);
    }
    ~Ready() {
      EXPECT_TRUE(device->synchronize(stream).ok());
      api.nvjpegJpegStateDestroy(state);
      api.nvjpegDestroy(handle);
    }
    Ready(const Ready&) = delete;
    Ready& operator=(const Ready&) = delete;

    NvjpegStatus initialise(int batch) const {
      return api.nvjpegDecodeBatchedInitialize(handle, state, batch, 1, NvjpegOutput::unchanged);
    }
    NvjpegStatus decode(const std::vector<Bytes>& tiles, DeviceAddress to) const {
      std::vector<const unsigned char*> data;
      std::vector<size_t> lengths;
      std::vector<NvjpegImage> images;
      for (const Bytes& tile : tiles) {
        data.push_back(reinterpret_cast<const unsigned char*>(tile.data()));
        lengths.push_back(tile.size());
        auto* const at = reinterpret_cast<unsigned char*>(to) + images.size() * kSlot;
        images.push_back({{at, at + kLuma, at + kLuma + kLuma / 4, nullptr}, {64, 32, 32, 0}});
      }
      return api.nvjpegDecodeBatched(handle, state, data.data(), lengths.data(), images.data(), stream.get());
    }

    const NvjpegApi& api;
    std::shared_ptr<const Device> device;
    CurrentDevice current;
    Stream stream;
    NvjpegHandle handle = nullptr;
    NvjpegState state = nullptr;
  };

  static constexpr size_t kLuma = 64 * 48, kSlot = kLuma * 3 / 2;
  NvjpegApi api_;
};

TEST_F(FakeNvjpegTest, ABatchIsWrittenByTheEnginesAndOneThatFailsIsNot) {
  configure("delay=200");
  const auto device = open_device();
  const DeviceMemory memory = device->allocate(3 * kSlot).value();
  const PinnedMemory back = device->allocate_pinned(kSlot).value();
  const Ready ready(api_, device);
  std::vector<Bytes> tiles{encode_jpeg({}, 1), encode_jpeg({}, 2), encode_jpeg({}, 1)};
  ASSERT_EQ(ready.initialise(3), NvjpegStatus::success);
  ASSERT_EQ(ready.decode(tiles, memory.address()), NvjpegStatus::success);
  std::vector<Bytes> copies;
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(device->copy_to_host(back.data(), memory.address() + i * kSlot, kSlot, ready.stream).ok());
    ASSERT_TRUE(device->synchronize(ready.stream).ok());
    copies.emplace_back(back.data(), back.data() + kSlot);
  }
  EXPECT_EQ(copies[0], copies[2]);
  EXPECT_NE(copies[0], copies[1]);
  EXPECT_EQ(report().engine_images, 3u);
  tiles[1].resize(tiles[1].size() / 2);
  EXPECT_EQ(ready.decode(tiles, memory.address()), NvjpegStatus::incomplete_bitstream);
  EXPECT_EQ(report().misuses, 0u);
  EXPECT_EQ(ready.decode({tiles[0], tiles[0], tiles[0]}, memory.address()), NvjpegStatus::not_initialized);
  EXPECT_EQ(report().misuses, 1u);
  expected_misuses_ = 1;
}

TEST_F(FakeNvjpegTest, EnginesDoNotWaitForTheirStream) {
  RACES_ON_PURPOSE();
  const auto device = open_device();
  const DeviceMemory memory = device->allocate(kSlot).value();
  for (const bool ordered : {true, false}) {
    configure(ordered ? "nvjpeg_ordered=1" : "");
    for (const bool host_waits : {true, false}) {
      const uint64_t before = report().races;
      const std::vector<Bytes> tiles{encode_jpeg({}, 1)};
      const Ready ready(api_, device);
      ASSERT_EQ(ready.initialise(1), NvjpegStatus::success);
      ASSERT_TRUE(device->fill(memory.address(), 7, kSlot, ready.stream).ok());
      if (host_waits) {
        ASSERT_TRUE(device->synchronize(ready.stream).ok());
      }
      ASSERT_EQ(ready.decode(tiles, memory.address()), NvjpegStatus::success);
      ASSERT_TRUE(device->fill(memory.address(), 8, kSlot, ready.stream).ok());  // after it, whatever it is
      ASSERT_TRUE(device->synchronize(ready.stream).ok());
      EXPECT_EQ(report().races > before, !ordered && !host_waits);
    }
  }
  expected_races_ = report().races;
}

TEST_F(FakeNvjpegTest, AStateThatIsAtWorkIsNotToBeUsed) {
  RACES_ON_PURPOSE();
  configure("delay=3000");
  const auto device = open_device();
  const DeviceMemory memory = device->allocate(kSlot).value();
  const Ready ready(api_, device);
  ASSERT_EQ(ready.initialise(1), NvjpegStatus::success);
  const std::vector<Bytes> tiles{encode_jpeg({}, 1)};
  ASSERT_EQ(ready.decode(tiles, memory.address()), NvjpegStatus::success);
  ASSERT_EQ(ready.decode(tiles, memory.address()), NvjpegStatus::success);
  ASSERT_TRUE(device->synchronize(ready.stream).ok());
  EXPECT_GT(report().races + report().misuses, 0u);
  expected_races_ = report().races;
  expected_misuses_ = report().misuses;
}

TEST_F(FakeNvjpegTest, WhatTheEnginesTake) {
  const auto device = open_device();
  const DeviceMemory memory = device->allocate(8 * kSlot).value();
  JpegKind with_restarts, progressive, narrow;
  with_restarts.restart_rows = 1;
  progressive.progressive = true;
  narrow.across = 4;
  narrow.down = 1;
  for (const bool restarts : {true, false}) {
    configure(restarts ? "" : "nvjpeg_restarts=0");
    for (const JpegKind& kind : {JpegKind{}, with_restarts, progressive, narrow}) {
      const std::vector<Bytes> tiles{encode_jpeg(kind, 3)};
      const Ready ready(api_, device);  // which waits, before the bytes go
      const Bytes& tile = tiles.front();
      NvjpegStream parsed = nullptr;
      int no = -1;
      ASSERT_EQ(api_.nvjpegJpegStreamCreate(ready.handle, &parsed), NvjpegStatus::success);
      ASSERT_EQ(api_.nvjpegJpegStreamParse(ready.handle, reinterpret_cast<const unsigned char*>(tile.data()),
                                           tile.size(), 0, 0, parsed),
                NvjpegStatus::success);
      ASSERT_EQ(api_.nvjpegDecodeBatchedSupported(ready.handle, parsed, &no), NvjpegStatus::success);
      EXPECT_EQ(api_.nvjpegJpegStreamDestroy(parsed), NvjpegStatus::success);
      const bool takes = !kind.progressive && kind.across == 2 && (restarts || kind.restart_rows == 0);
      EXPECT_EQ(no == 0, takes);
      ASSERT_EQ(ready.initialise(1), NvjpegStatus::success);
      EXPECT_EQ(ready.decode(tiles, memory.address()) == NvjpegStatus::success, takes);
    }
  }
  configure("nvjpeg_engines=0");
  const CurrentDevice current(*device);
  NvjpegHandle none = nullptr;
  EXPECT_EQ(api_.nvjpegCreateExV2(NvjpegBackend::hardware, nullptr, nullptr, 0, &none),
            NvjpegStatus::arch_mismatch);
}

}  // namespace
}  // namespace microtome::cuda
