// Our declarations of cuFile against NVIDIA's header: it compiles or it does not (tools/abi_check.py).
#include <cufile.h>

#include <cstddef>
#include <utility>

#include "microtome/device/cuda/cufile_api.h"
#include "tests/abi/same_abi.h"

namespace cuda = microtome::cuda;

MICROTOME_COUNTERPART(cuda::DriverStatus, CUresult);
MICROTOME_COUNTERPART(cuda::CufileStatus, CUfileOpError);
MICROTOME_COUNTERPART(cuda::CufileError, CUfileError_t);
MICROTOME_COUNTERPART(cuda::CufileKind, CUfileFileHandleType);
MICROTOME_COUNTERPART(cuda::CufileDescriptor, CUfileDescr_t);
MICROTOME_COUNTERPART(cuda::CufileProperties, CUfileDrvProps_t);

MICROTOME_SAME_VALUE(cuda::CufileStatus::success, CU_FILE_SUCCESS);
MICROTOME_SAME_VALUE(cuda::CufileStatus::driver_not_initialized, CU_FILE_DRIVER_NOT_INITIALIZED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::platform_not_supported, CU_FILE_PLATFORM_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::io_not_supported, CU_FILE_IO_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::device_not_supported, CU_FILE_DEVICE_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::cuda_driver_error, CU_FILE_CUDA_DRIVER_ERROR);
MICROTOME_SAME_VALUE(cuda::CufileStatus::pointer_invalid, CU_FILE_CUDA_POINTER_INVALID);
MICROTOME_SAME_VALUE(cuda::CufileStatus::direct_io_not_set, CU_FILE_DIO_NOT_SET);
MICROTOME_SAME_VALUE(cuda::CufileStatus::invalid_value, CU_FILE_INVALID_VALUE);
MICROTOME_SAME_VALUE(cuda::CufileStatus::memory_already_registered, CU_FILE_MEMORY_ALREADY_REGISTERED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::memory_not_registered, CU_FILE_MEMORY_NOT_REGISTERED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::driver_already_open, CU_FILE_DRIVER_ALREADY_OPEN);
MICROTOME_SAME_VALUE(cuda::CufileStatus::handle_not_registered, CU_FILE_HANDLE_NOT_REGISTERED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::handle_already_registered, CU_FILE_HANDLE_ALREADY_REGISTERED);
MICROTOME_SAME_VALUE(cuda::CufileStatus::internal_error, CU_FILE_INTERNAL_ERROR);
MICROTOME_SAME_VALUE(cuda::CufileKind::opaque_fd, CU_FILE_HANDLE_TYPE_OPAQUE_FD);

MICROTOME_SAME_STRUCT(cuda::CufileError, CUfileError_t);
MICROTOME_SAME_MEMBER(cuda::CufileError, status, CUfileError_t, err);
MICROTOME_SAME_MEMBER(cuda::CufileError, driver, CUfileError_t, cu_err);

MICROTOME_SAME_STRUCT(cuda::CufileDescriptor, CUfileDescr_t);
MICROTOME_SAME_MEMBER(cuda::CufileDescriptor, kind, CUfileDescr_t, type);
MICROTOME_SAME_MEMBER(cuda::CufileDescriptor, file.fd, CUfileDescr_t, handle.fd);
MICROTOME_SAME_MEMBER(cuda::CufileDescriptor, file.handle, CUfileDescr_t, handle.handle);
MICROTOME_SAME_MEMBER(cuda::CufileDescriptor, operations, CUfileDescr_t, fs_ops);

MICROTOME_SAME_STRUCT(cuda::CufileProperties, CUfileDrvProps_t);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, nvfs.major_version, CUfileDrvProps_t, nvfs.major_version);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, nvfs.minor_version, CUfileDrvProps_t, nvfs.minor_version);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, nvfs.poll_threshold_kb, CUfileDrvProps_t,
                      nvfs.poll_thresh_size);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, nvfs.max_direct_io_kb, CUfileDrvProps_t,
                      nvfs.max_direct_io_size);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, nvfs.status_flags, CUfileDrvProps_t, nvfs.dstatusflags);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, nvfs.control_flags, CUfileDrvProps_t, nvfs.dcontrolflags);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, feature_flags, CUfileDrvProps_t, fflags);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, max_device_cache_kb, CUfileDrvProps_t, max_device_cache_size);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, per_buffer_cache_kb, CUfileDrvProps_t, per_buffer_cache_size);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, max_pinned_kb, CUfileDrvProps_t, max_device_pinned_mem_size);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, max_batch_io, CUfileDrvProps_t, max_batch_io_size);
MICROTOME_SAME_MEMBER(cuda::CufileProperties, max_batch_io_timeout_ms, CUfileDrvProps_t,
                      max_batch_io_timeout_msecs);

namespace microtome::cuda {
MICROTOME_CUFILE_API(MICROTOME_SAME_FUNCTION)
}  // namespace microtome::cuda
