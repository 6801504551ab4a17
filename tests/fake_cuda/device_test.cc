// Memory, streams and events of a device: right bytes whatever the timing, errors that say what to do,
// nothing left.
#include "microtome/device/cuda/device.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::cuda {
namespace {

class DeviceTest : public FakeDriverTest {};

TEST_F(DeviceTest, BytesGoThereAndBackAcrossStreams) {
  for (int seed = 1; seed <= 20; ++seed) {
    configure("delay=300,seed=" + std::to_string(seed));
    const auto device = open_device();
    const Stream up = device->make_stream().value(), down = device->make_stream().value();
    const Event there = device->make_event().value(), back = device->make_event().value();
    const DeviceMemory memory = device->allocate(1000).value();
    const PinnedMemory from = device->allocate_pinned(1000).value(),
                       to = device->allocate_pinned(1000).value();
    std::memset(from.data(), seed, 1000);
    std::memset(to.data(), 0, 1000);
    const uint64_t waits = report().synchronous_calls;
    ASSERT_TRUE(device->fill(memory.address(), 99, 1000, up).ok());
    ASSERT_TRUE(device->copy_to_device(memory.address() + 1, from.data(), 998, up).ok());
    ASSERT_TRUE(device->record(there, up).ok());
    ASSERT_TRUE(device->wait(down, there).ok());
    ASSERT_TRUE(device->copy_to_host(to.data(), memory.address(), 1000, down).ok());
    ASSERT_TRUE(device->record(back, down).ok());
    while (!device->is_done(back).value()) std::this_thread::yield();
    EXPECT_EQ(report().synchronous_calls, waits);  // the host never waited inside a call
    EXPECT_EQ(static_cast<int>(to.data()[0]), 99);
    EXPECT_EQ(static_cast<int>(to.data()[1]), seed);
    EXPECT_EQ(static_cast<int>(to.data()[998]), seed);
    EXPECT_EQ(static_cast<int>(to.data()[999]), 99);
    EXPECT_EQ(report().pageable_copies, 0u);
  }
}

TEST_F(DeviceTest, AnEventIsDoneWhenTheStreamIsThere) {
  configure("delay=20000");
  const auto device = open_device();
  const Stream stream = device->make_stream().value();
  const Event event = device->make_event().value();
  const DeviceMemory memory = device->allocate(8).value();
  EXPECT_TRUE(device->is_done(event).value());  // never recorded
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(device->fill(memory.address(), 1, 8, stream).ok());
  ASSERT_TRUE(device->record(event, stream).ok());
  ASSERT_TRUE(device->synchronize(event).ok());
  EXPECT_TRUE(device->is_done(event).value());
  ASSERT_TRUE(device->record(event, stream).ok());
  ASSERT_TRUE(device->synchronize(stream).ok());
  EXPECT_TRUE(device->is_done(event).value());
}

TEST_F(DeviceTest, TheCallersContextStaysCurrent) {
  configure("devices=2");
  const auto driver = open_driver();
  const DriverApi& api = driver->api();
  ContextHandle own = nullptr, popped = nullptr;
  ASSERT_EQ(api.cuDevicePrimaryCtxRetain(&own, 1), DriverStatus::success);
  ASSERT_EQ(api.cuCtxPushCurrent_v2(own), DriverStatus::success);
  {
    const auto device = Device::open(driver, 0).value();
    const DeviceMemory memory = device->allocate(64).value();
    const Stream stream = device->make_stream().value();
    EXPECT_EQ(device->memory()->free_bytes, device->memory()->total_bytes - 64);
  }
  ASSERT_EQ(api.cuCtxPopCurrent_v2(&popped), DriverStatus::success);
  EXPECT_EQ(popped, own);
  EXPECT_EQ(api.cuCtxPopCurrent_v2(&popped), DriverStatus::invalid_context);  // and none is left over
  ASSERT_EQ(api.cuDevicePrimaryCtxRelease_v2(1), DriverStatus::success);
}

TEST_F(DeviceTest, MovingLeavesOneOwner) {
  const auto device = open_device();
  Stream a = device->make_stream().value(), b = device->make_stream().value();
  const StreamHandle handle = a.get();
  b = std::move(a);
  EXPECT_EQ(b.get(), handle);
  const Stream c = std::move(b);
  EXPECT_EQ(c.get(), handle);
  EXPECT_FALSE(b);  // NOLINT: what moving promises
}

TEST_F(DeviceTest, ObjectsOutliveTheirDeviceAndAreDroppedAnywhere) {
  auto device = open_device();
  auto memory = std::make_unique<DeviceMemory>(device->allocate(8).value());
  auto event = std::make_unique<Event>(device->make_event().value());
  device.reset();
  std::thread([&] {
    memory.reset();
    event.reset();
  }).join();
}

TEST_F(DeviceTest, OutOfDeviceMemory) {
  configure("memory=1000000");
  const auto device = open_device();
  const DeviceMemory some = device->allocate(300000).value();
  const auto more = device->allocate(800000);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().to_string(),
            "out of memory: cuda:0 FAKE GPU 0 of the tests: no 800000 bytes of device memory; 700000 of "
            "1000000 bytes "
            "are free on the device. Smaller batches need less");
  EXPECT_TRUE(device->allocate(700000).ok());
}

TEST_F(DeviceTest, EachAllocationMayBeTheOneThatFails) {
  for (int k = 1; k <= 4; ++k) {
    configure("oom_at=" + std::to_string(k));
    const auto device = open_device();
    int failed = 0;
    for (int i = 1; i <= 2; ++i) {
      const auto memory = device->allocate(100);
      const auto pinned = device->allocate_pinned(100);
      for (const Error* error :
           {memory.ok() ? nullptr : &memory.error(), pinned.ok() ? nullptr : &pinned.error()}) {
        if (!error) continue;
        ++failed;
        EXPECT_EQ(error->code, Errc::out_of_memory);
        EXPECT_NE(error->message.find(k % 2 ? "device memory" : "pinned host memory"), std::string::npos)
            << error->message;
      }
    }
    EXPECT_EQ(failed, 1);
  }
}

TEST_F(DeviceTest, ALostDeviceStaysLost) {
  const auto device = open_device();
  const Stream stream = device->make_stream().value();
  const Event event = device->make_event().value();
  const DeviceMemory memory = device->allocate(8).value();
  configure("lost_at=1");
  const Status first = device->fill(memory.address(), 0, 8, stream);
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.error().to_string(),
            "unavailable: cuda:0 FAKE GPU 0 of the tests was lost: cuCtxPushCurrent_v2 answered "
            "CUDA_ERROR_ILLEGAL_ADDRESS (700). Nothing of CUDA works in this process any more; it must be "
            "started anew");
  const uint64_t calls = report().calls;
  for (const Status& status : {device->fill(memory.address(), 0, 8, stream), device->record(event, stream),
                               device->synchronize(stream), device->synchronize(event)})
    EXPECT_EQ(status.error().code, Errc::unavailable);
  EXPECT_EQ(device->is_done(event).error().code, Errc::unavailable);
  EXPECT_EQ(device->allocate(1).error().code, Errc::unavailable);
  EXPECT_LE(report().calls, calls + 20);  // cuGetErrorName alone: the driver is not asked again
  expect_leaks_ = true;                   // what the device took with it
}

TEST_F(DeviceTest, AForkedChildDropsWhatItInheritedWithoutACall) {
  auto device = open_device();
  auto memory = std::make_unique<DeviceMemory>(device->allocate(8).value());
  auto pinned = std::make_unique<PinnedMemory>(device->allocate_pinned(8).value());
  auto event = std::make_unique<Event>(device->make_event().value());
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    const uint64_t calls = report().calls;
    const auto more = device->allocate(8);
    const bool told = !more.ok() && more.error().message.find("made by fork") != std::string::npos;
    const auto done = device->is_done(*event);
    memory.reset();
    pinned.reset();
    event.reset();
    device.reset();
    ::_exit(told && !done.ok() && report().calls == calls ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(device->allocate(8).ok());
}

/// Whether a child that runs `touch` dies of it.
template <class Touch>
bool dies(const Touch& touch) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);
    ::signal(SIGBUS, SIG_DFL);
    touch();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status != 0;
}

TEST_F(DeviceTest, TheFakesMemoryFaultsWhereTheHostMustNotTouch) {
  const auto device = open_device();
  const DeviceMemory memory = device->allocate(4096).value();
  PinnedMemory pinned = device->allocate_pinned(4096).value();
  volatile auto* on_device = reinterpret_cast<volatile char*>(memory.address());
  volatile auto* on_host = reinterpret_cast<volatile char*>(pinned.data());
  EXPECT_TRUE(dies([&] { static_cast<void>(on_device[0]); }));
  EXPECT_TRUE(dies([&] { on_host[4096] = 1; }));
  EXPECT_TRUE(dies([&] { on_host[-1] = 1; }));
  EXPECT_FALSE(dies([&] { on_host[4095] = 1; }));
  const Stream stream = device->make_stream().value();
  for (const auto& [offset, bytes] : {std::pair{0, 4097}, std::pair{4096, 1}, std::pair{-1, 1}})
    EXPECT_EQ(device
                  ->fill(memory.address() + static_cast<DeviceAddress>(offset), 0, static_cast<size_t>(bytes),
                         stream)
                  .error()
                  .code,
              Errc::internal);
}

}  // namespace
}  // namespace microtome::cuda
