// The exact backend for every codec: tiles are decoded by the executor's threads into pinned memory.
//
// Made by whoever makes a pipeline's work: the loader, or a single read. What goes up to the device is planes
// of JPEG tiles and pixels of all others (decode_tile.h); the copy is the pipeline's, so that queue() has
// nothing to do.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "microtome/exec/executor.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/read_options.h"
#include "microtome/read/worker.h"

namespace microtome::gpu {

struct CpuBackendOptions {
  std::shared_ptr<Executor> executor;
  std::shared_ptr<WorkerPool> workers;
  /// That decode at most at once, beside the pipeline's own, which decodes in help() alone.
  int threads = 0;
  ReadCounters* counters = nullptr;  ///< unowned: outlives the backend. May be null.
  /// Called on any thread: a list has become ready. Must not call back.
  std::function<void()> on_ready;
  /// Called on a thread of the executor's as it begins (true) and ends (false) to work.
  std::function<void(bool)> on_work;
};

class CpuBackend final : public DecodeBackend {
 public:
  explicit CpuBackend(CpuBackendOptions options);
  ~CpuBackend() override;

  size_t slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) override;
  Status submit(std::shared_ptr<JobList> list) override;
  bool is_ready(const JobList& list) const override;
  Status queue(JobList& list, const cuda::Stream& stream) override;
  bool help() override;
  void cancel() noexcept override;

 private:
  /// Jobs of one list that follow each other, taken by one thread.
  struct Claim {
    std::shared_ptr<JobList> list;
    size_t begin = 0, end = 0;
  };

  Status work();
  void drain();
  void give_up(const Claim& claim);
  void count(const Claim& claim, size_t jobs);
  void hire(size_t jobs);
  bool take(Claim& claim, size_t most);
  void decode(const Claim& claim, Worker& worker);

  CpuBackendOptions options_;
  Worker looks_;                                               // of slot_bytes()
  std::unordered_map<const TileFormat*, size_t> plane_bytes_;  // of a format's first tile; 0: no planes
  std::mutex mutex_;                            // of the rest but the group, and of JobList::taken
  std::deque<std::shared_ptr<JobList>> lists_;  // with jobs that nobody took
  int tasks_ = 0;                               // queued or running
  bool cancelled_ = false;
  std::unique_ptr<Executor::Group> group_;  // null without threads; last: goes first
};

}  // namespace microtome::gpu
