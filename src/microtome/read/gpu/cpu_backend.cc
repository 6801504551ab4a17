#include "microtome/read/gpu/cpu_backend.h"

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include "microtome/read/fetch_tile.h"
#include "microtome/read/gpu/decode_tile.h"

namespace microtome::gpu {
namespace {

// Tiles that a thread takes at once, so that their bytes are read together.
constexpr size_t kMostAtOnce = 8, kShare = 32;

}  // namespace

CpuBackend::CpuBackend(CpuBackendOptions options) : options_(std::move(options)) {
  options_.threads = std::min(options_.threads, Executor::kMaxThreads);
  if (options_.threads > 0)
    group_ = std::make_unique<Executor::Group>(options_.executor, options_.threads,
                                               Executor::Group::Mode::threads_only);
}

CpuBackend::~CpuBackend() {
  cancel();
}

void CpuBackend::cancel() noexcept {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    lists_.clear();
  }
  if (group_ == nullptr) return;
  group_->cancel();
  static_cast<void>(group_->wait());
}

size_t CpuBackend::slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) {
  const size_t pixels = pixel_slot_bytes(*ref.format, part.size());
  auto known = plane_bytes_.find(ref.format);
  if (known == plane_bytes_.end()) {
    size_t bytes = 0, packed_bytes = 0;
    const auto packed = fetch_tile(looks_, slide, key, ref, {}, packed_bytes);
    if (const auto decoder = looks_.decoder(*ref.format); packed.ok() && decoder.ok()) {
      const auto layout = (*decoder)->plane_layout(*packed, *ref.format);
      if (layout && layout->size == ref.format->size) bytes = layout->bytes();
    }
    looks_.shrink();
    known = plane_bytes_.emplace(ref.format, bytes).first;
  }
  // Planes are of the whole tile; of one that is used in part, pixels may be less. Those of 4:4:4 are as many
  // bytes as pixels, but for the ends of rows.
  const size_t planes = known->second;
  return planes != 0 && planes <= pixels + pixels / 4 ? planes : pixels;
}

Status CpuBackend::submit(std::shared_ptr<JobList> list) {
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
void CpuBackend::hire(size_t jobs) {
  for (; jobs > 0; --jobs) {
    {
      const std::lock_guard lock(mutex_);
      if (tasks_ >= options_.threads) return;
      ++tasks_;
    }
    try {
      group_->run([this] { return work(); });
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock(mutex_);
      --tasks_;
      throw;
    }
  }
}

/// False: nothing is left.
bool CpuBackend::take(Claim& claim, size_t most) {
  const std::lock_guard lock(mutex_);
  if (lists_.empty() || cancelled_) return false;
  claim.list = lists_.front();
  claim.begin = claim.list->taken;
  const size_t left = claim.list->jobs.size() - claim.begin;
  claim.end = claim.begin + std::clamp<size_t>(left / kShare, 1, most);
  claim.list->taken = claim.end;
  if (claim.end == claim.list->jobs.size()) lists_.pop_front();
  return true;
}

void CpuBackend::decode(const Claim& claim, Worker& worker) {
  const JobList& list = *claim.list;
  std::array<ByteRange, kMostAtOnce> next;
  for (size_t i = claim.begin; i < claim.end; ++i) {
    size_t ahead = 0;
    for (size_t j = i + 1; j < claim.end && list.jobs[j].slide == list.jobs[i].slide; ++j)
      next[ahead++] = list.jobs[j].ref.bytes;
    decode_tile(list.jobs[i], worker, std::span(next).first(ahead), options_.counters);
    count(claim, 1);
  }
}

/// For want of memory even for a worker: each job has an answer, whatever happens.
void CpuBackend::give_up(const Claim& claim) {
  for (size_t i = claim.begin; i < claim.end; ++i)
    claim.list->jobs[i].tile->error = {Errc::out_of_memory,
                                       "no memory left"};  // the verdict is `failed` already
  count(claim, claim.end - claim.begin);
}

void CpuBackend::count(const Claim& claim, size_t jobs) {
  const size_t before = claim.list->finished.fetch_add(jobs, std::memory_order_acq_rel);
  if (before + jobs == claim.list->jobs.size() && options_.on_ready) options_.on_ready();
}

/// Decodes until nothing is left or other groups want the thread.
void CpuBackend::drain() {
  std::optional<WorkerPool::Lease> worker;
  Claim claim;
  while (!group_->cancelled() && take(claim, kMostAtOnce)) {
    try {
      if (!worker) {
        worker.emplace(options_.workers->lease());
        (*worker)->bytes.reset();
      }
    } catch (const std::bad_alloc&) {
      give_up(claim);
      continue;
    }
    decode(claim, **worker);
    if (group_->gives_way().load(std::memory_order_relaxed)) return;
  }
}

/// A task of the group.
Status CpuBackend::work() {
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
      group_->run([this] { return work(); });
      return ok_status();
    } catch (const std::bad_alloc&) {
      // No room to come back: goes on instead.
    }
  }
}

bool CpuBackend::is_ready(const JobList& list) const {
  return list.finished.load(std::memory_order_acquire) == list.jobs.size();
}

Status CpuBackend::queue(JobList&, const cuda::Stream&) {
  return ok_status();
}

bool CpuBackend::help() {
  const WorkerPool::Lease worker = options_.workers->lease();  // first: what is taken must be answered
  Claim claim;
  if (!take(claim, 1)) return false;
  worker->bytes.reset();
  decode(claim, *worker);
  return true;
}

}  // namespace microtome::gpu
