// Our declarations of nvJPEG2000 (libnvjpeg2k.so.0): whole images, one call each; there is no batched one.
//
// Written from nvJPEG2000's documentation; tests/abi compares them with nvjpeg2k.h of 0.11, for CUDA 12
// and 13. Source: https://docs.nvidia.com/cuda/nvjpeg2000/
#pragma once

#include <cstddef>
#include <cstdint>

#include "microtome/device/cuda/nvjpeg_api.h"

namespace microtome::cuda {

/// nvjpeg2kStatus_t
enum class Nvjpeg2kStatus : unsigned {
  success = 0,
  not_initialized = 1,
  invalid_parameter = 2,
  bad_jpeg = 3,
  jpeg_not_supported = 4,
  allocator_failure = 5,
  execution_failed = 6,
  arch_mismatch = 7,
  internal_error = 8,
  implementation_not_supported = 9,
};

/// nvjpeg2kBackend_t
enum class Nvjpeg2kBackend : unsigned { standard = 0 };

/// nvjpeg2kImageType_t
enum class Nvjpeg2kType : unsigned { u8 = 0, u16 = 1, i16 = 2 };

/// nvjpeg2kDeviceAllocatorV2_t and nvjpeg2kPinnedAllocatorV2_t
struct Nvjpeg2kDeviceAllocator {
  int (*allocate)(void* context, void** memory, size_t bytes, StreamHandle stream);
  int (*release)(void* context, void* memory, size_t bytes, StreamHandle stream);
  void* context;
};
struct Nvjpeg2kPinnedAllocator {
  int (*allocate)(void* context, void** memory, size_t bytes, StreamHandle stream);
  int (*release)(void* context, void* memory, size_t bytes, StreamHandle stream);
  void* context;
};

/// nvjpeg2kImageInfo_t
struct Nvjpeg2kImageInfo {
  uint32_t image_width, image_height, tile_width, tile_height, tiles_x, tiles_y, components;
};

/// nvjpeg2kImageComponentInfo_t
struct Nvjpeg2kComponentInfo {
  uint32_t width, height;
  uint8_t precision, is_signed;
};

/// nvjpeg2kImage_t: arrays of `components` pointers to device memory and pitches.
struct Nvjpeg2kImage {
  void** planes;
  size_t* pitch_bytes;
  Nvjpeg2kType type;
  uint32_t components;
};

struct Nvjpeg2kObject;
struct Nvjpeg2kStateObject;
struct Nvjpeg2kStreamObject;
struct Nvjpeg2kParamsObject;
using Nvjpeg2kHandle = Nvjpeg2kObject*;
using Nvjpeg2kState = Nvjpeg2kStateObject*;
using Nvjpeg2kStream = Nvjpeg2kStreamObject*;  // a parsed codestream
using Nvjpeg2kParams = Nvjpeg2kParamsObject*;

#define MICROTOME_NVJPEG2K_API(X)                                                                            \
  X(required, nvjpeg2kGetProperty, Nvjpeg2kStatus, (LibraryProperty which, int* value))                      \
  X(required, nvjpeg2kCreateV2, Nvjpeg2kStatus,                                                              \
    (Nvjpeg2kBackend backend, Nvjpeg2kDeviceAllocator * device, Nvjpeg2kPinnedAllocator * pinned,            \
     Nvjpeg2kHandle * handle))                                                                               \
  X(required, nvjpeg2kDestroy, Nvjpeg2kStatus, (Nvjpeg2kHandle handle))                                      \
  X(required, nvjpeg2kDecodeStateCreate, Nvjpeg2kStatus, (Nvjpeg2kHandle handle, Nvjpeg2kState * state))     \
  X(required, nvjpeg2kDecodeStateDestroy, Nvjpeg2kStatus, (Nvjpeg2kState state))                             \
  X(required, nvjpeg2kStreamCreate, Nvjpeg2kStatus, (Nvjpeg2kStream * stream))                               \
  X(required, nvjpeg2kStreamDestroy, Nvjpeg2kStatus, (Nvjpeg2kStream stream))                                \
  X(required, nvjpeg2kStreamParse, Nvjpeg2kStatus,                                                           \
    (Nvjpeg2kHandle handle, const unsigned char* data, size_t length, int save_metadata, int save_stream,    \
     Nvjpeg2kStream stream))                                                                                 \
  X(required, nvjpeg2kStreamGetImageInfo, Nvjpeg2kStatus, (Nvjpeg2kStream stream, Nvjpeg2kImageInfo * info)) \
  X(required, nvjpeg2kStreamGetImageComponentInfo, Nvjpeg2kStatus,                                           \
    (Nvjpeg2kStream stream, Nvjpeg2kComponentInfo * info, uint32_t component))                               \
  X(required, nvjpeg2kStreamGetResolutionsInTile, Nvjpeg2kStatus,                                            \
    (Nvjpeg2kStream stream, uint32_t tile, uint32_t * resolutions))                                          \
  X(required, nvjpeg2kDecodeParamsCreate, Nvjpeg2kStatus, (Nvjpeg2kParams * params))                         \
  X(required, nvjpeg2kDecodeParamsDestroy, Nvjpeg2kStatus, (Nvjpeg2kParams params))                          \
  X(required, nvjpeg2kDecodeParamsSetRGBOutput, Nvjpeg2kStatus, (Nvjpeg2kParams params, int32_t force_rgb))  \
  X(required, nvjpeg2kDecodeImage, Nvjpeg2kStatus,                                                           \
    (Nvjpeg2kHandle handle, Nvjpeg2kState state, Nvjpeg2kStream stream, Nvjpeg2kParams params,               \
     Nvjpeg2kImage * image, StreamHandle cuda))                                                              \
  X(required, nvjpeg2kDecodeTile, Nvjpeg2kStatus,                                                            \
    (Nvjpeg2kHandle handle, Nvjpeg2kState state, Nvjpeg2kStream stream, Nvjpeg2kParams params,               \
     uint32_t tile, uint32_t reduce, Nvjpeg2kImage * image, StreamHandle cuda))

MICROTOME_API_TABLE(Nvjpeg2kApi, MICROTOME_NVJPEG2K_API)

}  // namespace microtome::cuda
