// What the parts of the fake driver share: settings, fault injection, accounts, and the objects that are
// alive.
//
// One State for the process, never destroyed (streams' threads outlive main). `mutex` guards all of it but
// what says otherwise; no thread holds it while it waits for a stream.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "microtome/device/cuda/driver_api.h"
#include "tests/fake_cuda/control.h"
#include "tests/fake_cuda/races.h"

namespace microtome::cuda {

// The handles that the driver gives out point to these.
struct ContextObject {
  int device = 0;
  int retained = 0;
};

}  // namespace microtome::cuda

namespace fake {

struct KernelBody {
  std::vector<size_t> argument_bytes;
  FakeKernel* run = nullptr;
};

}  // namespace fake

namespace microtome::cuda {

struct FunctionObject {
  int device = 0;
  const char* name = nullptr;
  fake::KernelBody body;
};

struct ModuleObject {
  int device = 0;
  std::map<std::string, FunctionObject> functions;
};

/// What a stream is given: the bytes it touches, as known when it is given, and what it does.
struct Operation {
  const char* name;
  std::vector<fake::Access> accesses;
  std::function<void()> work;
  fake::Clock given_after{};  // what the host had seen by then
};

/// Work of one stream, in order, on a thread of its own.
struct StreamObject {
  int device = 0;
  bool blocking = false;  // ordered with the device's legacy stream, as all but CU_STREAM_NON_BLOCKING are
  int actor = 0;          // for Races
  fake::Clock clock;      // guarded by State's mutex
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Operation> queue;
  bool busy = false, closing = false;
  std::mt19937_64 random;
  unsigned longest_delay_us = 0;
};

/// The end of what a stream had been given when an event was recorded.
struct Completion {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  fake::Clock clock;  // guarded by State's mutex; set before `done`
};

struct EventObject {
  int device = 0;
  std::shared_ptr<Completion> recorded;  // null: never
};

}  // namespace microtome::cuda

namespace fake {

using microtome::cuda::DriverStatus;

inline constexpr DriverStatus kInvalidHandle{400};  // CUDA_ERROR_INVALID_HANDLE

struct Settings {
  int64_t devices = 1, driver = 13000, init = 0, memory = int64_t{1} << 30, delay = 0, seed = 1, oom_at = 0,
          lost_at = 0, fail_at = 0, fail_with = 999;
  std::string fail_in;
  std::map<std::string, int64_t> libraries = {
      {"nvjpeg_engines", 2}, {"nvjpeg_restarts", 1}, {"nvjpeg_ordered", 0}, {"nvjpeg_skip", 0},
      {"nvjpeg_lenient", 0}, {"nvjpeg2k_skip", 0},   {"cufile_direct", 1},  {"cufile_compat", 1},
      {"cufile_most", 0},    {"cufile_short", 0},    {"cufile_fail", 0},    {"cufile_delay", 0}};
};

/// Device memory: addresses that fault when the host touches them, and behind them, elsewhere, the bytes.
struct Block {
  Block(size_t bytes, int on_device);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  microtome::cuda::DeviceAddress address = 0;
  std::byte* bytes = nullptr;  // ends at a page that faults
  size_t size;
  int device;

 private:
  size_t mapped_;
  void* addresses_ = nullptr;
  void* pages_ = nullptr;
};

struct State {
  std::mutex mutex;
  Settings settings;
  FakeCudaReport report{};
  bool lost = false;
  pid_t process = 0;  // that called cuInit; 0: none has
  std::string first_misuse;
  int64_t allocations = 0, calls_of_fail_in = 0;

  Races races;
  Clock host;
  int actors = 0;

  std::map<int, microtome::cuda::ContextObject> contexts;  // by device
  std::map<microtome::cuda::DeviceAddress, std::shared_ptr<Block>> blocks;
  std::map<void*, size_t> pinned;  // start of the pages, and their bytes
  std::map<microtome::cuda::StreamHandle, std::shared_ptr<microtome::cuda::StreamObject>> streams;
  // The default ones: of each device, and of each thread of each device. They are nobody's to destroy.
  std::map<int, std::shared_ptr<microtome::cuda::StreamObject>> legacy;
  std::map<std::pair<int, std::thread::id>, std::shared_ptr<microtome::cuda::StreamObject>> per_thread;
  std::vector<std::weak_ptr<microtome::cuda::StreamObject>> destroyed_streams;  // that may have work left
  // Decoding engines by device and number: work that streams wait for, in an order of its own.
  std::map<std::pair<int, int>, std::shared_ptr<microtome::cuda::StreamObject>> engines;
  std::map<microtome::cuda::EventHandle, std::unique_ptr<microtome::cuda::EventObject>> events;
  std::map<microtome::cuda::ModuleHandle, std::unique_ptr<microtome::cuda::ModuleObject>> modules;
  std::map<std::string, KernelBody> kernels;  // that tests have registered
};

State& state();

/// What every function of the driver does first: counts the call, and says what it answers where it is made
/// to fail.
DriverStatus enter(const char* function, bool needs_init = true);

/// The calling thread's current context, or null; a call that needs one and has none is counted.
microtome::cuda::ContextObject* current_context();

/// Whether this allocation is the one to fail. With the mutex held.
bool allocation_fails(size_t bytes, int device);

/// What touching these host bytes is, if all of them are pinned. With the mutex held.
std::optional<Access> pinned_access(const void* memory, size_t bytes, bool writes);

/// Frees the pages of pinned memory, and the guards around them. With the mutex held.
void unmap_pinned(void* memory, size_t bytes);

/// Lets the engines' threads end when they have nothing to do. With the mutex held.
void close_engines();

/// Waits until all streams and engines of `device`, destroyed ones too, have nothing to do. Without the
/// mutex.
void wait_for_device(int device);

}  // namespace fake

#define FAKE_API extern "C" __attribute__((visibility("default")))

namespace microtome::cuda {
#define FAKE_DECLARE(need, name, result, parameters) FAKE_API result name parameters;
MICROTOME_DRIVER_API(FAKE_DECLARE)
#undef FAKE_DECLARE
}  // namespace microtome::cuda

#define FAKE_ENTER(...)                                                                                \
  do {                                                                                                 \
    if (const fake::DriverStatus made = fake::enter(__VA_ARGS__); made != fake::DriverStatus::success) \
      return made;                                                                                     \
  } while (0)
