// A stream of batches of patches in memory of a GPU: what Loader is for the host's.
//
// Called by the bindings. The same order, errors and counts; a thread of its own, the device thread, makes
// all calls of the driver but those that give memory back. It starts batches ahead of their consumer, drives
// the pipeline (read/gpu/pipeline.h) and puts finished ones into a queue. One consumer thread at a time calls
// next().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/cuda/pool.h"
#include "microtome/loader/loader.h"
#include "microtome/loader/meter.h"
#include "microtome/read/gpu/decoders.h"
#include "microtome/read/gpu/direct_reads.h"
#include "microtome/read/gpu/pipeline.h"

namespace microtome {

/// A batch whose pixels are on a device, all of them written. It refers to nothing else.
struct DeviceBatch {
  cuda::DeviceTensor pixels;     ///< (N, H, W, C), or (N, C, H, W) where the format is planar.
  std::vector<int64_t> indices;  ///< As Batch has them.
  std::vector<RegionError> errors;
  uint64_t number = 0;
};

struct DeviceLoaderOptions {
  LoaderOptions loader;
  /// Of the device, for decoded tiles; batches come on top. 0: gpu::default_limit().
  size_t memory_bytes = 0;
  gpu::OutputFormat format;  ///< Made for the patches' images.
  gpu::Decode decode = gpu::Decode::exact;
  gpu::Direct direct = gpu::Direct::off;
  std::shared_ptr<gpu::DirectReads> reads = nullptr;  ///< Of the device; null will do with Direct::off.
  std::shared_ptr<gpu::Decoders> decoders = nullptr;  ///< Of the device; null will do with Decode::exact.
};

class DeviceLoader {
 public:
  /// As Loader::open, whose cache, pool and keep_bytes are not used. Takes the device's memory for tiles, and
  /// pinned memory, at once. Errors also: the device's; invalid_argument, `memory_bytes` is too little; as
  /// gpu::Decoders::make_backend's and gpu::DirectReads::wrap's.
  static Result<std::unique_ptr<DeviceLoader>> open(LoaderContext context,
                                                    std::shared_ptr<const gpu::Gpu> gpu,
                                                    std::vector<std::shared_ptr<const Slide>> slides,
                                                    std::shared_ptr<const std::vector<Patch>> patches,
                                                    std::vector<int64_t> order, DeviceLoaderOptions options);
  /// Stops at once: what has not started is dropped, what runs is waited for. In a forked child it does
  /// nothing.
  ~DeviceLoader();

  uint64_t batch_count() const noexcept;
  std::shared_ptr<const LoaderMeter> meter() const noexcept;

  /// Why a library is not used that would have been with Decode::any; empty otherwise.
  const std::string& lacking() const noexcept;

  /// How bytes come to the device, and why not by cuFile, where that was wanted. Any thread, at any time.
  const gpu::DirectReport& direct() const noexcept;

  /// Errors  unavailable: this process is a child of the one that opened the device.
  Status usable() const;

  /// The next batch, or nothing after the last. A batch that fails does so when its turn comes; then, and
  /// when the device fails, the loader is at its end: every later call returns the same error. In a forked
  /// child: unavailable.
  Result<std::optional<DeviceBatch>> next();

 private:
  struct State;
  explicit DeviceLoader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace microtome
