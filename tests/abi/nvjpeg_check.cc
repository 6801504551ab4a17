// Our declarations of nvJPEG and nvJPEG2000 against NVIDIA's headers: it compiles or it does not
// (tools/abi_check.py).
#include <nvjpeg.h>
#include <nvjpeg2k.h>

#include <cstddef>
#include <utility>

#include "microtome/device/cuda/nvjpeg2k_api.h"
#include "microtome/device/cuda/nvjpeg_api.h"
#include "tests/abi/same_abi.h"

namespace cuda = microtome::cuda;

MICROTOME_COUNTERPART(cuda::StreamObject, CUstream_st);
MICROTOME_COUNTERPART(cuda::LibraryProperty, libraryPropertyType);

MICROTOME_COUNTERPART(cuda::NvjpegStatus, nvjpegStatus_t);
MICROTOME_COUNTERPART(cuda::NvjpegBackend, nvjpegBackend_t);
MICROTOME_COUNTERPART(cuda::NvjpegOutput, nvjpegOutputFormat_t);
MICROTOME_COUNTERPART(cuda::NvjpegSampling, nvjpegChromaSubsampling_t);
MICROTOME_COUNTERPART(cuda::NvjpegImage, nvjpegImage_t);
MICROTOME_COUNTERPART(cuda::NvjpegDeviceAllocator, nvjpegDevAllocatorV2_t);
MICROTOME_COUNTERPART(cuda::NvjpegPinnedAllocator, nvjpegPinnedAllocatorV2_t);
MICROTOME_COUNTERPART(cuda::NvjpegObject, nvjpegHandle);
MICROTOME_COUNTERPART(cuda::NvjpegStateObject, nvjpegJpegState);
MICROTOME_COUNTERPART(cuda::NvjpegStreamObject, nvjpegJpegStream);
MICROTOME_COUNTERPART(cuda::NvjpegParamsObject, nvjpegDecodeParams);
MICROTOME_COUNTERPART(cuda::NvjpegDecoderObject, nvjpegJpegDecoder);
MICROTOME_COUNTERPART(cuda::NvjpegPinnedObject, nvjpegBufferPinned);
MICROTOME_COUNTERPART(cuda::NvjpegDeviceObject, nvjpegBufferDevice);

MICROTOME_COUNTERPART(cuda::Nvjpeg2kStatus, nvjpeg2kStatus_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kBackend, nvjpeg2kBackend_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kType, nvjpeg2kImageType_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kImage, nvjpeg2kImage_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kImageInfo, nvjpeg2kImageInfo_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kComponentInfo, nvjpeg2kImageComponentInfo_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kDeviceAllocator, nvjpeg2kDeviceAllocatorV2_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kPinnedAllocator, nvjpeg2kPinnedAllocatorV2_t);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kObject, nvjpeg2kHandle);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kStateObject, nvjpeg2kDecodeState);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kStreamObject, nvjpeg2kStream);
MICROTOME_COUNTERPART(cuda::Nvjpeg2kParamsObject, nvjpeg2kDecodeParams);

MICROTOME_SAME_VALUE(cuda::LibraryProperty::major_version, MAJOR_VERSION);
MICROTOME_SAME_VALUE(cuda::LibraryProperty::minor_version, MINOR_VERSION);
MICROTOME_SAME_VALUE(cuda::LibraryProperty::patch_level, PATCH_LEVEL);

MICROTOME_SAME_VALUE(cuda::NvjpegStatus::success, NVJPEG_STATUS_SUCCESS);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::not_initialized, NVJPEG_STATUS_NOT_INITIALIZED);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::invalid_parameter, NVJPEG_STATUS_INVALID_PARAMETER);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::bad_jpeg, NVJPEG_STATUS_BAD_JPEG);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::jpeg_not_supported, NVJPEG_STATUS_JPEG_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::allocator_failure, NVJPEG_STATUS_ALLOCATOR_FAILURE);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::execution_failed, NVJPEG_STATUS_EXECUTION_FAILED);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::arch_mismatch, NVJPEG_STATUS_ARCH_MISMATCH);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::internal_error, NVJPEG_STATUS_INTERNAL_ERROR);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::implementation_not_supported,
                     NVJPEG_STATUS_IMPLEMENTATION_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::NvjpegStatus::incomplete_bitstream, NVJPEG_STATUS_INCOMPLETE_BITSTREAM);

MICROTOME_SAME_VALUE(cuda::NvjpegBackend::standard, NVJPEG_BACKEND_DEFAULT);
MICROTOME_SAME_VALUE(cuda::NvjpegBackend::hybrid, NVJPEG_BACKEND_HYBRID);
MICROTOME_SAME_VALUE(cuda::NvjpegBackend::gpu_hybrid, NVJPEG_BACKEND_GPU_HYBRID);
MICROTOME_SAME_VALUE(cuda::NvjpegBackend::hardware, NVJPEG_BACKEND_HARDWARE);
MICROTOME_SAME_VALUE(cuda::NvjpegBackend::gpu_hybrid_device, NVJPEG_BACKEND_GPU_HYBRID_DEVICE);
MICROTOME_SAME_VALUE(cuda::NvjpegBackend::hardware_device, NVJPEG_BACKEND_HARDWARE_DEVICE);

MICROTOME_SAME_VALUE(cuda::NvjpegOutput::unchanged, NVJPEG_OUTPUT_UNCHANGED);
MICROTOME_SAME_VALUE(cuda::NvjpegOutput::y, NVJPEG_OUTPUT_Y);
MICROTOME_SAME_VALUE(cuda::NvjpegOutput::rgb_interleaved, NVJPEG_OUTPUT_RGBI);

MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_444, NVJPEG_CSS_444);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_422, NVJPEG_CSS_422);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_420, NVJPEG_CSS_420);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_440, NVJPEG_CSS_440);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_411, NVJPEG_CSS_411);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_410, NVJPEG_CSS_410);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::grey, NVJPEG_CSS_GRAY);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::css_410v, NVJPEG_CSS_410V);
MICROTOME_SAME_VALUE(cuda::NvjpegSampling::unknown, NVJPEG_CSS_UNKNOWN);

static_assert(cuda::kNvjpegHwDecodeNoPipeline == NVJPEG_FLAGS_HW_DECODE_NO_PIPELINE);
static_assert(cuda::kNvjpegBitstreamStrict == (NVJPEG_FLAGS_BITSTREAM_STRICT));

MICROTOME_SAME_STRUCT(cuda::NvjpegImage, nvjpegImage_t);
MICROTOME_SAME_MEMBER(cuda::NvjpegImage, channel, nvjpegImage_t, channel);
MICROTOME_SAME_MEMBER(cuda::NvjpegImage, pitch, nvjpegImage_t, pitch);
static_assert(std::extent_v<decltype(cuda::NvjpegImage::channel)> == NVJPEG_MAX_COMPONENT);

using Allocate = int (*)(void*, void**, size_t, cudaStream_t);
using Release = int (*)(void*, void*, size_t, cudaStream_t);
#define SAME_ALLOCATOR(ours, theirs, allocate_name, release_name, context_name)                    \
  MICROTOME_SAME_STRUCT(ours, theirs);                                                             \
  MICROTOME_SAME_MEMBER(ours, allocate, theirs, allocate_name);                                    \
  MICROTOME_SAME_MEMBER(ours, release, theirs, release_name);                                      \
  MICROTOME_SAME_MEMBER(ours, context, theirs, context_name);                                      \
  static_assert(microtome::abi::kSame<decltype(ours::allocate), decltype(theirs::allocate_name)>); \
  static_assert(microtome::abi::kSame<decltype(ours::release), decltype(theirs::release_name)>)
SAME_ALLOCATOR(cuda::NvjpegDeviceAllocator, nvjpegDevAllocatorV2_t, dev_malloc, dev_free, dev_ctx);
SAME_ALLOCATOR(cuda::NvjpegPinnedAllocator, nvjpegPinnedAllocatorV2_t, pinned_malloc, pinned_free,
               pinned_ctx);
SAME_ALLOCATOR(cuda::Nvjpeg2kDeviceAllocator, nvjpeg2kDeviceAllocatorV2_t, device_malloc, device_free,
               device_ctx);
SAME_ALLOCATOR(cuda::Nvjpeg2kPinnedAllocator, nvjpeg2kPinnedAllocatorV2_t, pinned_malloc, pinned_free,
               pinned_ctx);

MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::success, NVJPEG2K_STATUS_SUCCESS);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::not_initialized, NVJPEG2K_STATUS_NOT_INITIALIZED);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::invalid_parameter, NVJPEG2K_STATUS_INVALID_PARAMETER);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::bad_jpeg, NVJPEG2K_STATUS_BAD_JPEG);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::jpeg_not_supported, NVJPEG2K_STATUS_JPEG_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::allocator_failure, NVJPEG2K_STATUS_ALLOCATOR_FAILURE);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::execution_failed, NVJPEG2K_STATUS_EXECUTION_FAILED);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::arch_mismatch, NVJPEG2K_STATUS_ARCH_MISMATCH);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::internal_error, NVJPEG2K_STATUS_INTERNAL_ERROR);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kStatus::implementation_not_supported,
                     NVJPEG2K_STATUS_IMPLEMENTATION_NOT_SUPPORTED);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kBackend::standard, NVJPEG2K_BACKEND_DEFAULT);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kType::u8, NVJPEG2K_UINT8);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kType::u16, NVJPEG2K_UINT16);
MICROTOME_SAME_VALUE(cuda::Nvjpeg2kType::i16, NVJPEG2K_INT16);

MICROTOME_SAME_STRUCT(cuda::Nvjpeg2kImageInfo, nvjpeg2kImageInfo_t);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, image_width, nvjpeg2kImageInfo_t, image_width);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, image_height, nvjpeg2kImageInfo_t, image_height);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, tile_width, nvjpeg2kImageInfo_t, tile_width);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, tile_height, nvjpeg2kImageInfo_t, tile_height);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, tiles_x, nvjpeg2kImageInfo_t, num_tiles_x);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, tiles_y, nvjpeg2kImageInfo_t, num_tiles_y);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImageInfo, components, nvjpeg2kImageInfo_t, num_components);

MICROTOME_SAME_STRUCT(cuda::Nvjpeg2kComponentInfo, nvjpeg2kImageComponentInfo_t);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kComponentInfo, width, nvjpeg2kImageComponentInfo_t, component_width);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kComponentInfo, height, nvjpeg2kImageComponentInfo_t, component_height);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kComponentInfo, precision, nvjpeg2kImageComponentInfo_t, precision);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kComponentInfo, is_signed, nvjpeg2kImageComponentInfo_t, sgn);

MICROTOME_SAME_STRUCT(cuda::Nvjpeg2kImage, nvjpeg2kImage_t);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImage, planes, nvjpeg2kImage_t, pixel_data);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImage, pitch_bytes, nvjpeg2kImage_t, pitch_in_bytes);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImage, type, nvjpeg2kImage_t, pixel_type);
MICROTOME_SAME_MEMBER(cuda::Nvjpeg2kImage, components, nvjpeg2kImage_t, num_components);

namespace microtome::cuda {
MICROTOME_NVJPEG_API(MICROTOME_SAME_FUNCTION)
MICROTOME_NVJPEG2K_API(MICROTOME_SAME_FUNCTION)
}  // namespace microtome::cuda
