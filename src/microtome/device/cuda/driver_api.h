// Our declarations of NVIDIA's driver interface (libcuda.so.1): what Microtome calls, and no more.
//
// Written from the CUDA Driver API's documentation; tests/abi compares every type, value and signature with
// cuda.h of CUDA 12 and 13. A symbol that ends in _v2 is what cuda.h's name without it stands for. Nothing
// here opens anything. Source: CUDA Driver API, https://docs.nvidia.com/cuda/cuda-driver-api/
#pragma once

#include <cstddef>

#include "microtome/device/cuda/api_table.h"

namespace microtome::cuda {

/// CUresult: the values that are told apart. Others come as they are.
enum class DriverStatus : unsigned {
  success = 0,
  invalid_value = 1,
  out_of_memory = 2,
  not_initialized = 3,  ///< Also: a process whose parent had initialised CUDA when it forked.
  deinitialized = 4,    ///< The process is ending.
  stub_library = 34,    ///< The toolkit's file to link with, not a driver.
  device_unavailable = 46,
  no_device = 100,
  invalid_device = 101,
  invalid_image = 200,
  invalid_context = 201,
  no_binary_for_gpu = 209,
  ecc_uncorrectable = 214,
  invalid_ptx = 218,
  nvlink_uncorrectable = 220,
  jit_compiler_not_found = 221,
  unsupported_ptx_version = 222,
  not_found = 500,
  not_ready = 600,
  illegal_address = 700,
  launch_timeout = 702,
  context_is_destroyed = 709,
  assert_failed = 710,
  hardware_stack_error = 714,
  illegal_instruction = 715,
  misaligned_address = 716,
  invalid_address_space = 717,
  invalid_pc = 718,
  launch_failed = 719,
  external_device = 911,
  system_not_ready = 802,
  system_driver_mismatch = 803,
};

/// CUdevice_attribute
enum class DeviceAttribute : unsigned {
  multiprocessor_count = 16,
  compute_capability_major = 75,
  compute_capability_minor = 76,
};

// The driver's objects. Only pointers to them exist here.
struct ContextObject;
struct StreamObject;
struct EventObject;
struct ModuleObject;
struct FunctionObject;
using ContextHandle = ContextObject*;
using StreamHandle = StreamObject*;  // cudaStream_t is the same type
using EventHandle = EventObject*;
using ModuleHandle = ModuleObject*;
using FunctionHandle = FunctionObject*;

using DeviceOrdinal = int;                 // CUdevice
using DeviceAddress = unsigned long long;  // CUdeviceptr: memory of a device, not to be touched by the host

inline constexpr unsigned kStreamNonBlocking =
    1;  // CU_STREAM_NON_BLOCKING: not ordered with the legacy stream
inline constexpr unsigned kEventDisableTiming = 2;  // CU_EVENT_DISABLE_TIMING
inline constexpr unsigned kHostAllocPortable = 1;   // CU_MEMHOSTALLOC_PORTABLE: pinned for every context

#define MICROTOME_DRIVER_API(X)                                                                              \
  X(required, cuInit, DriverStatus, (unsigned flags))                                                        \
  X(required, cuDriverGetVersion, DriverStatus, (int* version))                                              \
  X(required, cuGetErrorName, DriverStatus, (DriverStatus status, const char** name))                        \
  X(required, cuDeviceGetCount, DriverStatus, (int* count))                                                  \
  X(required, cuDeviceGet, DriverStatus, (DeviceOrdinal * device, int ordinal))                              \
  X(required, cuDeviceGetName, DriverStatus, (char* name, int length, DeviceOrdinal device))                 \
  X(required, cuDeviceGetAttribute, DriverStatus, (int* value, DeviceAttribute which, DeviceOrdinal device)) \
  X(required, cuDeviceTotalMem_v2, DriverStatus, (size_t * bytes, DeviceOrdinal device))                     \
  X(required, cuDevicePrimaryCtxRetain, DriverStatus, (ContextHandle * context, DeviceOrdinal device))       \
  X(required, cuDevicePrimaryCtxRelease_v2, DriverStatus, (DeviceOrdinal device))                            \
  X(required, cuCtxPushCurrent_v2, DriverStatus, (ContextHandle context))                                    \
  X(required, cuCtxPopCurrent_v2, DriverStatus, (ContextHandle * context))                                   \
  X(required, cuMemGetInfo_v2, DriverStatus, (size_t * free, size_t * total))                                \
  X(required, cuMemAlloc_v2, DriverStatus, (DeviceAddress * address, size_t bytes))                          \
  X(required, cuMemFree_v2, DriverStatus, (DeviceAddress address))                                           \
  X(required, cuMemHostAlloc, DriverStatus, (void** memory, size_t bytes, unsigned flags))                   \
  X(required, cuMemFreeHost, DriverStatus, (void* memory))                                                   \
  X(required, cuMemcpyHtoDAsync_v2, DriverStatus,                                                            \
    (DeviceAddress to, const void* from, size_t bytes, StreamHandle stream))                                 \
  X(required, cuMemcpyDtoHAsync_v2, DriverStatus,                                                            \
    (void* to, DeviceAddress from, size_t bytes, StreamHandle stream))                                       \
  X(required, cuMemsetD8Async, DriverStatus,                                                                 \
    (DeviceAddress to, unsigned char value, size_t bytes, StreamHandle stream))                              \
  X(required, cuStreamCreate, DriverStatus, (StreamHandle * stream, unsigned flags))                         \
  X(required, cuStreamDestroy_v2, DriverStatus, (StreamHandle stream))                                       \
  X(required, cuStreamWaitEvent, DriverStatus, (StreamHandle stream, EventHandle event, unsigned flags))     \
  X(required, cuStreamSynchronize, DriverStatus, (StreamHandle stream))                                      \
  X(required, cuEventCreate, DriverStatus, (EventHandle * event, unsigned flags))                            \
  X(required, cuEventDestroy_v2, DriverStatus, (EventHandle event))                                          \
  X(required, cuEventRecord, DriverStatus, (EventHandle event, StreamHandle stream))                         \
  X(required, cuEventQuery, DriverStatus, (EventHandle event))                                               \
  X(required, cuEventSynchronize, DriverStatus, (EventHandle event))                                         \
  X(required, cuModuleLoadData, DriverStatus, (ModuleHandle * module, const void* image))                    \
  X(required, cuModuleUnload, DriverStatus, (ModuleHandle module))                                           \
  X(required, cuModuleGetFunction, DriverStatus,                                                             \
    (FunctionHandle * function, ModuleHandle module, const char* name))                                      \
  X(required, cuLaunchKernel, DriverStatus,                                                                  \
    (FunctionHandle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,           \
     unsigned block_y, unsigned block_z, unsigned shared_bytes, StreamHandle stream, void** arguments,       \
     void** extra))

MICROTOME_API_TABLE(DriverApi, MICROTOME_DRIVER_API)

}  // namespace microtome::cuda
