// Kernels: found by name, launched with their arguments in a stream's order, and refused where they cannot
// run.
#include "microtome/device/cuda/module.h"

#include <cstring>
#include <vector>

#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::cuda {
namespace {

constexpr const char kImage[] = ".version 9.0";

class ModuleTest : public FakeDriverTest {
 protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    register_kernel<DeviceAddress, DeviceAddress, uint32_t, uint8_t>("add", &ModuleTest::add);
  }

  /// to[i] = from[i] + what, for i < count.
  static void add(const FakeLaunch* launch) {
    DeviceAddress from = 0, to = 0;
    uint32_t count = 0;
    uint8_t what = 0;
    std::memcpy(&from, launch->arguments[0], sizeof from);
    std::memcpy(&to, launch->arguments[1], sizeof to);
    std::memcpy(&count, launch->arguments[2], sizeof count);
    std::memcpy(&what, launch->arguments[3], sizeof what);
    const auto* source = static_cast<const uint8_t*>(memory(from, count, false));
    auto* target = static_cast<uint8_t*>(memory(to, count, true));
    if (!source || !target) return;
    const uint32_t threads = launch->blocks[0] * launch->threads[0];
    for (uint32_t i = 0; i < count && i < threads; ++i) target[i] = static_cast<uint8_t>(source[i] + what);
  }

  static Kernel<DeviceAddress, DeviceAddress, uint32_t, uint8_t> kernel(
      const std::shared_ptr<const Device>& device) {
    const auto module = Module::load(device, kImage).value();
    return module->kernel<DeviceAddress, DeviceAddress, uint32_t, uint8_t>("add").value();
  }
};

TEST_F(ModuleTest, AKernelRunsInItsStreamsOrder) {
  configure("delay=200");
  const auto device = open_device();
  const auto add = kernel(device);
  const Stream stream = device->make_stream().value();
  const DeviceMemory a = device->allocate(300).value(), b = device->allocate(300).value();
  const PinnedMemory back = device->allocate_pinned(300).value();
  ASSERT_TRUE(device->fill(a.address(), 5, 300, stream).ok());
  ASSERT_TRUE(add.launch({3}, {100}, stream, a.address(), b.address(), 300, 7).ok());
  ASSERT_TRUE(add.launch({1}, {100}, stream, b.address(), b.address(), 300, 1).ok());
  ASSERT_TRUE(device->copy_to_host(back.data(), b.address(), 300, stream).ok());
  ASSERT_TRUE(device->synchronize(stream).ok());
  EXPECT_EQ(static_cast<int>(back.data()[0]), 13);
  EXPECT_EQ(static_cast<int>(back.data()[100]), 12);
  EXPECT_EQ(static_cast<int>(back.data()[299]), 12);
  EXPECT_EQ(report().launches, 2u);
}

TEST_F(ModuleTest, AKernelThatNothingOrdersIsARace) {
  RACES_ON_PURPOSE();
  const auto device = open_device();
  const auto add = kernel(device);
  const Stream one = device->make_stream().value(), two = device->make_stream().value();
  const DeviceMemory a = device->allocate(10).value(), b = device->allocate(10).value();
  ASSERT_TRUE(device->fill(a.address(), 5, 10, one).ok());
  ASSERT_TRUE(add.launch({1}, {10}, two, a.address(), b.address(), 10, 7).ok());
  ASSERT_TRUE(device->synchronize(one).ok());
  ASSERT_TRUE(device->synchronize(two).ok());
  const std::string said = report().first_race;
  EXPECT_NE(said.find("add on stream"), std::string::npos) << said;
  expected_races_ = 1;
}

TEST_F(ModuleTest, AnAddressThatIsNoneLosesTheDevice) {
  const auto device = open_device();
  const auto add = kernel(device);
  const Stream stream = device->make_stream().value();
  const DeviceMemory a = device->allocate(10).value();
  ASSERT_TRUE(add.launch({1}, {11}, stream, a.address(), a.address(), 11, 7).ok());
  static_cast<void>(device->synchronize(stream));
  const Status next = device->fill(a.address(), 0, 1, stream);
  ASSERT_FALSE(next.ok());
  EXPECT_NE(next.error().message.find("CUDA_ERROR_ILLEGAL_ADDRESS (700). Nothing of CUDA works"),
            std::string::npos)
      << next.error().message;
  expect_leaks_ = true;
}

TEST_F(ModuleTest, ExtentsThatNoGpuTakes) {
  const auto device = open_device();
  const auto add = kernel(device);
  const Stream stream = device->make_stream().value();
  for (const auto& [blocks, threads] : {std::pair<Extent, Extent>{{0}, {1}},
                                        {{1}, {0}},
                                        {{1}, {1025}},
                                        {{1}, {64, 64}},
                                        {{1, 65536}, {1}},
                                        {{1, 1, 65536}, {1}}})
    EXPECT_EQ(add.launch(blocks, threads, stream, 0, 0, 0, 0).error().code, Errc::internal);
}

TEST_F(ModuleTest, WhatIsNotThereIsAnError) {
  const auto device = open_device();
  const auto module = Module::load(device, kImage).value();
  EXPECT_EQ(module->kernel<int>("subtract").error().to_string(),
            "internal: cuda:0 FAKE GPU 0 of the tests: cuModuleGetFunction answered error 500");
  EXPECT_EQ(Module::load(device, "no image").error().code, Errc::internal);
}

TEST_F(ModuleTest, KernelsForOtherGpusSaySo) {
  configure("fail_in=cuModuleLoadData,fail_at=1,fail_with=209");
  const auto device = open_device();
  EXPECT_EQ(Module::load(device, kImage).error().to_string(),
            "unavailable: cuda:0 FAKE GPU 0 of the tests: cuModuleLoadData answered error 209. Its compute "
            "capability is "
            "9.0 and its driver knows CUDA 13.0; this build's kernels need 7.5 and 13.0, or newer");
}

TEST_F(ModuleTest, AKernelKeepsItsModule) {
  const auto device = open_device();
  const int64_t before = report().modules;
  {
    const auto add = kernel(device);
    EXPECT_EQ(report().modules, before + 1);
  }
  EXPECT_EQ(report().modules, before);
}

}  // namespace
}  // namespace microtome::cuda
