// What the fakes of NVIDIA's libraries ask of the fake driver, which they are linked with.
//
// A library's calls, objects and work are in the same accounts as the driver's: one count of calls for
// faults, one race detector. An object of a library that its work uses (a decoder's state) is to the detector
// a byte of memory that is written: using it again before the host has seen that work done is a race.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "microtome/device/cuda/driver_api.h"

#define FAKE_SHARED __attribute__((visibility("default")))

namespace fake {

/// What a library's function answers instead of doing anything.
enum class Fault : uint8_t { none, out_of_memory, failed, lost };

/// What each of a library's functions does first: counts the call, and says whether it is made to fail.
FAKE_SHARED Fault enter_library(const char* function);

/// The device of the calling thread's current context; -1 without one, which is counted as a foreign call.
FAKE_SHARED int current_device();

/// A setting of a library's, as control.h lists them.
FAKE_SHARED int64_t library_setting(const char* name);

/// An object of a library is made (1) or gone (-1).
FAKE_SHARED void count_object(int change);
/// A call in a wrong order, or with an object that is not alive: the test is to fail.
FAKE_SHARED void misuse(const char* what);
/// Images that a library decodes: with an engine, or in another way.
FAKE_SHARED void count_images(uint64_t count, bool by_engine);

/// The host uses `object` now, or it is gone, and its address may come again.
FAKE_SHARED void host_uses(const char* function, const void* object);
FAKE_SHARED void forget_object(const void* object);

struct HostBytes {
  const void* data = nullptr;
  size_t size = 0;
};

/// Work on the device. `run` gets at its memory with fake_cuda_memory (control.h).
struct Work {
  const char* name = nullptr;
  std::vector<const void*> objects;   // that it uses
  std::vector<HostBytes> host_reads;  // what it reads of the host, when the stream gets there
  std::function<void()> run;
};

/// What cuFile's reads are counted as.
struct FileRead {
  bool direct = false, aligned = true, registered = true;
};
FAKE_SHARED void count_read(const FileRead& read);

/// Whether all of these bytes are in one block of the device.
FAKE_SHARED bool is_device_memory(int device, uint64_t address, size_t bytes);
/// The calling thread writes to memory of the device by itself. `write` gets its bytes. False: it is no
/// memory of the device's, and nothing was done.
FAKE_SHARED bool host_writes(const char* function, int device, uint64_t address, size_t bytes,
                             const std::function<void(std::byte*)>& write);

inline constexpr int kNoEngine = -1;

/// Gives work to `stream`, or to an engine (streams.h). Errors: the stream is not one of the device's.
FAKE_SHARED microtome::cuda::DriverStatus give_work(microtome::cuda::StreamHandle stream, int device,
                                                    int engine, bool ordered, Work work);

}  // namespace fake
