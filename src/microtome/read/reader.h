// Reads a region of a slide into memory: the synchronous door.
//
// Called by the bindings. Plans, then drains one BatchRead with as many threads as asked for, the caller's
// among them. Thread-safe: one Reader serves all threads.
#pragma once

#include <memory>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/device/buffer.h"
#include "microtome/exec/executor.h"
#include "microtome/read/batch_read.h"
#include "microtome/read/tile_cache.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"

namespace microtome {

struct ReadOptions {
  int workers = 1;  ///< Threads at most, this one among them; 1: this one alone, and no other is started.
  OnError on_error = OnError::raise;
  std::vector<std::byte> fill;  ///< One pixel; see make_fill().
};

class Reader {
 public:
  /// None is null. `cache` of capacity 0 means none. `buffers` is where tiles for the cache get their memory.
  Reader(std::shared_ptr<Executor> executor, std::shared_ptr<TileCache> cache,
         std::shared_ptr<WorkerPool> workers, std::shared_ptr<BufferPool> buffers,
         std::shared_ptr<ReadCounters> counters);

  /// Reads `region`, in pixels of image `image` (a level or an associated image), into `dst` (exactly its
  /// size, the image's samples and type). With on_error fill, what was filled is appended to `errors`, which
  /// may be null only with on_error raise. A read larger than the cache takes what is there and leaves it so.
  /// Errors: out_of_range, invalid_argument (see plan_region; also a destination, fill or number of workers
  /// that does not fit); corrupt, unsupported, io with tile, level and slide (see BatchRead::drain).
  Status read(std::shared_ptr<const Slide> slide, int image, Rect region, ImageView dst,
              const ReadOptions& options, std::vector<RegionError>* errors);

  const ReadCounters& counters() const noexcept { return *counters_; }
  ReadCounters& counters() noexcept { return *counters_; }

 private:
  Status drain(BatchRead& read, int workers);

  std::shared_ptr<Executor> executor_;
  std::shared_ptr<TileCache> cache_;
  std::shared_ptr<WorkerPool> workers_;
  std::shared_ptr<BufferPool> buffers_;
  std::shared_ptr<ReadCounters> counters_;
};

/// One pixel of background: `values` has one number for all samples or one each.
/// Errors: invalid_argument for another count, or a value the type cannot hold (named).
Result<std::vector<std::byte>> make_fill(std::span<const double> values, uint16_t samples, SampleType type);

}  // namespace microtome
