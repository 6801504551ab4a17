// The exact backend for every codec: tiles are decoded by the executor's threads into pinned memory.
//
// Made by whoever makes a pipeline's work: the loader, or a single read. What goes up to the device is planes
// of JPEG tiles and pixels of all others (decode_tile.h); the copy is the pipeline's, so that queue() has
// nothing to do.
#pragma once

#include <memory>
#include <unordered_map>

#include "microtome/read/gpu/backend.h"
#include "microtome/read/gpu/job_crew.h"
#include "microtome/read/read_options.h"
#include "microtome/read/worker.h"

namespace microtome::gpu {

class CpuBackend final : public DecodeBackend {
 public:
  /// `counters`  unowned: outlives the backend. May be null.
  CpuBackend(CrewOptions options, ReadCounters* counters);

  size_t slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) override;
  /// Of a tile's planes, as the first one of its image has them; 0: it has none.
  size_t plane_bytes(const Slide& slide, const TileKey& key, const TileRef& ref);
  Status submit(std::shared_ptr<JobList> list) override { return crew_.submit(std::move(list)); }
  bool is_ready(const JobList& list) const override { return JobCrew::is_ready(list); }
  Status queue(JobList& list, const cuda::Stream& stream) override;
  bool help() override { return crew_.help(); }
  void cancel() noexcept override { crew_.cancel(); }

 private:
  void decode(const JobList& list, size_t begin, size_t end, Worker& worker);

  ReadCounters* const counters_;
  Worker looks_;                                               // of slot_bytes()
  std::unordered_map<const TileFormat*, size_t> plane_bytes_;  // of a format's first tile; 0: no planes
  JobCrew crew_;                                               // last: goes first, waiting for its threads
};

}  // namespace microtome::gpu
