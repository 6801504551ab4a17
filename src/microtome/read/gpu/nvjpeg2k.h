// nvJPEG2000 on one device: the library, a handle, and decoders for pipelines made of them.
//
// As nvjpeg.h has it for JPEG. There is no batched call: each picture is a tile, with a state and a stream of
// the library's that it keeps until the device is done with it. Planes are taken as the codestream has them,
// with its own colour transform undone; chroma is repeated and converted by our kernel, as by the CPU path.
// Reversible tiles are exact. Thread-safe. Source: nvJPEG2000's documentation.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/cuda/device.h"
#include "microtome/device/cuda/libraries.h"
#include "microtome/read/gpu/library_memory.h"
#include "microtome/read/gpu/stream_decoder.h"

namespace microtome::gpu {

/// Whether tiles of this format may be such pictures.
bool is_jpeg2000_for_device(const TileFormat& format) noexcept;

class Nvjpeg2k : public std::enable_shared_from_this<Nvjpeg2k> {
 public:
  /// What one picture needs from its host part until the device is done with it.
  struct Slot {
    cuda::Nvjpeg2kState state = nullptr;
    cuda::Nvjpeg2kStream stream = nullptr;
  };

  /// Errors as Nvjpeg::open's.
  static Result<std::shared_ptr<Nvjpeg2k>> open(std::shared_ptr<const cuda::Device> device,
                                                const LibraryPlaces& places);
  ~Nvjpeg2k();
  Nvjpeg2k(const Nvjpeg2k&) = delete;
  Nvjpeg2k& operator=(const Nvjpeg2k&) = delete;

  const cuda::Nvjpeg2kApi& api() const noexcept { return library_.api; }
  cuda::Nvjpeg2kHandle handle() const noexcept { return handle_; }
  cuda::Nvjpeg2kParams params() const noexcept { return params_; }
  const cuda::Device& device() const noexcept { return *device_; }

  /// With the device current.
  Result<Slot> take();
  void give_back(const Slot& slot) noexcept;
  /// Frees what no picture has.
  void trim() noexcept;

  /// A decoder for one pipeline. `threads`: that read its tiles.
  Result<std::unique_ptr<StreamDecoder>> make_decoder(int threads);

 private:
  Nvjpeg2k(std::shared_ptr<const cuda::Device> device, cuda::OpenLibrary<cuda::Nvjpeg2kApi> library);
  Status make_handle();
  void destroy(const Slot& slot) noexcept;

  const std::shared_ptr<const cuda::Device> device_;
  const cuda::OpenLibrary<cuda::Nvjpeg2kApi> library_;
  LibraryMemory memory_;
  cuda::Nvjpeg2kDeviceAllocator device_allocator_;
  cuda::Nvjpeg2kPinnedAllocator pinned_allocator_;
  cuda::Nvjpeg2kHandle handle_ = nullptr;
  cuda::Nvjpeg2kParams params_ = nullptr;
  std::mutex mutex_;
  std::vector<Slot> idle_;
};

}  // namespace microtome::gpu
