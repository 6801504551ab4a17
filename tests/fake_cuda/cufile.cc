// The fake cuFile: files, registered memory, and reads into memory of the fake driver's devices.
//
// Reads are synchronous and are done by the calling thread, as the library's. Direct ones want a file opened
// for direct I/O; without it, and without nvidia-fs, they go by compat mode, if that is allowed. The answers
// are those of cuFile's documentation; how a real one reaches them is not imitated.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "microtome/device/cuda/cufile_api.h"
#include "tests/fake_cuda/alive.h"

namespace fake {
namespace {

using microtome::cuda::CufileError;
using microtome::cuda::CufileStatus;
using microtome::cuda::DriverStatus;

constexpr uint64_t kPage = 4096;

struct OpenFile {
  int descriptor;
  bool direct;
};

struct CufileState {
  std::mutex mutex;
  int opened = 0;
  std::map<uint64_t, size_t> registered;  // address → bytes
  std::map<int, const OpenFile*> descriptors;
  Alive<OpenFile> files;
  std::mt19937_64 random{1};
  std::atomic<int64_t> reads{0};
};

CufileState& cufile() {
  static auto* const the_state = new CufileState;
  return *the_state;
}

CufileError with(CufileStatus status) {
  return {status, DriverStatus::success};
}

CufileError answer(Fault fault) {
  if (fault == Fault::lost) return {CufileStatus::cuda_driver_error, DriverStatus::illegal_address};
  return with(CufileStatus::internal_error);
}

bool is_open() {
  const std::lock_guard lock(cufile().mutex);
  return cufile().opened > 0;
}

/// Whether all of it is in memory that is registered and begins there at `base`.
bool is_registered(uint64_t base, uint64_t begin, size_t bytes) {
  const std::lock_guard lock(cufile().mutex);
  const auto found = cufile().registered.find(base);
  return found != cufile().registered.end() && begin - base <= found->second &&
         bytes <= found->second - (begin - base);
}

void sleep_a_while() {
  const int64_t longest = library_setting("cufile_delay");
  if (longest <= 0) return;
  uint64_t random = 0;
  {
    const std::lock_guard lock(cufile().mutex);
    random = cufile().random();
  }
  std::this_thread::sleep_for(std::chrono::microseconds(random % (static_cast<uint64_t>(longest) + 1)));
}

bool is_turn(const char* setting, int64_t number) {
  const int64_t every = library_setting(setting);
  return every > 0 && number % every == 0;
}

}  // namespace
}  // namespace fake

#define CUFILE_API extern "C" __attribute__((visibility("default")))
#define CUFILE_ENTER(function)                                                             \
  do {                                                                                     \
    if (const fake::Fault made = fake::enter_library(function); made != fake::Fault::none) \
      return fake::answer(made);                                                           \
  } while (0)

namespace microtome::cuda {
#define CUFILE_DECLARE(need, name, result, parameters) CUFILE_API result name parameters;
MICROTOME_CUFILE_API(CUFILE_DECLARE)
#undef CUFILE_DECLARE

/// For tests that leave something behind: what the end of their process would be.
CUFILE_API void fake_cufile_end() {
  fake::CufileState& s = fake::cufile();
  s.files.clear();
  const std::lock_guard lock(s.mutex);
  fake::count_object(-static_cast<int>(s.registered.size()) - (s.opened > 0 ? 1 : 0));
  s.registered.clear();
  s.descriptors.clear();
  s.opened = 0;
}

CufileError cuFileGetVersion(int* version) {
  *version = 1190;
  return fake::with(CufileStatus::success);
}

CufileError cuFileDriverOpen() {
  CUFILE_ENTER("cuFileDriverOpen");
  if (!fake::library_setting("cufile_direct") && !fake::library_setting("cufile_compat"))
    return fake::with(CufileStatus::driver_not_initialized);
  const std::lock_guard lock(fake::cufile().mutex);
  if (fake::cufile().opened++ == 0) fake::count_object(1);
  return fake::with(CufileStatus::success);
}

CufileError cuFileDriverClose_v2() {
  CUFILE_ENTER("cuFileDriverClose_v2");
  const std::lock_guard lock(fake::cufile().mutex);
  if (fake::cufile().opened == 0) {
    fake::misuse("cuFileDriverClose_v2: it is not open");
    return fake::with(CufileStatus::driver_not_initialized);
  }
  if (--fake::cufile().opened > 0) return fake::with(CufileStatus::success);
  fake::count_object(-1);
  if (!fake::cufile().registered.empty()) fake::misuse("cuFileDriverClose_v2: memory is registered");
  if (!fake::cufile().descriptors.empty()) fake::misuse("cuFileDriverClose_v2: files are registered");
  return fake::with(CufileStatus::success);
}

CufileError cuFileDriverGetProperties(CufileProperties* properties) {
  CUFILE_ENTER("cuFileDriverGetProperties");
  if (!fake::is_open()) return fake::with(CufileStatus::driver_not_initialized);
  *properties = {};
  properties->nvfs.major_version = fake::library_setting("cufile_direct") ? 2 : 0;
  return fake::with(CufileStatus::success);
}

CufileError cuFileHandleRegister(CufileHandle* handle, CufileDescriptor* descriptor) {
  CUFILE_ENTER("cuFileHandleRegister");
  if (!fake::is_open()) {
    fake::misuse("cuFileHandleRegister: the driver is not open");
    return fake::with(CufileStatus::driver_not_initialized);
  }
  if (!handle || !descriptor || descriptor->kind != CufileKind::opaque_fd)
    return fake::with(CufileStatus::invalid_value);
  const int flags = ::fcntl(descriptor->file.fd, F_GETFL);
  if (flags < 0) return fake::with(CufileStatus::invalid_value);
  const bool direct = fake::library_setting("cufile_direct") != 0 && (flags & O_DIRECT) != 0;
  if (!direct && !fake::library_setting("cufile_compat"))
    return fake::with(flags & O_DIRECT ? CufileStatus::io_not_supported : CufileStatus::direct_io_not_set);
  const std::lock_guard lock(fake::cufile().mutex);
  if (fake::cufile().descriptors.contains(descriptor->file.fd))
    return fake::with(CufileStatus::handle_already_registered);
  const fake::OpenFile* const file = fake::cufile().files.make(fake::OpenFile{descriptor->file.fd, direct});
  fake::cufile().descriptors.emplace(descriptor->file.fd, file);
  *handle = const_cast<fake::OpenFile*>(file);
  return fake::with(CufileStatus::success);
}

void cuFileHandleDeregister(CufileHandle handle) {
  if (fake::enter_library("cuFileHandleDeregister") == fake::Fault::failed) return;
  const auto file =
      fake::cufile().files.take(static_cast<const fake::OpenFile*>(handle), "cuFileHandleDeregister");
  if (!file) return;
  if (::fcntl(file->descriptor, F_GETFL) < 0) fake::misuse("cuFileHandleDeregister: its file is closed");
  const std::lock_guard lock(fake::cufile().mutex);
  fake::cufile().descriptors.erase(file->descriptor);
}

CufileError cuFileBufRegister(const void* memory, size_t bytes, int flags) {
  CUFILE_ENTER("cuFileBufRegister");
  const int device = fake::current_device();
  if (!fake::is_open()) return fake::with(CufileStatus::driver_not_initialized);
  if (flags != 0 || bytes == 0) return fake::with(CufileStatus::invalid_value);
  const auto address = reinterpret_cast<uint64_t>(memory);
  if (device < 0 || !fake::is_device_memory(device, address, bytes))
    return fake::with(CufileStatus::pointer_invalid);
  if (const int64_t most = fake::library_setting("cufile_most");
      most > 0 && bytes > static_cast<size_t>(most))
    return fake::with(CufileStatus::internal_error);
  const std::lock_guard lock(fake::cufile().mutex);
  if (!fake::cufile().registered.emplace(address, bytes).second)
    return fake::with(CufileStatus::memory_already_registered);
  fake::count_object(1);
  return fake::with(CufileStatus::success);
}

CufileError cuFileBufDeregister(const void* memory) {
  CUFILE_ENTER("cuFileBufDeregister");
  size_t bytes = 0;
  const auto address = reinterpret_cast<uint64_t>(memory);
  {
    const std::lock_guard lock(fake::cufile().mutex);
    const auto found = fake::cufile().registered.find(address);
    if (found == fake::cufile().registered.end()) {
      fake::misuse("cuFileBufDeregister: no such memory");
      return fake::with(CufileStatus::memory_not_registered);
    }
    bytes = found->second;
    fake::cufile().registered.erase(found);
  }
  fake::count_object(-1);
  const int device = fake::current_device();
  if (device < 0 || !fake::is_device_memory(device, address, bytes))
    fake::misuse("cuFileBufDeregister: the memory was freed before");
  return fake::with(CufileStatus::success);
}

ssize_t cuFileRead(CufileHandle handle, void* memory, size_t bytes, off_t file_offset, off_t memory_offset) {
  switch (fake::enter_library("cuFileRead")) {
    case fake::Fault::none:
      break;
    case fake::Fault::out_of_memory:
      errno = ENOMEM;
      return -1;
    case fake::Fault::lost:
      return -static_cast<ssize_t>(CufileStatus::cuda_driver_error);
    default:
      return -static_cast<ssize_t>(CufileStatus::internal_error);
  }
  const auto file = fake::cufile().files.find(static_cast<const fake::OpenFile*>(handle), "cuFileRead");
  if (!file) return -static_cast<ssize_t>(CufileStatus::handle_not_registered);
  const int device = fake::current_device();
  if (device < 0 || file_offset < 0 || memory_offset < 0)
    return -static_cast<ssize_t>(CufileStatus::invalid_value);
  const int64_t number = ++fake::cufile().reads;
  fake::sleep_a_while();
  if (fake::is_turn("cufile_fail", number)) {
    errno = EIO;
    return -1;
  }
  const auto base = reinterpret_cast<uint64_t>(memory);
  const uint64_t begin = base + static_cast<uint64_t>(memory_offset);
  fake::count_read({file->direct, (begin | bytes | static_cast<uint64_t>(file_offset)) % fake::kPage == 0,
                    fake::is_registered(base, begin, bytes)});
  if (!fake::is_device_memory(device, begin, bytes)) {
    fake::misuse("cuFileRead: not all of it is memory of the device");
    return -static_cast<ssize_t>(CufileStatus::pointer_invalid);
  }
  // As direct I/O wants it, from whole pages to whole pages.
  const uint64_t from = static_cast<uint64_t>(file_offset) / fake::kPage * fake::kPage;
  const size_t skipped = static_cast<size_t>(static_cast<uint64_t>(file_offset) - from);
  const size_t whole = (skipped + bytes + fake::kPage - 1) / fake::kPage * fake::kPage;
  const std::unique_ptr<void, decltype(&std::free)> pages(std::aligned_alloc(fake::kPage, whole), &std::free);
  const ssize_t got = ::pread(file->descriptor, pages.get(), whole, static_cast<off_t>(from));
  if (got < 0) return -1;
  size_t size = static_cast<size_t>(got) <= skipped ? 0 : std::min(bytes, static_cast<size_t>(got) - skipped);
  if (fake::is_turn("cufile_short", number)) size = (size + 1) / 2;
  fake::host_writes("cuFileRead", device, begin, size, [&](std::byte* to) {
    std::memcpy(to, static_cast<const std::byte*>(pages.get()) + skipped, size);
  });
  return static_cast<ssize_t>(size);
}

}  // namespace microtome::cuda
