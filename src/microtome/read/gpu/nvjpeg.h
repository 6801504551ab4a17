// nvJPEG on one device: the library, a handle, and decoders for pipelines made of them.
//
// Made when decoding on a device is first asked for, and shared by all pipelines of that device. nvJPEG's
// transform is not libjpeg-turbo's: samples may differ by one, now and then by more. What is taken from it is
// planes as the stream has them (its output "unchanged"): upsampling and colours are ours and exact, and it
// knows no RGB in JPEG anyway. Thread-safe. Source: nvJPEG's documentation.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "microtome/base/error.h"
#include "microtome/device/cuda/device.h"
#include "microtome/device/cuda/libraries.h"
#include "microtome/read/gpu/library_memory.h"
#include "microtome/read/gpu/stream_decoder.h"

namespace microtome::gpu {

/// What a call of nvJPEG answered, as the error of what it was asked for.
Error nvjpeg_error(const char* call, cuda::NvjpegStatus status);

/// Whether the answer concerns the picture rather than the library or the device.
bool is_of_picture(cuda::NvjpegStatus status) noexcept;

/// Where a picture's planes go, as nvJPEG is told.
cuda::NvjpegImage nvjpeg_image(const Picture& picture) noexcept;

class Nvjpeg : public std::enable_shared_from_this<Nvjpeg> {
 public:
  /// Errors  unavailable: the library is not found, or it refuses the device. out_of_memory.
  static Result<std::shared_ptr<Nvjpeg>> open(std::shared_ptr<const cuda::Device> device,
                                              const LibraryPlaces& places);
  ~Nvjpeg();
  Nvjpeg(const Nvjpeg&) = delete;
  Nvjpeg& operator=(const Nvjpeg&) = delete;

  const cuda::NvjpegApi& api() const noexcept { return library_.api; }
  cuda::NvjpegHandle handle() const noexcept { return handle_; }
  const cuda::Device& device() const noexcept { return *device_; }
  /// That decode at once; 0: the device has none, and its multiprocessors decode.
  unsigned engines() const noexcept { return engines_; }
  LibraryMemory& memory() noexcept { return memory_; }
  cuda::NvjpegDeviceAllocator& device_allocator() noexcept { return device_allocator_; }
  cuda::NvjpegPinnedAllocator& pinned_allocator() noexcept { return pinned_allocator_; }

  /// By the engines, or, where there are none, by the host's Huffman decoding on `threads` and the device's
  /// transform. Errors: those of nvJPEG's objects.
  Result<std::unique_ptr<StreamDecoder>> make_decoder(int threads);

 private:
  Nvjpeg(std::shared_ptr<const cuda::Device> device, cuda::OpenLibrary<cuda::NvjpegApi> library);
  Status make_handle();

  const std::shared_ptr<const cuda::Device> device_;
  const cuda::OpenLibrary<cuda::NvjpegApi> library_;
  LibraryMemory memory_;
  cuda::NvjpegDeviceAllocator device_allocator_;
  cuda::NvjpegPinnedAllocator pinned_allocator_;
  cuda::NvjpegHandle handle_ = nullptr;
  unsigned engines_ = 0;
};

/// nvJPEG's batched calls, by its engines.
Result<std::unique_ptr<StreamDecoder>> make_nvjpeg_batched(std::shared_ptr<Nvjpeg> nvjpeg);

/// nvJPEG's decoupled calls, for devices without engines.
Result<std::unique_ptr<StreamDecoder>> make_nvjpeg_decoupled(std::shared_ptr<Nvjpeg> nvjpeg, int threads);

}  // namespace microtome::gpu
