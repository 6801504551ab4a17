#include "microtome/read/gpu/job_crew.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace microtome::gpu {
namespace {

CrewOptions bounded(CrewOptions options) {
  options.threads = std::min(options.threads, Executor::kMaxThreads);
  return options;
}

}  // namespace

JobCrew::JobCrew(CrewOptions options, Share share, Work work)
    : options_(bounded(std::move(options))), share_(std::move(share)), work_(std::move(work)) {
  if (options_.threads > 0)
    group_ = std::make_unique<Executor::Group>(options_.executor, options_.threads,
                                               Executor::Group::Mode::threads_only);
}

JobCrew::~JobCrew() {
  cancel();
}

void JobCrew::cancel() noexcept {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    lists_.clear();
  }
  if (group_ == nullptr) return;
  group_->cancel();
  static_cast<void>(group_->wait());
}

Status JobCrew::submit(std::shared_ptr<JobList> list) {
  const size_t jobs = list->jobs.size();
  if (jobs == 0) return ok_status();
  {
    const std::lock_guard lock(mutex_);
    lists_.push_back(std::move(list));
  }
  if (group_ == nullptr) return ok_status();
  hire(jobs);
  if (group_->cancelled()) return group_->wait().error();  // the system gave no thread
  return ok_status();
}

/// As many tasks as there is room for; those that run already will come to the jobs too.
void JobCrew::hire(size_t jobs) {
  for (; jobs > 0; --jobs) {
    {
      const std::lock_guard lock(mutex_);
      if (tasks_ >= options_.threads) return;
      ++tasks_;
    }
    try {
      group_->run([this] { return run(); });
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock(mutex_);
      --tasks_;
      throw;
    }
  }
}

/// False: nothing is left. `one`: of a share that is the thread's choice, one job alone.
bool JobCrew::take(Claim& claim, bool one) {
  const std::lock_guard lock(mutex_);
  if (lists_.empty() || cancelled_) return false;
  claim.list = lists_.front();
  claim.begin = claim.list->taken;
  const size_t left = claim.list->jobs.size() - claim.begin;
  const size_t share = one && claim.list->share == 0 ? 1 : share_(*claim.list, left);
  claim.end = claim.begin + std::clamp<size_t>(share, 1, left);
  claim.list->taken = claim.end;
  if (claim.end == claim.list->jobs.size()) lists_.pop_front();
  return true;
}

void JobCrew::do_jobs(const Claim& claim, Worker& worker) {
  try {
    work_(*claim.list, claim.begin, claim.end, worker);
  } catch (const std::bad_alloc&) {
    give_up(claim);
  }
  count(claim);
}

/// For want of memory: each job has an answer, whatever happens.
void JobCrew::give_up(const Claim& claim) {
  for (size_t i = claim.begin; i < claim.end; ++i) {
    SlabTile& tile = *claim.list->jobs[i].tile;
    tile.verdict = TileVerdict::failed;
    tile.error = {Errc::out_of_memory, "no memory left"};
  }
}

void JobCrew::count(const Claim& claim) {
  const size_t jobs = claim.end - claim.begin;
  const size_t before = claim.list->finished.fetch_add(jobs, std::memory_order_acq_rel);
  if (before + jobs == claim.list->jobs.size() && options_.on_ready) options_.on_ready();
}

/// Works until nothing is left or other groups want the thread.
void JobCrew::drain() {
  std::optional<WorkerPool::Lease> worker;
  Claim claim;
  while (!group_->cancelled() && take(claim, false)) {
    try {
      if (!worker) {
        worker.emplace(options_.workers->lease());
        (*worker)->bytes.reset();
      }
    } catch (const std::bad_alloc&) {
      give_up(claim);
      count(claim);
      continue;
    }
    do_jobs(claim, **worker);
    if (group_->gives_way().load(std::memory_order_relaxed)) return;
  }
}

/// A task of the group.
Status JobCrew::run() {
  for (;;) {
    if (options_.on_work) options_.on_work(true);
    drain();
    if (options_.on_work) options_.on_work(false);
    {
      // Under the lock of submit(): what was added before this is seen here, what is added after it hires.
      const std::lock_guard lock(mutex_);
      if (lists_.empty() || cancelled_ || group_->cancelled()) {
        --tasks_;
        return ok_status();
      }
    }
    try {
      group_->run([this] { return run(); });
      return ok_status();
    } catch (const std::bad_alloc&) {
      // No room to come back: goes on instead.
    }
  }
}

bool JobCrew::is_ready(const JobList& list) noexcept {
  return list.finished.load(std::memory_order_acquire) == list.jobs.size();
}

bool JobCrew::help() {
  const WorkerPool::Lease worker = options_.workers->lease();  // first: what is taken must be answered
  Claim claim;
  if (!take(claim, true)) return false;
  worker->bytes.reset();
  do_jobs(claim, *worker);
  return true;
}

}  // namespace microtome::gpu
