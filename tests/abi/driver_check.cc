// Our declarations of the CUDA driver against NVIDIA's cuda.h: it compiles or it does not
// (tools/abi_check.py).
#include <cuda.h>

#include "microtome/device/cuda/driver_api.h"
#include "tests/abi/same_abi.h"

namespace cuda = microtome::cuda;

MICROTOME_COUNTERPART(cuda::DriverStatus, CUresult);
MICROTOME_COUNTERPART(cuda::DeviceAttribute, CUdevice_attribute);
MICROTOME_COUNTERPART(cuda::ContextObject, CUctx_st);
MICROTOME_COUNTERPART(cuda::StreamObject, CUstream_st);
MICROTOME_COUNTERPART(cuda::EventObject, CUevent_st);
MICROTOME_COUNTERPART(cuda::ModuleObject, CUmod_st);
MICROTOME_COUNTERPART(cuda::FunctionObject, CUfunc_st);

static_assert(std::is_same_v<cuda::DeviceOrdinal, CUdevice>);
static_assert(std::is_same_v<cuda::DeviceAddress, CUdeviceptr>);

MICROTOME_SAME_VALUE(cuda::DriverStatus::success, CUDA_SUCCESS);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_value, CUDA_ERROR_INVALID_VALUE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::out_of_memory, CUDA_ERROR_OUT_OF_MEMORY);
MICROTOME_SAME_VALUE(cuda::DriverStatus::not_initialized, CUDA_ERROR_NOT_INITIALIZED);
MICROTOME_SAME_VALUE(cuda::DriverStatus::deinitialized, CUDA_ERROR_DEINITIALIZED);
MICROTOME_SAME_VALUE(cuda::DriverStatus::stub_library, CUDA_ERROR_STUB_LIBRARY);
MICROTOME_SAME_VALUE(cuda::DriverStatus::device_unavailable, CUDA_ERROR_DEVICE_UNAVAILABLE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::no_device, CUDA_ERROR_NO_DEVICE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_device, CUDA_ERROR_INVALID_DEVICE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_image, CUDA_ERROR_INVALID_IMAGE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_context, CUDA_ERROR_INVALID_CONTEXT);
MICROTOME_SAME_VALUE(cuda::DriverStatus::no_binary_for_gpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_ptx, CUDA_ERROR_INVALID_PTX);
MICROTOME_SAME_VALUE(cuda::DriverStatus::jit_compiler_not_found, CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
MICROTOME_SAME_VALUE(cuda::DriverStatus::unsupported_ptx_version, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
MICROTOME_SAME_VALUE(cuda::DriverStatus::ecc_uncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::nvlink_uncorrectable, CUDA_ERROR_NVLINK_UNCORRECTABLE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::not_found, CUDA_ERROR_NOT_FOUND);
MICROTOME_SAME_VALUE(cuda::DriverStatus::not_ready, CUDA_ERROR_NOT_READY);
MICROTOME_SAME_VALUE(cuda::DriverStatus::illegal_address, CUDA_ERROR_ILLEGAL_ADDRESS);
MICROTOME_SAME_VALUE(cuda::DriverStatus::launch_timeout, CUDA_ERROR_LAUNCH_TIMEOUT);
MICROTOME_SAME_VALUE(cuda::DriverStatus::context_is_destroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED);
MICROTOME_SAME_VALUE(cuda::DriverStatus::assert_failed, CUDA_ERROR_ASSERT);
MICROTOME_SAME_VALUE(cuda::DriverStatus::hardware_stack_error, CUDA_ERROR_HARDWARE_STACK_ERROR);
MICROTOME_SAME_VALUE(cuda::DriverStatus::illegal_instruction, CUDA_ERROR_ILLEGAL_INSTRUCTION);
MICROTOME_SAME_VALUE(cuda::DriverStatus::misaligned_address, CUDA_ERROR_MISALIGNED_ADDRESS);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_address_space, CUDA_ERROR_INVALID_ADDRESS_SPACE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::invalid_pc, CUDA_ERROR_INVALID_PC);
MICROTOME_SAME_VALUE(cuda::DriverStatus::launch_failed, CUDA_ERROR_LAUNCH_FAILED);
MICROTOME_SAME_VALUE(cuda::DriverStatus::external_device, CUDA_ERROR_EXTERNAL_DEVICE);
MICROTOME_SAME_VALUE(cuda::DriverStatus::system_not_ready, CUDA_ERROR_SYSTEM_NOT_READY);
MICROTOME_SAME_VALUE(cuda::DriverStatus::system_driver_mismatch, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);

MICROTOME_SAME_VALUE(cuda::DeviceAttribute::multiprocessor_count, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
MICROTOME_SAME_VALUE(cuda::DeviceAttribute::compute_capability_major,
                     CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
MICROTOME_SAME_VALUE(cuda::DeviceAttribute::compute_capability_minor,
                     CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);

static_assert(cuda::kStreamNonBlocking == CU_STREAM_NON_BLOCKING);
static_assert(cuda::kEventDisableTiming == CU_EVENT_DISABLE_TIMING);
static_assert(cuda::kHostAllocPortable == CU_MEMHOSTALLOC_PORTABLE);

namespace microtome::cuda {
MICROTOME_DRIVER_API(MICROTOME_SAME_FUNCTION)
}  // namespace microtome::cuda
