// Tiles whose bytes are their pixels, read from the file into memory of the device; all others by another
// backend.
//
// Made by the loader around the backend that decodes (decoders.h), where its caller asked for cuFile. The
// reads wait for the disk, so the executor's threads do them, as soon as a slot may be written; nothing of
// such a tile is in pinned memory or goes up. Knows tiles, files and slots; nothing of patches or batches.
//
// Note [Pages]
// A disk sends whole pages to the device, so a slot has room for the pages around a tile, wherever they begin
// in the slab, and the kernel is told where in them the first row is.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "microtome/device/cuda/cufile.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/gpu/direct_range.h"
#include "microtome/read/gpu/job_crew.h"
#include "microtome/read/read_options.h"

namespace microtome::gpu {

class DirectReport;

/// Whether cuFile is to read, where it can.
enum class Direct : uint8_t {
  off,
  any,   ///< Where the machine has GPUDirect Storage and nothing is in the way; what was is told.
  only,  ///< By its compat mode too; what is in the way is an error.
};

/// The slides' files as cuFile has them, and the slabs. Immutable.
struct DirectFiles {
  cuda::DeviceAddress slabs = 0;
  cuda::Cufile::Buffer buffer;  ///< All of the slabs.
  std::unordered_map<const Slide*, std::shared_ptr<const cuda::Cufile::File>> files;
};

class DirectBackend final : public DecodeBackend {
 public:
  /// `strict`    a read that fails is its tile's error; else the pipeline reads and decodes the tile in the
  ///             usual way, and `report` is told.
  /// `counters`  unowned: outlives the backend. May be null.
  DirectBackend(std::unique_ptr<DecodeBackend> usual, DirectFiles files, bool strict, CrewOptions crew,
                ReadCounters* counters, std::shared_ptr<DirectReport> report);
  ~DirectBackend() override;

  size_t slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) override;
  Status submit(std::shared_ptr<JobList> list) override;
  bool is_ready(const JobList& list) const override;
  Result<bool> prepare(JobList& list) override;
  Status queue(JobList& list, const cuda::Stream& stream) override;
  void finish(JobList& list) override;
  bool help() override;
  void cancel() noexcept override;

 private:
  struct Work;

  std::optional<DirectRange> range_of(const Slide& slide, const TileRef& ref, const Rect& part) const;
  void read(const JobList& list, size_t begin, size_t end);
  Status read(const TileJob& job, const DirectRange& range);

  std::unique_ptr<DecodeBackend> usual_;
  const DirectFiles files_;
  const bool strict_;
  ReadCounters* const counters_;
  const std::shared_ptr<DirectReport> report_;
  JobCrew crew_;  // last: goes first, waiting for its threads
};

}  // namespace microtome::gpu
