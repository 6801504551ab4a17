// What tests say to the fake CUDA driver, and what it tells them: functions of the fake's own, beside the
// driver's.
//
// A test finds them with dlsym in the library that MICROTOME_LIB_CUDA names. A program that cannot call them
// (a Python test) sets FAKE_CUDA in the environment to what fake_cuda_configure would be given.
//
// Settings are "name=value" with commas between:
//   devices=1        how many there are; 0: cuInit answers "no device"
//   driver=13000     what cuDriverGetVersion tells
//   init=0           what cuInit answers
//   memory=1073741824  bytes of each device
//   delay=0          each operation on a stream first sleeps between 0 and so many microseconds
//   seed=1           of those delays
//   oom_at=0         the how many-th allocation (device or pinned) fails for want of memory; 0: none
//   lost_at=0        at the how many-th call the device is lost: that call and all later ones answer "illegal
//                    address"
//   fail_at=0        the how many-th call does nothing and answers `fail_with`
//   fail_in=         only calls of this function count for fail_at
//   fail_with=999    "unknown error"; a library's functions answer what is like it among their own answers
//
// Of the fake nvJPEG (nvjpeg.cc):
//   nvjpeg_engines=2   decoding engines; 0: none, and a handle for them is refused
//   nvjpeg_restarts=1  whether the engines take streams with restart markers
//   nvjpeg_ordered=0   1: the engines wait for earlier work of their stream, as an A100's; else not, as an
//                      H100's
//   nvjpeg_skip=0      every so many-th image is said to be decoded and is not
//   nvjpeg2k_skip=0    the same of nvJPEG2000
//   nvjpeg_lenient=0   1: broken entropy-coded data gives wrong pixels and no error
//
// Of the fake cuFile (cufile.cc):
//   cufile_direct=1    nvidia-fs is there; 0: it is not, and all goes by compat mode
//   cufile_compat=1    compat mode is allowed
//   cufile_most=0      bytes that one buffer may have to be registered; 0: any number
//   cufile_short=0     every so many-th read gives half of what it was asked for
//   cufile_fail=0      every so many-th read fails with EIO
//   cufile_delay=0     a read first sleeps between 0 and so many microseconds
#pragma once

#include <cstddef>
#include <cstdint>

struct FakeCudaReport {
  uint64_t calls;              // of the driver's functions
  uint64_t synchronous_calls;  // that made, or may make, the host wait for a device
  uint64_t bytes_to_device, bytes_to_host;
  uint64_t launches;         // of kernels
  uint64_t pageable_copies;  // from or to host memory that is not pinned
  uint64_t foreign_calls;    // without a current context, or with an object of another device
  const char* failed_in;     // the function that fail_at made fail; null: none
  uint64_t races;            // pairs of operations on the same bytes that nothing orders
  const char* first_race;    // its description; valid until the next call of fake_cuda_configure
  int64_t contexts, memory_blocks, memory_bytes, pinned_blocks, streams, events, modules;  // alive now
  int64_t library_objects;   // of the fakes of libraries, alive now
  uint64_t misuses;          // calls of a library's functions in a wrong order or with a wrong object
  const char* first_misuse;  // valid until the next call of fake_cuda_configure
  uint64_t engine_images;    // decoded by nvJPEG's engines
  uint64_t library_images;   // decoded by a library on the device in another way
  uint64_t direct_reads, compat_reads;  // cuFile's
  uint64_t unaligned_reads;             // of direct ones: they would go a detour
  uint64_t unregistered_reads;          // to memory that is not registered
};

/// A launch as a kernel sees it. `arguments` point to copies of the values.
struct FakeLaunch {
  unsigned blocks[3], threads[3];
  void** arguments;
};
using FakeKernel = void(const FakeLaunch* launch);

#pragma GCC visibility push(default)
extern "C" {
/// Sets everything not named to its default, and counters to zero. Aborts on a setting that it does not know.
using FakeCudaConfigure = void(const char* settings);
using FakeCudaReportTo = void(FakeCudaReport* report);
FakeCudaConfigure fake_cuda_configure;
FakeCudaReportTo fake_cuda_report;
/// Of a FakeCudaReport: for those who have it from elsewhere than here.
size_t fake_cuda_report_bytes();
/// Waits for all streams and destroys all that is alive: what a lost device took with it, and the end of its
/// process.
using FakeCudaEnd = void();
FakeCudaEnd fake_cuda_end;

/// Makes `kernel` what modules have under `name`: all of a launch's threads in one call, on the stream's
/// thread.
using FakeCudaRegisterKernel = void(const char* name, const size_t* argument_bytes, size_t arguments,
                                    FakeKernel* kernel);
FakeCudaRegisterKernel fake_cuda_register_kernel;

/// For a kernel: where the bytes of a device address are. Null where they are not all in one block: the
/// device is then lost with "illegal address", and the kernel must return. Counts as an access of the
/// kernel's for the race detector.
using FakeCudaMemory = void*(uint64_t address, size_t bytes, bool writes);
FakeCudaMemory fake_cuda_memory;
}
#pragma GCC visibility pop
