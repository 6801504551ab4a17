// The scatter kernel as the pipeline uses it: the real image loaded, everything copied up, one launch,
// against the CPU path.
#include "microtome/read/gpu/scatter.h"

#include <cstring>
#include <vector>

#include "microtome/read/gpu/kernels.h"
#include "microtome/read/gpu/scatter_for_test.h"
#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::gpu::test {
namespace {

class ScatterTest : public cuda::FakeDriverTest {
 protected:
  template <class T>
  static cuda::DeviceMemory up(const cuda::Device& device, const std::vector<T>& values,
                               const cuda::Stream& stream) {
    cuda::DeviceMemory memory = device.allocate(values.size() * sizeof(T)).value();
    EXPECT_TRUE(device.copy_to_device(memory.address(), values.data(), memory.size_bytes, stream).ok());
    return memory;
  }
};

TEST_F(ScatterTest, BatchesAreTheCpuPaths) {
  configure("delay=50");
  const auto device = open_device();
  const ScatterKernel kernel = ScatterKernel::load(*load_kernels(device).value()).value();
  const cuda::Stream stream = device->make_stream().value();
  const TestTiles tiles = make_tiles(7, 60);
  const cuda::DeviceMemory slab = up(*device, tiles.slab, stream);
  Random random(7);
  for (int number = 0; number < 60; ++number) {
    const TestBatch batch = random_batch(tiles, random);
    std::vector<ScatterPiece> storage(batch.parts.size());
    PieceList list(batch.shape, storage);
    ASSERT_TRUE(batch.list(slab.address(), list).ok());
    const cuda::DeviceMemory pieces = up(*device, storage, stream), fill = up(*device, batch.fill, stream),
                             affine = up(*device, batch.affine, stream);
    // The least memory there can be: one byte more would fault.
    const cuda::DeviceMemory pixels = device->allocate(batch.bytes()).value();
    const cuda::PinnedMemory back = device->allocate_pinned(batch.bytes()).value();
    const BatchMemory memory{pixels.address(), fill.address(), affine.address()};
    ASSERT_TRUE(kernel.launch(list, pieces.address(), memory, stream).ok());
    ASSERT_TRUE(device->copy_to_host(back.data(), pixels.address(), batch.bytes(), stream).ok());
    ASSERT_TRUE(device->synchronize(stream).ok());
    ASSERT_EQ(batch.difference(back.data(), batch.expected()), "") << number;
  }
  EXPECT_EQ(report().launches, 60u);
}

TEST_F(ScatterTest, AnEmptyBatchLaunchesNothing) {
  const auto device = open_device();
  const ScatterKernel kernel = ScatterKernel::load(*load_kernels(device).value()).value();
  const cuda::Stream stream = device->make_stream().value();
  const PieceList list({0, {8, 8}, 3, SampleType::u8, Output::same, false}, {});
  EXPECT_TRUE(kernel.launch(list, 0, {}, stream).ok());
  EXPECT_EQ(report().launches, 0u);
}

TEST_F(ScatterTest, ABatchThatIsStillBeingReadIsARace) {
  RACES_ON_PURPOSE();
  const auto device = open_device();
  const ScatterKernel kernel = ScatterKernel::load(*load_kernels(device).value()).value();
  const cuda::Stream scatter = device->make_stream().value(), consumer = device->make_stream().value();
  std::vector<ScatterPiece> storage(1);
  PieceList list({1, {8, 8}, 3, SampleType::u8, Output::same, false}, storage);
  ASSERT_TRUE(list.add_fill(0, {0, 4, 8, 4}).ok());
  const cuda::DeviceMemory pieces = up(*device, storage, scatter), pixels = device->allocate(192).value(),
                           fill = up(*device, std::vector<uint8_t>(3, 255), scatter);
  const cuda::PinnedMemory back = device->allocate_pinned(96).value();
  // The upper half is another's; of the lower, which the launch writes, nothing is read before.
  ASSERT_TRUE(device->copy_to_host(back.data(), pixels.address(), 96, consumer).ok());
  ASSERT_TRUE(kernel.launch(list, pieces.address(), {pixels.address(), fill.address(), 0}, scatter).ok());
  ASSERT_TRUE(device->synchronize(scatter).ok());
  ASSERT_TRUE(device->synchronize(consumer).ok());
  EXPECT_EQ(report().races, 0u) << report().first_race;
  ASSERT_TRUE(device->copy_to_host(back.data(), pixels.address() + 96, 96, consumer).ok());
  ASSERT_TRUE(kernel.launch(list, pieces.address(), {pixels.address(), fill.address(), 0}, scatter).ok());
  ASSERT_TRUE(device->synchronize(scatter).ok());
  ASSERT_TRUE(device->synchronize(consumer).ok());
  EXPECT_EQ(report().races, 1u);
  expected_races_ = 1;
}

TEST_F(ScatterTest, AddressesThatAreNoneLoseTheDevice) {
  const auto device = open_device();
  const ScatterKernel kernel = ScatterKernel::load(*load_kernels(device).value()).value();
  const cuda::Stream stream = device->make_stream().value();
  std::vector<ScatterPiece> storage(1);
  PieceList list({1, {8, 8}, 3, SampleType::u8, Output::same, false}, storage);
  ASSERT_TRUE(list.add_fill(0, {0, 0, 8, 8}).ok());
  const cuda::DeviceMemory pieces = up(*device, storage, stream), pixels = device->allocate(191).value(),
                           fill = up(*device, std::vector<uint8_t>(3, 255), stream);
  ASSERT_TRUE(kernel.launch(list, pieces.address(), {pixels.address(), fill.address(), 0}, stream).ok());
  static_cast<void>(device->synchronize(stream));
  EXPECT_EQ(device->fill(pixels.address(), 0, 1, stream).error().code, Errc::unavailable);
  expect_leaks_ = true;
}

}  // namespace
}  // namespace microtome::gpu::test
