// Every call of a run fails once, in each of the ways that matter: an error or a right result, and nothing
// left.
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::cuda {
namespace {

class FaultsTest : public FakeDriverTest {};

constexpr size_t kBytes = 5000;

/// Sends bytes to the device on one stream and gets them back on another. True: they are right.
Result<bool> there_and_back() {
  MICROTOME_ASSIGN(const auto driver, Driver::open());
  MICROTOME_ASSIGN(const auto device, Device::open(driver, 0));
  MICROTOME_ASSIGN(const Stream up, device->make_stream());
  MICROTOME_ASSIGN(const Stream down, device->make_stream());
  MICROTOME_ASSIGN(const Event there, device->make_event());
  MICROTOME_ASSIGN(const Event back, device->make_event());
  MICROTOME_ASSIGN(const DeviceMemory memory, device->allocate(kBytes));
  MICROTOME_ASSIGN(const PinnedMemory from, device->allocate_pinned(kBytes));
  MICROTOME_ASSIGN(const PinnedMemory to, device->allocate_pinned(kBytes));
  for (size_t i = 0; i < kBytes; ++i) from.data()[i] = static_cast<std::byte>(i * 31);
  MICROTOME_TRY(device->copy_to_device(memory.address(), from.data(), kBytes, up));
  MICROTOME_TRY(device->record(there, up));
  MICROTOME_TRY(device->wait(down, there));
  MICROTOME_TRY(device->copy_to_host(to.data(), memory.address(), kBytes, down));
  MICROTOME_TRY(device->record(back, down));
  for (;;) {
    MICROTOME_ASSIGN(const bool done, device->is_done(back));
    if (done) break;
    std::this_thread::yield();
  }
  return std::memcmp(from.data(), to.data(), kBytes) == 0;
}

TEST_F(FaultsTest, AtEachCall) {
  // A function that gives something back and says it failed may have kept it.
  const std::set<std::string> keep = {
      "cuMemFree_v2",        "cuMemFreeHost",      "cuStreamDestroy_v2",          "cuEventDestroy_v2",
      "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2", "cuDevicePrimaryCtxRelease_v2"};
  configure("");
  ASSERT_TRUE(there_and_back().value());
  const uint64_t calls = report().calls;
  ASSERT_GT(calls, 40u);
  int right = 0, refused = 0;
  for (const int answer : {2, 100, 999}) {
    for (uint64_t k = 1; k <= calls; ++k) {
      configure("delay=50,fail_at=" + std::to_string(k) + ",fail_with=" + std::to_string(answer));
      const FakeCudaReport before = report();
      const auto result = there_and_back();
      if (result.ok()) {
        EXPECT_TRUE(*result) << "call " << k;
      } else {
        EXPECT_NE(result.error().code, Errc::cancelled);
        EXPECT_FALSE(result.error().message.empty());
      }
      right += result.ok();
      refused += !result.ok();
      const FakeCudaReport after = report();
      if (after.failed_in && keep.contains(after.failed_in)) continue;
      SCOPED_TRACE(after.failed_in ? after.failed_in : "no call");
      expect_same_alive(before, after);
    }
  }
  EXPECT_GT(right, 0);  // faults while things are given back
  EXPECT_GT(refused, 0);
  expect_leaks_ = true;
}

TEST_F(FaultsTest, ADeviceThatIsLostAtEachCall) {
  configure("");
  ASSERT_TRUE(there_and_back().value());
  const uint64_t calls = report().calls;
  for (uint64_t k = 1; k <= calls; ++k) {
    configure("delay=50,lost_at=" + std::to_string(k));
    const auto result = there_and_back();
    if (result.ok())
      EXPECT_TRUE(*result) << "call " << k;
    else
      EXPECT_EQ(result.error().code, Errc::unavailable) << "call " << k << ": " << result.error().message;
  }
  expect_leaks_ = true;
}

}  // namespace
}  // namespace microtome::cuda
