// Reads a region of a slide into memory of a device: the synchronous door, as reader.h is for the host's.
//
// Called by the bindings; one for each device that is used. Plans, then drives one pipeline on the caller's
// thread, which decodes too. What the pipelines need is kept for the next read. Thread-safe: one DeviceReader
// serves all threads.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "microtome/device/cuda/pool.h"
#include "microtome/exec/executor.h"
#include "microtome/read/gpu/pipeline.h"
#include "microtome/read/reader.h"

namespace microtome::gpu {

/// A caller's memory on the device: C-contiguous, of the region's size, of the samples and type that are
/// asked for.
struct DeviceTarget {
  cuda::DeviceAddress address = 0;
  /// What was queued on it before is done first.
  std::optional<cuda::ForeignStream> after;
};

struct DeviceReadOptions {
  ReadOptions read;
  OutputFormat format;  ///< Made for the image that is read.
};

class DeviceReader {
 public:
  DeviceReader(std::shared_ptr<const Gpu> gpu, std::shared_ptr<Executor> executor,
               std::shared_ptr<WorkerPool> workers, std::shared_ptr<ReadCounters> counters);
  ~DeviceReader();

  const Gpu& gpu() const noexcept { return *gpu_; }
  std::shared_ptr<const Gpu> shared_gpu() const noexcept { return gpu_; }

  /// Reads `region`, in pixels of image `image`, into `target` or new memory: (h, w, samples), or (samples,
  /// h, w) where the format is planar. The pixels are there when this returns. With on_error fill, what was
  /// filled is appended to `errors`, which may be null only with on_error raise. Errors: Reader::read's, and
  /// the device's.
  Result<std::optional<cuda::DeviceTensor>> read(std::shared_ptr<const Slide> slide, int image, Rect region,
                                                 const DeviceReadOptions& options, const DeviceTarget* target,
                                                 std::vector<RegionError>* errors);

 private:
  Result<std::unique_ptr<Pipeline>> take_pipeline(const Slide& slide, int image, Size size);
  Status run(Pipeline& pipeline, const std::shared_ptr<DeviceRead>& read, int workers,
             const DeviceTarget* target);

  std::shared_ptr<const Gpu> gpu_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<WorkerPool> workers_;
  std::shared_ptr<ReadCounters> counters_;
  std::shared_ptr<cuda::DevicePool> pool_;
  std::mutex mutex_;
  std::unique_ptr<Pipeline> idle_;
};

}  // namespace microtome::gpu
