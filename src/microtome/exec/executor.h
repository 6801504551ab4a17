// Threads that run tasks, and groups of tasks that fail, finish or stop together.
//
// Knows nothing of what a task does. One executor serves the process; it starts threads when first needed, as
// many as the widest group asked for, and none before. After fork() the child's executor has no threads and
// no tasks and starts anew (see Note [Fork]).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "microtome/base/error.h"

namespace microtome {

/// How many threads this process may run at once: the affinity mask, cut down by the cgroup's CPU quota (v1
/// and v2), rounded up; at least 1. Read anew at each call.
int available_cpus();

class Executor {
 public:
  /// More threads than this never run, whatever groups ask for.
  static constexpr int kMaxThreads = 1024;

  Executor();
  /// Waits for running tasks; tasks not started are dropped as cancelled.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int thread_count() const noexcept;  ///< Threads started so far.

  /// Note [Fork]: the owner of the executor calls these from pthread_atfork handlers. prepare() takes the
  /// executor's locks so that the child finds them free and its state whole; in the child, threads are gone,
  /// so the queue is emptied and generation() moves on: a group of an older generation answers `cancelled`
  /// from wait() rather than hang.
  void fork_prepare();
  void fork_parent();
  void fork_child();
  uint64_t generation() const noexcept;

  class Group;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Tasks that belong together: the first error cancels those not yet started and is what wait() returns.
class Executor::Group {
 public:
  /// At most `width` of its tasks run at once, on the executor's threads and in callers of wait(). With
  /// `use_threads` false (or width 1 and a waiting caller only), tasks run in wait() alone.
  enum class Mode { caller_helps, threads_only, caller_only };
  Group(std::shared_ptr<Executor> executor, int width, Mode mode);
  /// Cancels what has not started and waits for what has.
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// Queues a task, first in first out. Tasks must not throw except std::bad_alloc, which becomes
  /// out_of_memory.
  void run(std::function<Status()> task);

  /// Returns when every task has finished or was dropped; in mode caller_helps and caller_only this thread
  /// runs tasks meanwhile. The first error in time, or ok. The group can be used again only if it was ok.
  Status wait();

  /// Drops tasks not yet started; running ones see cancelled() and may stop early.
  void cancel() noexcept;
  bool cancelled() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace microtome
