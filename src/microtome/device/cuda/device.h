// One GPU: its memory, pinned host memory, streams, events, copies.
//
// The seam between what is done on a device and how the driver is called for it; read and loader use this
// alone. Each call makes the device's primary context current (the one that PyTorch and CuPy use) and puts
// back what was current before. Calls never wait for the device unless they say so. Memory, streams and
// events share the device and may be dropped by any thread; in a forked child they are dropped without a
// call. Thread-safe: any thread may call anything, but each stream wants one thread's order.
//
// Errors of all calls
//   out_of_memory  the device's, or pinned, with how much was asked for and is free.
//   unavailable    the process is a forked child; or the device was lost: after such an error (an illegal
//   address, a launch that
//                  failed) nothing of CUDA works in this process any more, and every later call says so at
//                  once.
//   internal       any other answer of the driver.
// Source: CUDA Driver API.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "microtome/base/error.h"
#include "microtome/device/cuda/driver.h"

namespace microtome::cuda {

class Device;

/// Owns what `Handle` names; gives it back to its device when destroyed. A default-made one owns nothing.
template <class Handle>
class Owned {
 public:
  Owned() = default;
  Owned(std::shared_ptr<const Device> device, Handle handle) : device_(std::move(device)), handle_(handle) {}
  Owned(Owned&& other) noexcept
      : device_(std::move(other.device_)), handle_(std::exchange(other.handle_, Handle{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned();

  Handle get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != Handle{}; }

 private:
  std::shared_ptr<const Device> device_;
  Handle handle_{};
};

using Stream = Owned<StreamHandle>;
using Event = Owned<EventHandle>;

/// A stream of somebody else's, as the array interfaces number them: 1 is the legacy default stream, 2 the
/// default stream of the calling thread, and anything else a CUstream, which its owner keeps alive.
struct ForeignStream {
  static constexpr uintptr_t kLegacy = 1, kPerThread = 2;
  uintptr_t value = kLegacy;

  bool operator==(const ForeignStream&) const = default;
  StreamHandle get() const noexcept { return reinterpret_cast<StreamHandle>(value); }
};

/// Memory of the device. The host must not touch it.
struct DeviceMemory {
  Owned<DeviceAddress> owned;
  size_t size_bytes = 0;

  DeviceAddress address() const noexcept { return owned.get(); }
};

/// Host memory that the device reads and writes by itself, so that copies run beside the host.
struct PinnedMemory {
  Owned<void*> owned;
  size_t size_bytes = 0;

  std::byte* data() const noexcept { return static_cast<std::byte*>(owned.get()); }
};

/// How many blocks a launch has, or threads a block.
struct Extent {
  unsigned x = 1, y = 1, z = 1;
};

struct MemoryInfo {
  size_t free_bytes = 0, total_bytes = 0;
};

class Device : public std::enable_shared_from_this<Device> {
 public:
  /// Retains the primary context of device `ordinal`; the first to do so in a process makes it, which takes
  /// tenths of a second. Errors also: unavailable, no such device.
  static Result<std::shared_ptr<const Device>> open(std::shared_ptr<const Driver> driver, int ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  int ordinal() const noexcept { return ordinal_; }
  const DeviceInfo& info() const noexcept { return driver_->devices()[static_cast<size_t>(ordinal_)]; }
  const Driver& driver() const noexcept { return *driver_; }

  /// Memory of 1 byte or more, aligned to 256 bytes, content unspecified. The driver may wait for the device
  /// here and when it is freed: for set-up, not for every batch.
  Result<DeviceMemory> allocate(size_t bytes) const;
  Result<PinnedMemory> allocate_pinned(size_t bytes) const;
  Result<MemoryInfo> memory() const;

  /// A stream that does not wait for the legacy default stream, nor it for this one.
  Result<Stream> make_stream() const;
  /// Without timing. One that was not recorded yet counts as done.
  Result<Event> make_event() const;

  /// Queues a copy. `from` stays unchanged until the copy is done, in pinned memory; the driver first copies
  /// other memory aside.
  Status copy_to_device(DeviceAddress to, const void* from, size_t bytes, const Stream& stream) const;
  Status copy_to_host(void* to, DeviceAddress from, size_t bytes, const Stream& stream) const;
  /// Queues setting bytes to `value`.
  Status fill(DeviceAddress to, unsigned char value, size_t bytes, const Stream& stream) const;

  /// `event` is done when all that `stream` was given so far is.
  Status record(const Event& event, const Stream& stream) const;
  Status record(const Event& event, ForeignStream stream) const;
  /// What `stream` is given from now on waits for `event` as it was last recorded. The host does not.
  Status wait(const Stream& stream, const Event& event) const;
  /// Whether the event is done. Never waits.
  Result<bool> is_done(const Event& event) const;

  /// The kernels of `image`: a fatbin, a cubin or PTX, which need not outlive the call. Slow where the driver
  /// has to compile. Errors also: unavailable, the image has nothing for this GPU or this driver. See
  /// module.h, which is what to use.
  Result<Owned<ModuleHandle>> load_module(const void* image) const;
  Result<FunctionHandle> find_kernel(const Owned<ModuleHandle>& module, const char* name) const;
  /// Queues a kernel. `arguments` point to one value for each of its parameters, a null after them; all is
  /// copied before this returns.
  Status launch(FunctionHandle kernel, Extent blocks, Extent threads, const Stream& stream,
                void** arguments) const;

  /// The host waits. Not for a loader's steady state.
  Status synchronize(const Stream& stream) const;
  Status synchronize(const Event& event) const;

 private:
  template <class Handle>
  friend class Owned;
  friend class CurrentDevice;

  Device(std::shared_ptr<const Driver> driver, int ordinal) : driver_(std::move(driver)), ordinal_(ordinal) {}
  template <class... P, class... A>
  Status call(const char* name, DriverStatus (*function)(P...), A... arguments) const;
  Status answer(const char* name, DriverStatus status) const;
  Error exhausted(const char* kind, size_t bytes) const;
  void release(DeviceAddress memory) const noexcept;
  void release(void* pinned) const noexcept;
  void release(StreamHandle stream) const noexcept;
  void release(EventHandle event) const noexcept;
  void release(ModuleHandle module) const noexcept;
  template <class Handle>
  void release_with(DriverStatus (*function)(Handle), Handle handle) const noexcept;

  std::shared_ptr<const Driver> driver_;
  int ordinal_;
  ContextHandle context_ = nullptr;
  mutable std::atomic<DriverStatus> lost_{DriverStatus::success};
};

/// The device's context as the calling thread's current one, for calls of a library that works with that;
/// what was current before is so again afterwards. Of one thread, and no longer than the device.
class CurrentDevice {
 public:
  explicit CurrentDevice(const Device& device);
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

  /// What the driver answered. Where it is not success, nothing is current.
  DriverStatus status() const noexcept { return pushed_; }

 private:
  const DriverApi& api_;
  const DriverStatus pushed_;
};

template <class Handle>
Owned<Handle>::~Owned() {
  if (handle_ != Handle{}) device_->release(handle_);
}

}  // namespace microtome::cuda
