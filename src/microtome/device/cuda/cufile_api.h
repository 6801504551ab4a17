// Our declarations of cuFile (libcufile.so.0): reads from a file into device memory or pinned memory.
//
// Written from the cuFile API reference; tests/abi compares them with cufile.h of 1.14 (CUDA 12) and 1.20
// (CUDA 13). No process may fork once its driver is open. Synchronous reads alone: batched and stream-ordered
// ones need a configuration file where there is no nvidia-fs. Source:
// https://docs.nvidia.com/gpudirect-storage/api-reference-guide/
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "microtome/device/cuda/driver_api.h"

namespace microtome::cuda {

/// CUfileOpError: the values that are told apart.
enum class CufileStatus : unsigned {
  success = 0,
  driver_not_initialized = 5001,
  platform_not_supported = 5007,
  io_not_supported = 5008,
  device_not_supported = 5009,
  cuda_driver_error = 5011,
  pointer_invalid = 5012,
  direct_io_not_set = 5020,
  invalid_value = 5022,
  memory_already_registered = 5023,
  memory_not_registered = 5024,
  driver_already_open = 5026,
  handle_not_registered = 5027,
  handle_already_registered = 5028,
  internal_error = 5030,
};

/// CUfileError_t: returned by value.
struct CufileError {
  CufileStatus status;
  DriverStatus driver;  ///< Where `status` is cuda_driver_error.
};

/// enum CUfileFileHandleType
enum class CufileKind : unsigned { opaque_fd = 1 };

/// CUfileDescr_t
struct CufileDescriptor {
  CufileKind kind;
  union {
    int fd;
    void* handle;
  } file;
  const void* operations;  ///< Null: those of the file system.
};

/// CUfileDrvProps_t
struct CufileProperties {
  struct {
    unsigned major_version, minor_version;
    size_t poll_threshold_kb, max_direct_io_kb;
    unsigned status_flags, control_flags;
  } nvfs;
  unsigned feature_flags, max_device_cache_kb, per_buffer_cache_kb, max_pinned_kb;
  unsigned max_batch_io, max_batch_io_timeout_ms;
};

/// Bit of CufileProperties::feature_flags, CU_FILE_P2P_SUPPORTED: direct reads without nvidia-fs.
inline constexpr unsigned kCufilePeerToPeerBit = 4;

using CufileHandle = void*;

// A negative result of cuFileRead is -1 with errno set, or a CufileStatus with its sign turned.
#define MICROTOME_CUFILE_API(X)                                                                          \
  X(required, cuFileGetVersion, CufileError, (int* version))                                             \
  X(required, cuFileDriverOpen, CufileError, ())                                                         \
  X(required, cuFileDriverClose_v2, CufileError, ())                                                     \
  X(required, cuFileDriverGetProperties, CufileError, (CufileProperties * properties))                   \
  X(required, cuFileHandleRegister, CufileError, (CufileHandle * handle, CufileDescriptor * descriptor)) \
  X(required, cuFileHandleDeregister, void, (CufileHandle handle))                                       \
  X(required, cuFileBufRegister, CufileError, (const void* memory, size_t bytes, int flags))             \
  X(required, cuFileBufDeregister, CufileError, (const void* memory))                                    \
  X(required, cuFileRead, ssize_t,                                                                       \
    (CufileHandle handle, void* memory, size_t bytes, off_t file_offset, off_t memory_offset))

MICROTOME_API_TABLE(CufileApi, MICROTOME_CUFILE_API)

}  // namespace microtome::cuda
