#include "microtome/runtime/runtime.h"

#include <pthread.h>

#include <cstddef>
#include <utility>

namespace microtome {
namespace {

constexpr size_t kIdleBufferBytes = size_t{512} << 20;

// Note [Fork order]
// prepare takes outer locks before inner ones (a thread that evicts a tile holds the cache's lock and wants
// the pool's); the other two let go in reverse.
void before_fork() {
  Runtime& shared = runtime();
  shared.executor->fork_prepare();
  shared.cache->fork_prepare();
  shared.workers->fork_prepare();
  shared.buffers->fork_prepare();
}

void after_fork_in_parent() {
  Runtime& shared = runtime();
  shared.buffers->fork_parent();
  shared.workers->fork_parent();
  shared.cache->fork_parent();
  shared.executor->fork_parent();
}

void after_fork_in_child() {
  Runtime& shared = runtime();
  shared.buffers->fork_child();
  shared.workers->fork_child();
  shared.cache->fork_child();
  shared.executor->fork_child();
}

Runtime* make_runtime() {
  auto executor = std::make_shared<Executor>();
  auto cache = std::make_shared<TileCache>(0);
  auto workers = std::make_shared<WorkerPool>(available_cpus);
  auto buffers = BufferPool::make(kIdleBufferBytes);
  auto counters = std::make_shared<ReadCounters>();
  Reader reader(executor, cache, workers, buffers, counters);
  return new Runtime{std::move(executor), std::move(cache),    std::move(workers),
                     std::move(buffers),  std::move(counters), std::move(reader)};
}

}  // namespace

Runtime& runtime() {
  static Runtime* const made = make_runtime();
  // After the runtime is there, so that the handlers never make it: a fork inside the first call of another
  // thread finds either no handlers or a whole runtime.
  static const int registered = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  static_cast<void>(registered);
  return *made;
}

}  // namespace microtome
