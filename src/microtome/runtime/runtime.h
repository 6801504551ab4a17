// What a process shares between all its slides and loaders: one executor, one cache, one pool of memory.
//
// Called by what binds the core to a language: the Python extension and the C API, each of which brings its
// own copy. Nothing below knows it: the core's classes are handed what they work with. Thread-safe.
#pragma once

#include <memory>

#include "microtome/device/buffer.h"
#include "microtome/exec/executor.h"
#include "microtome/loader/loader.h"
#include "microtome/read/reader.h"
#include "microtome/read/tile_cache.h"
#include "microtome/read/worker.h"

namespace microtome {

struct Runtime {
  std::shared_ptr<Executor> executor;
  std::shared_ptr<TileCache> cache;
  std::shared_ptr<WorkerPool> workers;
  std::shared_ptr<BufferPool> buffers;
  std::shared_ptr<ReadCounters> counters;
  Reader reader;

  LoaderContext loader_context() const { return {executor, cache, workers, buffers, counters}; }
};

/// The process's runtime: made by the first call, which starts no thread; never destroyed, since its threads
/// may still run while static objects are. It lives on in children made by fork(), without threads there.
/// Throws std::bad_alloc from the first call only.
Runtime& runtime();

}  // namespace microtome
