// cuFile on the fake one: files to memory of the device, by every way that a machine may have, and what goes
// wrong.
#include "microtome/device/cuda/cufile.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::cuda {
namespace {

class CufileTest : public FakeDriverTest {
 protected:
  static constexpr size_t kFileBytes = 50001, kMemory = 65536;

  void SetUp() override {
    FakeDriverTest::SetUp();
    ::setenv("MICROTOME_LIB_CUFILE", FAKE_CUFILE_FILE, 1);
    // In this folder, because there is no direct I/O in some temporary ones.
    std::string name = std::filesystem::path(FAKE_CUFILE_FILE).parent_path() / "cufile-test-XXXXXX";
    descriptor_ = ::mkstemp(name.data());
    ASSERT_GE(descriptor_, 0);
    ::unlink(name.c_str());
    content_.resize(kFileBytes);
    for (size_t i = 0; i < kFileBytes; ++i) content_[i] = static_cast<std::byte>(i * 31 + i / 253);
    ASSERT_EQ(::pwrite(descriptor_, content_.data(), kFileBytes, 0), static_cast<ssize_t>(kFileBytes));
  }

  void TearDown() override {
    ::close(descriptor_);
    FakeDriverTest::TearDown();
    if (expect_leaks_) end_cufile();
  }

  static std::vector<std::byte> back(const Device& device, DeviceAddress from, size_t bytes) {
    const Stream stream = device.make_stream().value();
    const PinnedMemory pinned = device.allocate_pinned(bytes).value();
    EXPECT_TRUE(device.copy_to_host(pinned.data(), from, bytes, stream).ok());
    EXPECT_TRUE(device.synchronize(stream).ok());
    return {pinned.data(), pinned.data() + bytes};
  }

  bool is(const std::vector<std::byte>& found, size_t at, size_t bytes) const {
    return found.size() >= bytes && std::memcmp(found.data(), content_.data() + at, bytes) == 0;
  }

  int descriptor_ = -1;
  std::vector<std::byte> content_;
};

TEST_F(CufileTest, ReadsAreTheFilesBytesWhicheverWayTheyGo) {
  for (const char* settings :
       {"cufile_direct=1", "cufile_direct=1,cufile_short=2,cufile_delay=300", "cufile_direct=0"}) {
    SCOPED_TRACE(settings);
    configure(settings);
    const auto device = open_device();
    const auto cufile = Cufile::open(device, {}).value();
    EXPECT_EQ(cufile->mode(),
              std::string(settings).ends_with("=0") ? CufileMode::compat : CufileMode::direct);
    EXPECT_EQ(cufile->path(), FAKE_CUFILE_FILE);
    const DeviceMemory memory = device->allocate(kMemory).value();
    const auto buffer = cufile->register_memory(memory.address(), kMemory).value();
    const auto file = cufile->open_file(descriptor_).value();
    EXPECT_EQ(file->size(), kFileBytes);
    EXPECT_EQ(file->read(buffer, 4096, 8192, 12288).value(), 12288u);
    EXPECT_TRUE(is(back(*device, memory.address() + 4096, 12288), 8192, 12288));
    if (std::string(settings) == "cufile_direct=1") {
      EXPECT_EQ(report().unaligned_reads, 0u);
    }
    EXPECT_EQ(file->read(buffer, 17, 4001, 333).value(), 333u);
    EXPECT_TRUE(is(back(*device, memory.address() + 17, 333), 4001, 333));
    EXPECT_EQ(file->read(buffer, 0, 49152, 4096).value(), kFileBytes - 49152);
    EXPECT_TRUE(is(back(*device, memory.address(), 849), 49152, 849));
    EXPECT_EQ(report().unregistered_reads, 0u);
    EXPECT_EQ(cufile->mode() == CufileMode::direct ? report().compat_reads : report().direct_reads, 0u);
  }
}

TEST_F(CufileTest, ManyThreadsMayRead) {
  configure("cufile_delay=200");
  const auto device = open_device();
  const auto cufile = Cufile::open(device, {}).value();
  const DeviceMemory memory = device->allocate(kMemory).value();
  const auto buffer = cufile->register_memory(memory.address(), kMemory).value();
  const auto file = cufile->open_file(descriptor_).value();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (size_t page = i; page < 12; page += 4)
        EXPECT_EQ(file->read(buffer, page * 4096, page * 4096, 4096).value(), 4096u);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(is(back(*device, memory.address(), size_t{12} * 4096), 0, size_t{12} * 4096));
}

TEST_F(CufileTest, WhatCannotBeIsTold) {
  const auto device = open_device();
  configure("cufile_direct=0,cufile_compat=0");
  const auto refused = Cufile::open(device, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_NE(refused.error().message.find(
                "cuFileDriverOpen answered 5001 (CU_FILE_DRIVER_NOT_INITIALIZED: nvidia-fs"),
            std::string::npos)
      << refused.error().message;

  configure("cufile_most=4096,cufile_fail=2");
  const auto cufile = Cufile::open(device, {}).value();
  const DeviceMemory memory = device->allocate(kMemory).value();
  const auto too_much = cufile->register_memory(memory.address(), kMemory);
  ASSERT_FALSE(too_much.ok());
  EXPECT_NE(too_much.error().message.find("cuFileBufRegister answered 5030"), std::string::npos);
  const auto buffer = cufile->register_memory(memory.address(), 4096).value();
  EXPECT_FALSE(cufile->register_memory(memory.address(), 4096).ok());
  EXPECT_FALSE(cufile->register_memory(1, 4096).ok());
  EXPECT_EQ(cufile->open_file(-1).error().code, Errc::io);

  const auto file = cufile->open_file(descriptor_).value();
  const auto one = file->read(buffer, 0, 0, 4096), other = file->read(buffer, 0, 0, 4096);
  ASSERT_NE(one.ok(), other.ok());
  const Error& error = one.ok() ? other.error() : one.error();
  EXPECT_EQ(error.code, Errc::io);
  EXPECT_NE(error.message.find("cuFileRead of 4096 bytes at offset 0: Input/output error"), std::string::npos)
      << error.message;
}

TEST_F(CufileTest, AMachineWithoutItSaysWhereItLooked) {
  ::setenv("MICROTOME_LIB_CUFILE", "/nowhere/libcufile.so.0", 1);
  const auto device = open_device();
  const auto refused = Cufile::open(device, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_NE(refused.error().message.find("/nowhere/libcufile.so.0"), std::string::npos);
}

TEST_F(CufileTest, AFaultAtEachCallIsAnErrorOrTheRightBytes) {
  const auto attempt = [&]() -> Result<bool> {
    MICROTOME_ASSIGN(const auto driver, Driver::open());
    MICROTOME_ASSIGN(const auto device, Device::open(driver, 0));
    MICROTOME_ASSIGN(const auto cufile, Cufile::open(device, {}));
    MICROTOME_ASSIGN(const DeviceMemory memory, device->allocate(kMemory));
    MICROTOME_ASSIGN(const auto buffer, cufile->register_memory(memory.address(), kMemory));
    MICROTOME_ASSIGN(const auto file, cufile->open_file(descriptor_));
    MICROTOME_ASSIGN(const size_t got, file->read(buffer, 0, 4096, 4096));
    MICROTOME_ASSIGN(const Stream stream, device->make_stream());
    MICROTOME_ASSIGN(const PinnedMemory pinned, device->allocate_pinned(4096));
    MICROTOME_TRY(device->copy_to_host(pinned.data(), memory.address(), 4096, stream));
    MICROTOME_TRY(device->synchronize(stream));
    return got == 4096 && std::memcmp(pinned.data(), content_.data() + 4096, 4096) == 0;
  };
  configure("");
  ASSERT_TRUE(attempt().value());
  const uint64_t calls = report().calls;
  int right = 0, refused = 0;
  for (const int answer : {2, 999}) {
    for (uint64_t k = 1; k <= calls; ++k) {
      configure("fail_at=" + std::to_string(k) + ",fail_with=" + std::to_string(answer));
      const auto result = attempt();
      if (result.ok()) {
        EXPECT_TRUE(*result) << k;
      } else {
        EXPECT_FALSE(result.error().message.empty()) << k;
      }
      ++(result.ok() ? right : refused);
      // What could not be given back stays, and would be in the next attempt's way.
      expected_misuses_ = report().misuses;
    }
  }
  EXPECT_GT(right, 0);
  EXPECT_GT(refused, 10);
  expect_leaks_ = true;
}

}  // namespace
}  // namespace microtome::cuda
