// For C++ tests on the fake CUDA driver: sets it up, and fails a test that leaves anything alive on it.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "microtome/base/sanitizers.h"
#include "microtome/device/cuda/device.h"
#include "microtome/device/cuda/driver.h"
#include "tests/fake_cuda/control.h"

/// Begins a test whose operations race: to the thread sanitizer the fake's streams are threads, and it is
/// right.
#if MICROTOME_TSAN
#define RACES_ON_PURPOSE() GTEST_SKIP() << "the thread sanitizer stops at races that are meant"
#else
#define RACES_ON_PURPOSE() static_cast<void>(0)
#endif

namespace microtome::cuda {

class FakeDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    configure("");
    before_ = report();
  }

  void TearDown() override {
    const FakeCudaReport now = report();
    EXPECT_EQ(now.foreign_calls, 0u);
    EXPECT_EQ(now.races, expected_races_) << now.first_race;
    EXPECT_EQ(now.misuses, expected_misuses_) << now.first_misuse;
    if (expect_leaks_)
      end_all();
    else
      expect_same_alive(before_, now);
  }

  /// Nothing more or less is alive on the fake than before.
  static void expect_same_alive(const FakeCudaReport& before, const FakeCudaReport& after) {
    EXPECT_EQ(after.contexts, before.contexts);
    EXPECT_EQ(after.memory_blocks, before.memory_blocks);
    EXPECT_EQ(after.pinned_blocks, before.pinned_blocks);
    EXPECT_EQ(after.streams, before.streams);
    EXPECT_EQ(after.events, before.events);
    EXPECT_EQ(after.modules, before.modules);
    EXPECT_EQ(after.library_objects, before.library_objects);
  }

  /// What a lost device has left alive is gone.
  static void end_all() { find<FakeCudaEnd>("fake_cuda_end")(); }

  /// Makes the fake the driver that is found, with settings as control.h has them.
  static void configure(const std::string& settings) {
    ::setenv("MICROTOME_LIB_CUDA", FAKE_CUDA_FILE, 1);
    find<FakeCudaConfigure>("fake_cuda_configure")(settings.c_str());
  }

  static FakeCudaReport report() {
    FakeCudaReport report{};
    find<FakeCudaReportTo>("fake_cuda_report")(&report);
    return report;
  }

  /// A kernel of these parameters, run by `body`.
  template <class... A>
  static void register_kernel(const char* name, FakeKernel* body) {
    const size_t bytes[] = {sizeof(A)...};
    find<FakeCudaRegisterKernel>("fake_cuda_register_kernel")(name, bytes, sizeof...(A), body);
  }

  /// In a kernel: the bytes at a device address; null where there are none, and the kernel must return.
  static void* memory(DeviceAddress address, size_t bytes, bool writes) {
    return find<FakeCudaMemory>("fake_cuda_memory")(address, bytes, writes);
  }

  /// Where something of cuFile's may be left: a registered file's number would be taken for the next one.
  static void end_cufile() {
    void* library = ::dlopen(FAKE_CUFILE_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    reinterpret_cast<void (*)()>(::dlsym(library, "fake_cufile_end"))();
  }

  static std::shared_ptr<const Driver> open_driver() { return Driver::open().value(); }
  static std::shared_ptr<const Device> open_device(int ordinal = 0) {
    return Device::open(open_driver(), ordinal).value();
  }

  bool expect_leaks_ = false;
  uint64_t expected_races_ = 0, expected_misuses_ = 0;

 private:
  FakeCudaReport before_{};

  template <class Function>
  static Function* find(const char* name) {
    void* library = ::dlopen(FAKE_CUDA_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    return reinterpret_cast<Function*>(::dlsym(library, name));
  }
};

}  // namespace microtome::cuda
