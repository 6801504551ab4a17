// The threads of one loader and the batches that they work on.
//
// Made by the loader. Its consumer adds batches in order and takes them back in order. Knows nothing of
// order, prefetch or what is kept.
//
// Note [What a thread of the crew does next]
// A tile of the oldest batch that has one nobody took: so a slow tile keeps one thread, and the others go on
// to the next batch; and no thread idles while a batch that was added has a tile left. A tile that another
// thread is decoding for a cache is put off; when no batch has other tiles, each thread looks at those that
// were put off once more before it rests, so the one that decoded the tile does. (Where it is not of this
// crew, or looked a moment too early, they stay for the consumer.) A thread that other groups of the executor
// wait for gives way between two tiles.
//
// The consumer, while it waits for its batch, works on that one alone: in one of the crew's places, if one is
// free (tasks still wait for a thread, or gave theirs away), so that no other loader's work can keep it
// waiting; and on what was put off, for which it alone may wait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "microtome/base/error.h"
#include "microtome/exec/executor.h"
#include "microtome/loader/flight.h"
#include "microtome/loader/meter.h"
#include "microtome/read/worker.h"

namespace microtome {

/// One consumer thread at a time calls its members.
class Crew {
 public:
  /// At most `workers` threads work at once, the consumer among them, and fewer where they are more than the
  /// CPUs; with 0 it works alone, in take().
  Crew(std::shared_ptr<Executor> executor, std::shared_ptr<WorkerPool> pool, int workers,
       std::shared_ptr<LoaderMeter> meter);
  /// Stops at once: what has not started is dropped, what runs is waited for.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Puts a batch behind the others and lets threads work on it.
  void add(std::shared_ptr<Flight> flight);
  /// A batch that failed already.
  void add_failed(std::shared_ptr<Flight> flight, Error error);

  size_t size() const noexcept { return flights_.size(); }  ///< Batches added and not taken.

  /// The oldest batch, once it is finished; or its error. There must be one.
  Result<std::shared_ptr<Flight>> take();

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Busy = TileCache::Busy;

  void hire(size_t tasks);
  Status work();
  bool work_on(Lock& lock, const std::atomic<bool>& gives_way);
  std::shared_ptr<Flight> next() const;
  void drain_put_off(Lock& lock, Worker& worker, const std::atomic<bool>& gives_way);
  void drain(Lock& lock, Flight& flight, Worker& worker, const std::atomic<bool>* stop, Busy busy);
  bool help(Lock& lock, Flight& flight);
  void fail(Flight& flight, Error error) noexcept;
  void tell_consumer() noexcept;

  std::shared_ptr<WorkerPool> pool_;
  std::shared_ptr<LoaderMeter> meter_;
  const int workers_;
  int useful_;        // under mutex_; of workers_, for the batch added last: Note [More workers than CPUs] in
                      // worker.h
  std::mutex mutex_;  // of all below but the group, and of what Flight says
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Flight>> flights_;  // changed by the consumer alone
  int tasks_ = 0;                                // of the group: queued or running
  int places_ = 0;                               // taken: by tasks that run, and by the consumer
  uint64_t changes_ = 0;                         // that the consumer may have waited for
  std::unique_ptr<Executor::Group> group_;       // null without workers; last: goes first
};

}  // namespace microtome
