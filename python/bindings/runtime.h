// What the process shares between all slides and loaders: made at first use, never destroyed.
#pragma once

#include <memory>

#include "microtome/device/buffer.h"
#include "microtome/exec/executor.h"
#include "microtome/loader/loader.h"
#include "microtome/read/reader.h"
#include "microtome/read/tile_cache.h"
#include "microtome/read/worker.h"

namespace microtome::python {

struct Runtime {
  std::shared_ptr<Executor> executor;
  std::shared_ptr<TileCache> cache;
  std::shared_ptr<WorkerPool> workers;
  std::shared_ptr<BufferPool> buffers;
  std::shared_ptr<ReadCounters> counters;
  Reader reader;

  LoaderContext loader_context() const { return {executor, cache, workers, buffers, counters}; }
};

/// The process's runtime; the first call makes it. Call with the GIL held: that is what makes it once.
Runtime& runtime();

/// Forgets in a forked child that a thread of the parent was inside a Python file object.
void forget_python_file_lock();

}  // namespace microtome::python
