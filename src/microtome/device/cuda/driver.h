// NVIDIA's driver, opened and initialised: what is there, and what its errors mean.
//
// The bindings open it when a CUDA device is asked for and keep the one; everything of CUDA goes through it.
// Knows nothing of pixels, codecs or Python. Thread-safe: immutable after open().
//
// Note [CUDA does not survive fork]
// A child of a process that has initialised CUDA cannot use it; NVIDIA's libraries then fail in ways that
// depend on the call. A Driver therefore remembers its process, and every call through a Device asks usable()
// first. Objects that a child inherits are dropped without a call to the driver: they are the parent's.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/cuda/driver_api.h"
#include "microtome/device/library.h"

namespace microtome::cuda {

/// The oldest interface that will do, 1000 * major + 10 * minor: that of driver 580, the first to load
/// kernels of CUDA 13.
inline constexpr int kOldestDriverVersion = 13000;

/// "13.0" of 13000.
std::string version_text(int version);

/// Where the driver is looked for: libcuda.so.1, or what MICROTOME_LIB_CUDA names.
LibraryName driver_name();

struct DeviceInfo {
  std::string name;
  int major = 0, minor = 0;  ///< Compute capability.
  int multiprocessors = 0;
  size_t memory_bytes = 0;
};

class Driver {
 public:
  /// Opens and initialises the driver. Slow on a machine that has one: tenths of a second.
  ///
  /// Errors  unavailable: no driver (each place looked at is named), one that is too old, lacks a function or
  /// cannot be
  ///         initialised, or no device. A later call looks again.
  static Result<std::shared_ptr<const Driver>> open();

  const DriverApi& api() const noexcept { return api_; }
  const std::string& path() const noexcept { return path_; }
  int version() const noexcept { return version_; }

  /// At least 1.
  const std::vector<DeviceInfo>& devices() const noexcept { return devices_; }

  /// Errors  unavailable: there is no device of this number; the message lists those there are.
  Status has_device(int ordinal) const;

  /// Errors  unavailable: this process is a child of the one that opened the driver.
  Status usable() const;

  /// Whether usable(), for destructors.
  bool is_own_process() const noexcept;

  /// "CUDA_ERROR_ILLEGAL_ADDRESS (700)"
  std::string status_text(DriverStatus status) const;

 private:
  explicit Driver(std::string path) : path_(std::move(path)) {}
  Status initialise();

  DriverApi api_;
  std::string path_;
  int version_ = 0;
  std::vector<DeviceInfo> devices_;
  pid_t process_ = 0;
};

}  // namespace microtome::cuda
