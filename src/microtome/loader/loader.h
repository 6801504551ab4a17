// A stream of batches of patches, in order, from one or many slides.
//
// Called by the bindings. Order, shuffle, sharding, prefetch and which tiles to keep; it knows nothing of
// TIFF, codecs or files. One consumer thread at a time calls next(); workers decode ahead of it.
//
// Note [Tiles that several batches need]
// Without a process-wide cache the loader looks at the batches to come (window.h) and keeps, in a cache of
// its own, those tiles alone that it will need again, exactly as long as that, within keep_bytes. With one,
// every tile goes through it and nothing is erased: what it holds serves later epochs and other readers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/device/buffer.h"
#include "microtome/exec/executor.h"
#include "microtome/loader/meter.h"
#include "microtome/read/batch_read.h"
#include "microtome/read/tile_cache.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// One patch: `x`, `y` in pixels of level `level` of slide number `slide`.
struct Patch {
  uint32_t slide = 0;
  uint16_t level = 0;
  int64_t x = 0, y = 0;
};

struct LoaderOptions {
  Size size;  ///< Of every patch, in pixels of its level.
  int64_t batch_size = 1;
  bool drop_last = false;  ///< Leave out a last batch that is not full.
  /// Batches decoded ahead of the one the consumer holds; 0: decoding starts in next(). The loader holds at
  /// most one more than this. Without workers nothing is decoded ahead.
  int64_t prefetch = 2;
  /// Threads beside the caller's; 0: the caller's alone, inside next(). At most so many decode at once: the
  /// caller's helps, while it waits, where one of theirs is held up by others' work.
  int workers = 0;
  OnError on_error = OnError::raise;
  std::vector<std::byte> fill;  ///< One pixel.
  /// Budget for decoded tiles that later batches need again; see Note [Tiles that several batches need].
  size_t keep_bytes = 256u << 20;
};

/// A batch owns its pixels and refers to nothing else.
struct Batch {
  Tensor pixels;                    ///< (N, H, W, C)
  std::vector<int64_t> indices;     ///< Row → position in the loader's list of patches.
  std::vector<RegionError> errors;  ///< region = row.
  uint64_t number = 0;              ///< 0, 1, 2, … in this epoch.
};

/// What the loader works with; shared by all loaders of a process. None is null.
struct LoaderContext {
  std::shared_ptr<Executor> executor;
  std::shared_ptr<TileCache> cache;  ///< The process's; used instead of the loader's own if of any capacity.
  std::shared_ptr<WorkerPool> workers;
  std::shared_ptr<BufferPool> buffers;
  std::shared_ptr<ReadCounters> counters;
};

/// One pass over patches in a given order.
class Loader {
 public:
  /// `order` holds positions in `patches`, in the order of delivery (after shuffling and sharding; see
  /// order.h). All of `patches` are checked; nothing is planned or read yet. Errors: invalid_argument
  /// (batch_size < 1, prefetch or workers < 0, size not positive, a patch that passes 64-bit coordinates,
  /// levels whose pixel types differ, fill that is not one pixel); out_of_range (slide, level, position).
  static Result<std::unique_ptr<Loader>> open(LoaderContext context,
                                              std::vector<std::shared_ptr<const Slide>> slides,
                                              std::shared_ptr<const std::vector<Patch>> patches,
                                              std::vector<int64_t> order, LoaderOptions options);
  /// Stops at once: what has not started is dropped, what runs is waited for.
  ~Loader();

  uint64_t batch_count() const noexcept;

  /// What is counted of this pass. Any thread may ask it, at any moment, and keep it longer than the loader.
  std::shared_ptr<const LoaderMeter> meter() const noexcept;

  /// The next batch, or nothing after the last. A batch that fails does so here, when its turn comes, as
  /// BatchRead::drain says, or with out_of_memory or unavailable (no thread to be had); then the loader is at
  /// its end: every later call returns the same error. Works in a child after fork(): it goes on with the
  /// batch that would have come next, its prefetch started anew.
  Result<std::optional<Batch>> next();

 private:
  struct State;
  explicit Loader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace microtome
