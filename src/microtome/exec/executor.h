// Threads that run tasks, and groups of tasks that fail, finish or stop together.
//
// Knows nothing of what a task does. One executor serves the process; it starts threads when first needed, as
// many as the widest group asked for, and none before. After fork() the child's executor has no threads and
// no tasks and starts anew (see Note [Fork]). Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "microtome/base/error.h"

namespace microtome {

/// How many threads this process may run at once: the affinity mask, cut down by the cgroup's CPU quota (v1
/// and v2), rounded up; at least 1. Read anew at each call.
int available_cpus();

namespace exec_internal {
struct Pool;
struct Tasks;
}  // namespace exec_internal

class Executor {
 public:
  /// More threads than this never run, whatever groups ask for.
  static constexpr int kMaxThreads = 1024;

  Executor();
  /// Ends the threads. Groups share the executor, so none has a task left by now.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int thread_count() const noexcept;  ///< Threads started so far.

  /// Note [Fork]: the owner of the executor calls these from pthread_atfork handlers. prepare() takes the
  /// executor's locks so that the child finds them free and its state whole; in the child, threads are gone,
  /// so the queue is emptied and generation() moves on: a group of an older generation answers `cancelled`
  /// from wait() rather than hang, and what is run in it is dropped.
  void fork_prepare();
  void fork_parent();
  void fork_child();
  uint64_t generation() const noexcept;  ///< How many forks lie between the executor's making and this.

  class Group;

 private:
  std::shared_ptr<exec_internal::Pool> pool_;
};

/// Tasks that belong together: the first error cancels those not yet started and is what wait() returns.
class Executor::Group {
 public:
  /// Where tasks run.
  enum class Mode {
    caller_helps,  ///< On the executor's threads (width - 1 of them suffice) and in callers of wait().
    threads_only,  ///< On the executor's threads; a caller of wait() that is one of them helps too.
    caller_only,   ///< In callers of wait() alone; starts no thread.
  };
  /// At most `width` (at least 1) of its tasks run at once.
  Group(std::shared_ptr<Executor> executor, int width, Mode mode);
  /// Cancels what has not started and waits for what has.
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// Queues a task. A group's tasks start in the order in which they were queued, as far as its width allows;
  /// a thread that becomes free goes to the group that has fewest running, of equal ones to the one whose
  /// last start is longest ago. Tasks may use groups of their own. What they throw becomes an error:
  /// std::bad_alloc out_of_memory, anything else internal. Throws std::bad_alloc, having queued nothing.
  ///
  /// Where the system gives no more threads the tasks run on those there are; in mode threads_only with none
  /// at all the group fails with `unavailable`.
  void run(std::function<Status()> task);

  /// Set while a task of a group with fewer running ones waits for a thread, and from cancel() on. So that
  /// long tasks do not keep threads from other groups, they look at it at good places, run() themselves again
  /// and return. Callers of wait() have no thread to give: they need not look.
  const std::atomic<bool>& gives_way() const noexcept;

  /// Returns when every task has finished or was dropped; in mode caller_helps and caller_only this thread
  /// runs tasks meanwhile. The first error in time; `cancelled` after cancel() without one; or ok. The group
  /// can be used again only if it was ok.
  Status wait();

  /// Drops tasks not yet started; running ones see cancelled() and may stop early.
  void cancel() noexcept;
  bool cancelled() const noexcept;  ///< By cancel() or by the first error.

 private:
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<exec_internal::Tasks> tasks_;
};

}  // namespace microtome
