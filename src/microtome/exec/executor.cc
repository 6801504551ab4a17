#include "microtome/exec/executor.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <list>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "microtome/base/fail.h"

namespace microtome {
namespace exec_internal {

using Mode = Executor::Group::Mode;

using Task = std::function<Status()>;

/// One group. All but the atomics under the pool's mutex.
struct Tasks {
  Tasks(int width_, Mode mode_, uint64_t generation_) : width(width_), mode(mode_), generation(generation_) {}

  const int width;
  const Mode mode;
  const uint64_t generation;

  // A list, because its nodes move without allocating and so cancel() cannot fail.
  std::list<Task> queued;
  int running = 0;
  int waiting = 0;
  uint64_t last_start = 0;  // of a task of its, among the starts of all groups
  std::optional<Error> error;
  std::atomic<bool> cancelled{false};
  std::atomic<bool> gives_way{false};
  std::condition_variable changed;  // for callers of wait()

  bool may_start() const noexcept { return !queued.empty() && running < width; }
  bool idle() const noexcept { return queued.empty() && running == 0; }
  int wanted_threads() const noexcept {
    if (mode == Mode::caller_only) return 0;
    const auto tasks = static_cast<int>(std::min<size_t>(queued.size(), Executor::kMaxThreads)) + running;
    return std::min({width - (mode == Mode::caller_helps ? 1 : 0), tasks, Executor::kMaxThreads});
  }
};

struct Pool {
  using Lock = std::unique_lock<std::mutex>;

  std::mutex mutex;  // of everything here and in every group
  std::condition_variable work;
  std::vector<std::thread> threads;
  std::list<std::shared_ptr<Tasks>> groups;  // those that live
  int idle = 0;                              // threads that wait for work
  uint64_t starts = 0;
  bool ending = false;
  std::atomic<uint64_t> generation{0};
  std::atomic<int> thread_count{0};

  std::shared_ptr<Tasks> next_group() const noexcept;
  void run_one(Lock& lock, Tasks& group);
  void tell_who_gives_way() const noexcept;
  void drop_queued(Lock& lock, Tasks& group) noexcept;
  void after_task(Tasks& group) noexcept;
  static void loop(std::shared_ptr<Pool> self, uint64_t generation, size_t number);
  static bool start_thread(const std::shared_ptr<Pool>& self) noexcept;
};

namespace {

/// The pool whose thread this is, for waits that come from inside a task.
thread_local const Pool* pool_of_this_thread = nullptr;

Status call_caught(const std::function<Status()>& call) noexcept {
  try {
    try {
      return call();
    } catch (const std::bad_alloc&) {
      return Error{Errc::out_of_memory, "no memory left"};
    } catch (const std::exception& thrown) {
      return internal("a task threw: {}", thrown.what());
    } catch (...) {
      return internal("a task threw something that is no std::exception");
    }
  } catch (...) {  // there was no memory for the message
    return Error{Errc::out_of_memory, "no memory left"};
  }
}

/// Blocks all signals that other threads may handle for as long as it lives: a thread made meanwhile
/// inherits that, and the application's handlers never run on our threads.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, own);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

/// The group whose task a free thread should start.
std::shared_ptr<Tasks> Pool::next_group() const noexcept {
  const std::shared_ptr<Tasks>* next = nullptr;
  for (const auto& group : groups) {
    if (group->mode == Mode::caller_only || !group->may_start()) continue;
    const auto rank = [](const Tasks& tasks) { return std::pair(tasks.running, tasks.last_start); };
    if (next == nullptr || rank(*group) < rank(**next)) next = &group;
  }
  return next == nullptr ? nullptr : *next;
}

/// After each change of what waits and what runs.
void Pool::tell_who_gives_way() const noexcept {
  int fewest = std::numeric_limits<int>::max();
  for (const auto& group : groups) {
    if (idle == 0 && group->mode != Mode::caller_only && group->may_start())
      fewest = std::min(fewest, group->running);
  }
  for (const auto& group : groups) {
    const bool gives_way = fewest < group->running || group->cancelled.load(std::memory_order_relaxed);
    if (gives_way != group->gives_way.load(std::memory_order_relaxed))
      group->gives_way.store(gives_way, std::memory_order_relaxed);
  }
}

/// Takes the group's first task and runs it without the lock.
void Pool::run_one(Lock& lock, Tasks& group) {
  std::list<Task> task;
  task.splice(task.begin(), group.queued, group.queued.begin());
  ++group.running;
  group.last_start = ++starts;
  tell_who_gives_way();
  lock.unlock();
  Status status = call_caught(task.front());
  task.clear();  // before wait() can return: it may hold references to what the waiter owns
  lock.lock();
  // The task itself forked, and this is the child: the group's counts speak of threads that are gone.
  if (group.generation != generation.load(std::memory_order_relaxed)) return;
  if (!status.ok() && !group.error) {
    group.error = std::move(status).error();
    drop_queued(lock, group);
  }
  --group.running;
  after_task(group);
}

/// Unlocks while the tasks are destroyed; the group counts as running meanwhile.
void Pool::drop_queued(Lock& lock, Tasks& group) noexcept {
  group.cancelled.store(true, std::memory_order_relaxed);
  group.gives_way.store(true, std::memory_order_relaxed);
  std::list<Task> dropped;
  dropped.swap(group.queued);
  if (dropped.empty()) return;
  ++group.running;
  lock.unlock();
  dropped.clear();
  lock.lock();
  --group.running;
}

void Pool::after_task(Tasks& group) noexcept {
  if (group.waiting > 0) group.changed.notify_all();
  // The place that became free may let a task start that an idle thread had to leave before.
  if (next_group() != nullptr) work.notify_one();
  tell_who_gives_way();
}

void Pool::loop(std::shared_ptr<Pool> self, uint64_t generation, size_t number) {
  pthread_setname_np(pthread_self(), ("microtome-" + std::to_string(number)).c_str());
  pool_of_this_thread = self.get();
  Lock lock(self->mutex);
  while (self->generation.load(std::memory_order_relaxed) == generation) {
    if (const auto group = self->next_group()) {
      self->run_one(lock, *group);
    } else if (self->ending) {
      return;
    } else {
      ++self->idle;
      self->work.wait(lock);
      --self->idle;
    }
  }
}

/// Under the lock. False where the system has no more threads or memory.
bool Pool::start_thread(const std::shared_ptr<Pool>& self) noexcept {
  try {
    const size_t number = self->threads.size();
    self->threads.reserve(number + 1);
    const BlockedSignals blocked;
    self->threads.emplace_back(&Pool::loop, self, self->generation.load(std::memory_order_relaxed), number);
    self->thread_count.fetch_add(1, std::memory_order_relaxed);
    return true;
  } catch (const std::system_error&) {
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace exec_internal

using exec_internal::Pool;
using exec_internal::Task;
using exec_internal::Tasks;

Executor::Executor() : pool_(std::make_shared<Pool>()) {}

Executor::~Executor() {
  {
    const std::lock_guard lock(pool_->mutex);
    pool_->ending = true;
  }
  pool_->work.notify_all();
  for (std::thread& thread : pool_->threads) thread.join();
}

int Executor::thread_count() const noexcept {
  return pool_->thread_count.load(std::memory_order_relaxed);
}

uint64_t Executor::generation() const noexcept {
  return pool_->generation.load(std::memory_order_relaxed);
}

void Executor::fork_prepare() {
  pool_->mutex.lock();
}

void Executor::fork_parent() {
  pool_->mutex.unlock();
}

void Executor::fork_child() {
  Pool& pool = *pool_;
  // Condition variables are made anew without destroying them: the parent's threads still stand in their
  // counts, and destructors would wait for them for ever.
  for (const auto& group : pool.groups) new (&group->changed) std::condition_variable;
  new (&pool.work) std::condition_variable;
  // Handles of threads that do not exist here can be neither joined nor destroyed, and what the queued tasks
  // hold may be locked by such a thread: both are left where they are.
  new std::vector<std::thread>(std::move(pool.threads));
  pool.threads.clear();
  new std::list<std::shared_ptr<Tasks>>(std::move(pool.groups));
  pool.groups.clear();
  pool.thread_count.store(0, std::memory_order_relaxed);
  pool.idle = 0;
  pool.generation.fetch_add(1, std::memory_order_relaxed);
  pool.mutex.unlock();
}

Executor::Group::Group(std::shared_ptr<Executor> executor, int width, Mode mode)
    : executor_(std::move(executor)) {
  Pool& pool = *executor_->pool_;
  const std::lock_guard lock(pool.mutex);
  tasks_ = std::make_shared<Tasks>(std::max(width, 1), mode, pool.generation.load(std::memory_order_relaxed));
  pool.groups.push_back(tasks_);
}

Executor::Group::~Group() {
  Pool& pool = *executor_->pool_;
  std::list<std::shared_ptr<Tasks>> removed;  // destroyed after the lock is gone
  Pool::Lock lock(pool.mutex);
  Tasks& tasks = *tasks_;
  const auto of_this_process = [&] { return tasks.generation == pool.generation.load(); };
  if (!of_this_process()) return;
  pool.drop_queued(lock, tasks);
  ++tasks.waiting;
  tasks.changed.wait(lock, [&] { return tasks.idle() || !of_this_process(); });
  if (!of_this_process()) return;
  removed.splice(removed.begin(), pool.groups, std::find(pool.groups.begin(), pool.groups.end(), tasks_));
}

void Executor::Group::run(std::function<Status()> task) {
  Pool& pool = *executor_->pool_;
  Tasks& tasks = *tasks_;
  std::list<Task> node;  // destroyed, where it is not taken, after the lock is gone
  node.push_back(std::move(task));
  Pool::Lock lock(pool.mutex);
  if (tasks.generation != pool.generation.load(std::memory_order_relaxed)) {
    if (!tasks.error)
      tasks.error = microtome::cancelled("the process forked after this group of tasks was made");
    return;
  }
  if (tasks.cancelled.load(std::memory_order_relaxed)) return;
  tasks.queued.splice(tasks.queued.end(), node);
  if (tasks.mode != Mode::caller_only) {
    if (static_cast<int>(pool.threads.size()) < tasks.wanted_threads() &&
        !Pool::start_thread(executor_->pool_) && pool.threads.empty() && tasks.mode == Mode::threads_only) {
      tasks.error = unavailable("the system gives no thread to run tasks on (process or memory limit)");
      pool.drop_queued(lock, tasks);
      pool.after_task(tasks);
      return;
    }
    pool.work.notify_one();
    pool.tell_who_gives_way();
  }
  if (tasks.waiting > 0) tasks.changed.notify_all();
}

const std::atomic<bool>& Executor::Group::gives_way() const noexcept {
  return tasks_->gives_way;
}

Status Executor::Group::wait() {
  Pool& pool = *executor_->pool_;
  Tasks& tasks = *tasks_;
  Pool::Lock lock(pool.mutex);
  const bool helps = tasks.mode != Mode::threads_only || exec_internal::pool_of_this_thread == &pool;
  ++tasks.waiting;
  while (tasks.generation == pool.generation.load(std::memory_order_relaxed) && !tasks.idle()) {
    if (helps && tasks.may_start()) {
      pool.run_one(lock, tasks);
    } else {
      tasks.changed.wait(lock);
    }
  }
  --tasks.waiting;
  if (tasks.error) return *tasks.error;
  if (!tasks.idle()) return microtome::cancelled("the process forked while this group's tasks ran");
  if (tasks.cancelled.load(std::memory_order_relaxed))
    return microtome::cancelled("the tasks were cancelled");
  return ok_status();
}

void Executor::Group::cancel() noexcept {
  Pool& pool = *executor_->pool_;
  Pool::Lock lock(pool.mutex);
  tasks_->cancelled.store(true, std::memory_order_relaxed);
  tasks_->gives_way.store(true, std::memory_order_relaxed);
  if (tasks_->generation != pool.generation.load(std::memory_order_relaxed)) return;
  pool.drop_queued(lock, *tasks_);
  pool.after_task(*tasks_);
}

bool Executor::Group::cancelled() const noexcept {
  return tasks_->cancelled.load(std::memory_order_relaxed);
}

}  // namespace microtome
