// Our declarations of nvJPEG (libnvjpeg.so.13 or .12): batched decoding, and the decoupled calls where no
// engine is.
//
// Written from nvJPEG's documentation; tests/abi compares them with nvjpeg.h of CUDA 12 and 13. A handle may
// be used by many threads and belongs to the device that was current when it was made; states, streams and
// buffers serve one thread. Source: https://docs.nvidia.com/cuda/nvjpeg/
#pragma once

#include <cstddef>

#include "microtome/device/cuda/driver_api.h"

namespace microtome::cuda {

/// nvjpegStatus_t
enum class NvjpegStatus : unsigned {
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
  incomplete_bitstream = 10,
};

/// nvjpegBackend_t
enum class NvjpegBackend : unsigned {
  standard = 0,           ///< NVJPEG_BACKEND_DEFAULT
  hybrid = 1,             ///< Huffman codes on the CPU, transform on the GPU.
  gpu_hybrid = 2,         ///< Both on the GPU's multiprocessors.
  hardware = 3,           ///< The decoding engines, from host memory.
  gpu_hybrid_device = 4,  ///< As gpu_hybrid, from device memory; batched, baseline, no restart intervals.
  hardware_device = 5,    ///< As hardware, from device memory; batched.
};

/// nvjpegOutputFormat_t
enum class NvjpegOutput : unsigned { unchanged = 0, y = 2, rgb_interleaved = 5 };

/// nvjpegChromaSubsampling_t
enum class NvjpegSampling : int {
  css_444 = 0,
  css_422 = 1,
  css_420 = 2,
  css_440 = 3,
  css_411 = 4,
  css_410 = 5,
  grey = 6,
  css_410v = 7,
  unknown = -1,
};

/// libraryPropertyType, which nvJPEG and nvJPEG2000 share.
enum class LibraryProperty : unsigned { major_version = 0, minor_version = 1, patch_level = 2 };

/// nvjpegImage_t: planes in device memory.
struct NvjpegImage {
  unsigned char* channel[4];
  size_t pitch[4];
};

/// nvjpegDevAllocatorV2_t: returns 0, or anything else for failure.
struct NvjpegDeviceAllocator {
  int (*allocate)(void* context, void** memory, size_t bytes, StreamHandle stream);
  int (*release)(void* context, void* memory, size_t bytes, StreamHandle stream);
  void* context;
};

/// nvjpegPinnedAllocatorV2_t
struct NvjpegPinnedAllocator {
  int (*allocate)(void* context, void** memory, size_t bytes, StreamHandle stream);
  int (*release)(void* context, void* memory, size_t bytes, StreamHandle stream);
  void* context;
};

struct NvjpegObject;
struct NvjpegStateObject;
struct NvjpegStreamObject;
struct NvjpegParamsObject;
struct NvjpegDecoderObject;
struct NvjpegPinnedObject;
struct NvjpegDeviceObject;
using NvjpegHandle = NvjpegObject*;
using NvjpegState = NvjpegStateObject*;
using NvjpegStream = NvjpegStreamObject*;  // a parsed bit stream, not a CUDA stream
using NvjpegParams = NvjpegParamsObject*;
using NvjpegDecoder = NvjpegDecoderObject*;
using NvjpegPinnedBuffer = NvjpegPinnedObject*;
using NvjpegDeviceBuffer = NvjpegDeviceObject*;

inline constexpr unsigned kNvjpegHwDecodeNoPipeline = 1;  // NVJPEG_FLAGS_HW_DECODE_NO_PIPELINE
inline constexpr unsigned kNvjpegBitstreamStrict = 4;     // NVJPEG_FLAGS_BITSTREAM_STRICT

// nvjpegDecodeBatchedSupported answers 0 for a stream that it supports.
#define MICROTOME_NVJPEG_API(X)                                                                              \
  X(required, nvjpegGetProperty, NvjpegStatus, (LibraryProperty which, int* value))                          \
  X(required, nvjpegCreateExV2, NvjpegStatus,                                                                \
    (NvjpegBackend backend, NvjpegDeviceAllocator * device, NvjpegPinnedAllocator * pinned, unsigned flags,  \
     NvjpegHandle* handle))                                                                                  \
  X(required, nvjpegDestroy, NvjpegStatus, (NvjpegHandle handle))                                            \
  X(optional, nvjpegGetHardwareDecoderInfo, NvjpegStatus,                                                    \
    (NvjpegHandle handle, unsigned* engines, unsigned* cores_per_engine))                                    \
  X(required, nvjpegJpegStateCreate, NvjpegStatus, (NvjpegHandle handle, NvjpegState * state))               \
  X(required, nvjpegJpegStateDestroy, NvjpegStatus, (NvjpegState state))                                     \
  X(required, nvjpegDecodeBatchedInitialize, NvjpegStatus,                                                   \
    (NvjpegHandle handle, NvjpegState state, int batch, int cpu_threads, NvjpegOutput output))               \
  X(required, nvjpegDecodeBatched, NvjpegStatus,                                                             \
    (NvjpegHandle handle, NvjpegState state, const unsigned char* const* data, const size_t* lengths,        \
     NvjpegImage* images, StreamHandle stream))                                                              \
  X(optional, nvjpegDecodeBatchedSupported, NvjpegStatus,                                                    \
    (NvjpegHandle handle, NvjpegStream stream, int* no))                                                     \
  X(optional, nvjpegDecodeBatchedPreAllocate, NvjpegStatus,                                                  \
    (NvjpegHandle handle, NvjpegState state, int batch, int width, int height, NvjpegSampling sampling,      \
     NvjpegOutput output))                                                                                   \
  X(required, nvjpegJpegStreamCreate, NvjpegStatus, (NvjpegHandle handle, NvjpegStream * stream))            \
  X(required, nvjpegJpegStreamDestroy, NvjpegStatus, (NvjpegStream stream))                                  \
  X(required, nvjpegJpegStreamParse, NvjpegStatus,                                                           \
    (NvjpegHandle handle, const unsigned char* data, size_t length, int save_metadata, int save_stream,      \
     NvjpegStream stream))                                                                                   \
  X(required, nvjpegDecodeParamsCreate, NvjpegStatus, (NvjpegHandle handle, NvjpegParams * params))          \
  X(required, nvjpegDecodeParamsDestroy, NvjpegStatus, (NvjpegParams params))                                \
  X(required, nvjpegDecodeParamsSetOutputFormat, NvjpegStatus, (NvjpegParams params, NvjpegOutput output))   \
  X(required, nvjpegDecoderCreate, NvjpegStatus,                                                             \
    (NvjpegHandle handle, NvjpegBackend backend, NvjpegDecoder * decoder))                                   \
  X(required, nvjpegDecoderDestroy, NvjpegStatus, (NvjpegDecoder decoder))                                   \
  X(required, nvjpegDecoderJpegSupported, NvjpegStatus,                                                      \
    (NvjpegDecoder decoder, NvjpegStream stream, NvjpegParams params, int* no))                              \
  X(required, nvjpegDecoderStateCreate, NvjpegStatus,                                                        \
    (NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState * state))                                       \
  X(required, nvjpegBufferPinnedCreateV2, NvjpegStatus,                                                      \
    (NvjpegHandle handle, NvjpegPinnedAllocator * pinned, NvjpegPinnedBuffer * buffer))                      \
  X(required, nvjpegBufferPinnedDestroy, NvjpegStatus, (NvjpegPinnedBuffer buffer))                          \
  X(required, nvjpegBufferDeviceCreateV2, NvjpegStatus,                                                      \
    (NvjpegHandle handle, NvjpegDeviceAllocator * device, NvjpegDeviceBuffer * buffer))                      \
  X(required, nvjpegBufferDeviceDestroy, NvjpegStatus, (NvjpegDeviceBuffer buffer))                          \
  X(required, nvjpegStateAttachPinnedBuffer, NvjpegStatus, (NvjpegState state, NvjpegPinnedBuffer buffer))   \
  X(required, nvjpegStateAttachDeviceBuffer, NvjpegStatus, (NvjpegState state, NvjpegDeviceBuffer buffer))   \
  X(required, nvjpegDecodeJpegHost, NvjpegStatus,                                                            \
    (NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState state, NvjpegParams params,                     \
     NvjpegStream stream))                                                                                   \
  X(required, nvjpegDecodeJpegTransferToDevice, NvjpegStatus,                                                \
    (NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState state, NvjpegStream stream, StreamHandle cuda)) \
  X(required, nvjpegDecodeJpegDevice, NvjpegStatus,                                                          \
    (NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState state, NvjpegImage * image, StreamHandle cuda))

MICROTOME_API_TABLE(NvjpegApi, MICROTOME_NVJPEG_API)

}  // namespace microtome::cuda
