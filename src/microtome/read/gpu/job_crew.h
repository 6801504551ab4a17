// The executor's threads at the jobs of lists, and whoever helps them.
//
// A backend's: it says what is to be done with some jobs that follow each other, and the crew sees to it that
// each job of each list is done once, lists in their order, by as many threads as it was given. Knows nothing
// of tiles. Called by a pipeline's thread; what it calls runs on any.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "microtome/base/error.h"
#include "microtome/exec/executor.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/worker.h"

namespace microtome::gpu {

struct CrewOptions {
  std::shared_ptr<Executor> executor;
  std::shared_ptr<WorkerPool> workers;
  /// That work at most at once, beside the pipeline's own, which works in help() alone.
  int threads = 0;
  /// Called on any thread: a list has become ready. Must not call back.
  std::function<void()> on_ready;
  /// Called on a thread of the executor's as it begins (true) and ends (false) to work.
  std::function<void(bool)> on_work;
};

class JobCrew {
 public:
  /// Does jobs [begin, end) of the list, each of which has its answer afterwards.
  using Work = std::function<void(JobList& list, size_t begin, size_t end, Worker& worker)>;
  /// How many jobs of a list, of which `left` are left, a thread is to take at once.
  using Share = std::function<size_t(const JobList& list, size_t left)>;

  JobCrew(CrewOptions options, Share share, Work work);
  ~JobCrew();
  JobCrew(const JobCrew&) = delete;
  JobCrew& operator=(const JobCrew&) = delete;

  /// As DecodeBackend has them.
  Status submit(std::shared_ptr<JobList> list);
  static bool is_ready(const JobList& list) noexcept;
  bool help();
  void cancel() noexcept;

 private:
  /// Jobs of one list that follow each other, taken by one thread.
  struct Claim {
    std::shared_ptr<JobList> list;
    size_t begin = 0, end = 0;
  };

  Status run();
  void drain();
  void hire(size_t jobs);
  bool take(Claim& claim, bool one);
  void do_jobs(const Claim& claim, Worker& worker);
  void give_up(const Claim& claim);
  void count(const Claim& claim);

  const CrewOptions options_;
  const Share share_;
  const Work work_;
  std::mutex mutex_;                            // of the rest but the group, and of JobList::taken
  std::deque<std::shared_ptr<JobList>> lists_;  // with jobs that nobody took
  int tasks_ = 0;                               // queued or running
  bool cancelled_ = false;
  std::unique_ptr<Executor::Group> group_;  // null without threads; last: goes first
};

}  // namespace microtome::gpu
