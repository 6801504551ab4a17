#include "microtome/device/cuda/driver.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "microtome/base/fail.h"

namespace microtome::cuda {
namespace {

std::string listed(const std::vector<DeviceInfo>& devices) {
  std::string text;
  for (size_t i = 0; i < devices.size(); ++i)
    text += fmt::format("{}cuda:{} {}", i ? ", " : "", i, devices[i].name);
  return text;
}

/// What a user can do about an initialisation that failed.
std::string_view advice(DriverStatus status) {
  switch (status) {
    case DriverStatus::no_device:
      return "No device is visible: none is there, or CUDA_VISIBLE_DEVICES hides it, or a container was "
             "started without "
             "it.";
    case DriverStatus::not_initialized:
      return "A child of a process that used CUDA before it forked gets this: start processes with the "
             "method "
             "\"spawn\" or \"forkserver\".";
    case DriverStatus::stub_library:
      return "It is the stub that programs are linked with, not a driver: look for a folder \"stubs\" in "
             "LD_LIBRARY_PATH.";
    case DriverStatus::system_driver_mismatch:
      return "The library and the kernel's module are of different versions: the driver was updated, and the "
             "machine "
             "not started anew.";
    case DriverStatus::system_not_ready:
      return "A service that the system needs is not running, such as NVIDIA's fabric manager.";
    default:
      return "nvidia-smi may say more.";
  }
}

}  // namespace

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

LibraryName driver_name() {
  return {"NVIDIA's driver",
          {"libcuda.so.1"},
          "MICROTOME_LIB_CUDA",
          "It comes with NVIDIA's GPU driver, never from PyPI"};
}

Result<std::shared_ptr<const Driver>> Driver::open() {
  // In the Windows Subsystem for Linux the driver is where no loader looks by itself.
  MICROTOME_ASSIGN(const Library library, Library::open(driver_name(), {{}, {"/usr/lib/wsl/lib"}}));
  const std::shared_ptr<Driver> driver(new Driver(library.path()));
  const std::vector<std::string> missing =
      driver->api_.fill([&](const char* name) { return library.symbol(name); });
  if (!missing.empty())
    return unavailable("NVIDIA's driver {} lacks {}: it is older than 580, or not NVIDIA's", library.path(),
                       fmt::join(missing, ", "));
  MICROTOME_TRY(driver->initialise());
  return std::shared_ptr<const Driver>(driver);
}

Status Driver::initialise() {
  process_ = ::getpid();
  const auto must = [&](const char* call, DriverStatus status) -> Status {
    if (status == DriverStatus::success) return {};
    return unavailable("NVIDIA's driver {} does not start: {} answered {}. {}", path_, call,
                       status_text(status), advice(status));
  };
  // The version is told without initialisation; a driver that is too old should say so rather than fail in
  // its own way.
  MICROTOME_TRY(must("cuDriverGetVersion", api_.cuDriverGetVersion(&version_)));
  if (version_ < kOldestDriverVersion)
    return unavailable(
        "NVIDIA's driver {} is too old: it knows CUDA {}, expected {} or newer, which is driver 580", path_,
        version_text(version_), version_text(kOldestDriverVersion));
  MICROTOME_TRY(must("cuInit", api_.cuInit(0)));
  int count = 0;
  MICROTOME_TRY(must("cuDeviceGetCount", api_.cuDeviceGetCount(&count)));
  if (count < 1) MICROTOME_TRY(must("cuDeviceGetCount", DriverStatus::no_device));
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    DeviceInfo info;
    DeviceOrdinal device = 0;
    std::array<char, 256> name{};
    MICROTOME_TRY(must("cuDeviceGet", api_.cuDeviceGet(&device, ordinal)));
    MICROTOME_TRY(must("cuDeviceGetName",
                       api_.cuDeviceGetName(name.data(), static_cast<int>(name.size()) - 1, device)));
    MICROTOME_TRY(must("cuDeviceTotalMem_v2", api_.cuDeviceTotalMem_v2(&info.memory_bytes, device)));
    for (const auto& [which, value] :
         {std::pair{DeviceAttribute::compute_capability_major, &info.major},
          std::pair{DeviceAttribute::compute_capability_minor, &info.minor},
          std::pair{DeviceAttribute::multiprocessor_count, &info.multiprocessors}})
      MICROTOME_TRY(must("cuDeviceGetAttribute", api_.cuDeviceGetAttribute(value, which, device)));
    info.name = name.data();
    devices_.push_back(std::move(info));
  }
  return {};
}

Status Driver::has_device(int ordinal) const {
  if (ordinal >= 0 && std::cmp_less(ordinal, devices_.size())) return {};
  return unavailable("there is no cuda:{}; there is {}", ordinal, listed(devices_));
}

Status Driver::usable() const {
  if (is_own_process()) return {};
  return unavailable(
      "CUDA was initialised in process {} and cannot be used in {}, a child of it made by fork: start "
      "processes with the "
      "method \"spawn\" or \"forkserver\"",
      process_, ::getpid());
}

bool Driver::is_own_process() const noexcept {
  return ::getpid() == process_;
}

std::string Driver::status_text(DriverStatus status) const {
  const char* name = nullptr;
  const auto number = static_cast<unsigned>(status);
  if (api_.cuGetErrorName(status, &name) != DriverStatus::success || !name)
    return fmt::format("error {}", number);
  return fmt::format("{} ({})", name, number);
}

}  // namespace microtome::cuda
