// Who decodes for a pipeline: the choice that a loader is given, and the device's decoders, opened when they
// are wanted.
//
// One Decoders for each device, shared by all that read there. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "microtome/base/error.h"
#include "microtome/device/cuda/libraries.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/gpu/job_crew.h"
#include "microtome/read/gpu/nvjpeg.h"
#include "microtome/read/gpu/nvjpeg2k.h"
#include "microtome/read/gpu/pipeline.h"
#include "microtome/read/read_options.h"

namespace microtome::gpu {

enum class Decode : uint8_t {
  exact,   ///< What gives the CPU's pixels: the CPU.
  any,     ///< The device's decoders what they take, the CPU all else: samples may differ a little.
  device,  ///< The device's decoders alone.
};

/// An image that is to be read, of a slide that outlives this.
struct ImageToRead {
  const Slide* slide = nullptr;
  int image = 0;
};

class Decoders {
 public:
  Decoders(std::shared_ptr<const Gpu> gpu, cuda::Places places)
      : gpu_(std::move(gpu)), places_(std::move(places)) {}

  struct Made {
    std::unique_ptr<DecodeBackend> backend;
    /// Why a library is not used that would have been; empty with Decode::exact and Decode::device.
    std::string lacking;
  };

  /// A backend for tiles of these images.
  /// Errors  unsupported: Decode::device, and an image that no decoder takes. unavailable: Decode::device,
  /// and a library is missing or refuses the device. The device's.
  Result<Made> make_backend(Decode how, std::span<const ImageToRead> images, CrewOptions crew,
                            ReadCounters* counters);

 private:
  template <class Library>
  Result<std::shared_ptr<Library>> find(std::shared_ptr<Library>& kept, const LibraryPlaces& places);

  const std::shared_ptr<const Gpu> gpu_;
  const cuda::Places places_;
  std::mutex mutex_;  // of the rest
  std::shared_ptr<Nvjpeg> nvjpeg_;
  std::shared_ptr<Nvjpeg2k> nvjpeg2k_;
};

}  // namespace microtome::gpu
