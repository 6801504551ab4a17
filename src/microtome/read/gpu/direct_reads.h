// Whether a pipeline's tiles are read by cuFile, decided once for each: the library, the slides' files, the
// slabs' registration, and what was in the way.
//
// One for each device, made by the bindings, asked by the loader. Knows slides and files; nothing of batches.
// Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "microtome/device/cuda/libraries.h"
#include "microtome/read/gpu/decoders.h"
#include "microtome/read/gpu/direct_backend.h"

namespace microtome::gpu {

/// What came of it, for those who tell users. Thread-safe.
class DirectReport {
 public:
  /// "direct", "compat", or nothing: bytes are read into pinned memory.
  std::string mode() const;
  /// Why something that was wanted is not so; the first reason alone.
  std::string lacking() const;

  void set_mode(std::string mode);
  void lacks(std::string reason);

 private:
  mutable std::mutex mutex_;
  std::string mode_, lacking_;
};

/// Memory of a pipeline's slabs.
struct Slabs {
  cuda::DeviceAddress address = 0;
  size_t bytes = 0;
};

class DirectReads {
 public:
  DirectReads(std::shared_ptr<const cuda::Device> device, LibraryPlaces places)
      : device_(std::move(device)), places_(std::move(places)) {}

  /// `usual`, or a backend around it that lets cuFile read what it can of these images.
  /// Errors, with Direct::only alone: unavailable, no library, or cuFile's answer; unsupported, no image has
  /// such tiles, or a slide is not a file.
  Result<std::unique_ptr<DecodeBackend>> wrap(Direct how, std::unique_ptr<DecodeBackend> usual,
                                              std::span<const ImageToRead> images, const Slabs& slabs,
                                              CrewOptions crew, ReadCounters* counters,
                                              std::shared_ptr<DirectReport> report);

 private:
  Result<std::shared_ptr<const cuda::Cufile>> cufile();
  Result<DirectFiles> open(Direct how, std::span<const ImageToRead> images, const Slabs& slabs,
                           DirectReport& report);

  const std::shared_ptr<const cuda::Device> device_;
  const LibraryPlaces places_;
  std::mutex mutex_;  // of cufile_
  std::shared_ptr<const cuda::Cufile> cufile_;
};

}  // namespace microtome::gpu
