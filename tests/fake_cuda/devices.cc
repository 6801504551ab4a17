// The fake driver: version, devices, contexts.
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "tests/fake_cuda/state.h"

namespace fake {
namespace {

thread_local std::vector<microtome::cuda::ContextHandle> context_stack;

bool is_device(int device) {
  const std::lock_guard lock(state().mutex);
  return device >= 0 && device < state().settings.devices;
}

}  // namespace

microtome::cuda::ContextObject* current_context() {
  if (!context_stack.empty()) return context_stack.back();
  const std::lock_guard lock(state().mutex);
  ++state().report.foreign_calls;
  return nullptr;
}

}  // namespace fake

namespace microtome::cuda {

DriverStatus cuInit(unsigned flags) {
  FAKE_ENTER("cuInit", false);
  fake::State& s = fake::state();
  const std::lock_guard lock(s.mutex);
  if (flags != 0) return DriverStatus::invalid_value;
  if (s.settings.init) return static_cast<DriverStatus>(s.settings.init);
  if (s.settings.devices == 0) return DriverStatus::no_device;
  if (s.process != 0 && s.process != ::getpid()) return DriverStatus::not_initialized;  // a forked child
  s.process = ::getpid();
  return DriverStatus::success;
}

DriverStatus cuDriverGetVersion(int* version) {
  FAKE_ENTER("cuDriverGetVersion", false);
  const std::lock_guard lock(fake::state().mutex);
  *version = static_cast<int>(fake::state().settings.driver);
  return DriverStatus::success;
}

DriverStatus cuGetErrorName(DriverStatus status, const char** name) {
  switch (status) {
    case DriverStatus::success:
      *name = "CUDA_SUCCESS";
      break;
    case DriverStatus::invalid_value:
      *name = "CUDA_ERROR_INVALID_VALUE";
      break;
    case DriverStatus::out_of_memory:
      *name = "CUDA_ERROR_OUT_OF_MEMORY";
      break;
    case DriverStatus::not_initialized:
      *name = "CUDA_ERROR_NOT_INITIALIZED";
      break;
    case DriverStatus::no_device:
      *name = "CUDA_ERROR_NO_DEVICE";
      break;
    case DriverStatus::illegal_address:
      *name = "CUDA_ERROR_ILLEGAL_ADDRESS";
      break;
    case DriverStatus::system_driver_mismatch:
      *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH";
      break;
    default:
      *name = nullptr;
      return DriverStatus::invalid_value;
  }
  return DriverStatus::success;
}

DriverStatus cuDeviceGetCount(int* count) {
  FAKE_ENTER("cuDeviceGetCount");
  const std::lock_guard lock(fake::state().mutex);
  *count = static_cast<int>(fake::state().settings.devices);
  return DriverStatus::success;
}

DriverStatus cuDeviceGet(DeviceOrdinal* device, int ordinal) {
  FAKE_ENTER("cuDeviceGet");
  if (!fake::is_device(ordinal)) return DriverStatus::invalid_device;
  *device = ordinal;
  return DriverStatus::success;
}

/// Benchmarks refuse a device whose name begins with FAKE.
DriverStatus cuDeviceGetName(char* name, int length, DeviceOrdinal device) {
  FAKE_ENTER("cuDeviceGetName");
  if (!fake::is_device(device)) return DriverStatus::invalid_device;
  std::snprintf(name, static_cast<size_t>(length), "FAKE GPU %d of the tests", device);
  return DriverStatus::success;
}

DriverStatus cuDeviceGetAttribute(int* value, DeviceAttribute which, DeviceOrdinal device) {
  FAKE_ENTER("cuDeviceGetAttribute");
  if (!fake::is_device(device)) return DriverStatus::invalid_device;
  switch (which) {
    case DeviceAttribute::compute_capability_major:
      *value = 9;
      return DriverStatus::success;
    case DeviceAttribute::compute_capability_minor:
      *value = 0;
      return DriverStatus::success;
    case DeviceAttribute::multiprocessor_count:
      *value = 4;
      return DriverStatus::success;
  }
  return DriverStatus::invalid_value;
}

DriverStatus cuDeviceTotalMem_v2(size_t* bytes, DeviceOrdinal device) {
  FAKE_ENTER("cuDeviceTotalMem_v2");
  if (!fake::is_device(device)) return DriverStatus::invalid_device;
  const std::lock_guard lock(fake::state().mutex);
  *bytes = static_cast<size_t>(fake::state().settings.memory);
  return DriverStatus::success;
}

DriverStatus cuDevicePrimaryCtxRetain(ContextHandle* context, DeviceOrdinal device) {
  FAKE_ENTER("cuDevicePrimaryCtxRetain");
  if (!fake::is_device(device)) return DriverStatus::invalid_device;
  const std::lock_guard lock(fake::state().mutex);
  // `device` is written once: other threads read it without the mutex.
  ContextObject& object = fake::state().contexts.try_emplace(device, ContextObject{device}).first->second;
  ++object.retained;
  *context = &object;
  return DriverStatus::success;
}

DriverStatus cuDevicePrimaryCtxRelease_v2(DeviceOrdinal device) {
  FAKE_ENTER("cuDevicePrimaryCtxRelease_v2");
  const std::lock_guard lock(fake::state().mutex);
  const auto found = fake::state().contexts.find(device);
  if (found == fake::state().contexts.end() || found->second.retained == 0)
    return DriverStatus::invalid_context;
  --found->second.retained;
  return DriverStatus::success;
}

DriverStatus cuCtxPushCurrent_v2(ContextHandle context) {
  FAKE_ENTER("cuCtxPushCurrent_v2");
  {
    const std::lock_guard lock(fake::state().mutex);
    if (!context || context->retained == 0) return DriverStatus::context_is_destroyed;
  }
  fake::context_stack.push_back(context);
  return DriverStatus::success;
}

DriverStatus cuCtxPopCurrent_v2(ContextHandle* context) {
  if (fake::context_stack.empty()) return DriverStatus::invalid_context;
  *context = fake::context_stack.back();
  fake::context_stack
      .pop_back();  // also where the call is made to fail: the test's next call wants an empty stack
  FAKE_ENTER("cuCtxPopCurrent_v2");
  return DriverStatus::success;
}

}  // namespace microtome::cuda
