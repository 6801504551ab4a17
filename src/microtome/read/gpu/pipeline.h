// Reads on their way onto a device: decoded, copied up, scattered, in order and beside each other.
//
// Driven by one thread: the loader's device thread, or the caller of a single read. It adds reads and calls
// advance() until they are finished; nothing here waits, allocates on the device or makes the host wait for
// it, once a pipeline is made. Knows steps and memory; which batches come and who takes them is the loader's
// matter, how a tile is decoded its backend's. Not thread-safe.
//
// Note [Way of a step]
//   cut        its tiles have slots in a slab, its pieces are counted             steps.h
//   submitted  it has pinned memory; the backend decodes its tiles into that      backend.h
//   launched   the host's part of all tiles is done: the device is given the rest, pieces are listed, one
//   copy goes
//              up, one launch follows it
//   done       the host has seen the event behind the launch, and what turned out to be missing was mended:
//   pinned
//              memory and slab may be used again
// Steps go this way in order, but many may be decoded at once, and copies go up beside the launches before
// them.
//
// Note [Odd tiles]
// A slot has the room that most tiles of its image need. One that needs more (planes of another sampling, a
// stream that our JPEG decoder leaves to the library half way) its backend leaves over (`elsewhere`). The
// pipeline then decodes it by itself, as the batch needs it, into a lane of its own, one at a time, and
// launches its pieces after the step's others. Such tiles are rare; what they cost is a little of this
// thread's time. Tiles that a device's decoder said it had decoded, and had not, are mended in the same way
// once the step is done; so are their pieces in the steps that came after it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/cuda/device.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/gpu/marks.h"
#include "microtome/read/gpu/scatter.h"
#include "microtome/read/gpu/slab_ring.h"
#include "microtome/read/gpu/steps.h"
#include "microtome/read/worker.h"

namespace microtome::gpu {

/// A device with our kernels on it: what all pipelines of a process share. Immutable.
struct Gpu {
  /// Errors as Device::open's and load_kernels'.
  static Result<std::shared_ptr<const Gpu>> open(std::shared_ptr<const cuda::Driver> driver, int ordinal);

  std::shared_ptr<const cuda::Device> device;
  ScatterKernel scatter;
  MarkKernels marks;
};

struct PipelineSizes {
  size_t slabs = 0, slab_bytes = 0;  ///< Device memory: at least two slabs.
  size_t staging_bytes = 0;          ///< Pinned memory: at least a slab's.

  size_t device_bytes() const noexcept { return slabs * slab_bytes; }
};

class Pipeline {
 public:
  /// Takes all the memory that it will ever have, but for a lane: Note [Odd tiles]. `backend` decodes; its
  /// lists are ready when advance() has something to do. Errors: the device's.
  static Result<std::unique_ptr<Pipeline>> make(std::shared_ptr<const Gpu> gpu, const PipelineSizes& sizes);
  /// Stops. Not in a forked child: there a pipeline is left where it is, with what its threads had locked.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Before the first read. `workers` are for odd tiles.
  void start(std::unique_ptr<DecodeBackend> backend, std::shared_ptr<WorkerPool> workers);
  /// Drops what has not begun, waits for the rest, and forgets all tiles: start() may follow.
  void stop() noexcept;

  /// What writes to the memory of reads: earlier work of others on it is to be in front of this stream's.
  const cuda::Stream& writer() const noexcept { return scatter_; }

  /// Puts a read behind the others. An error is the read's alone (StepPlanner::cut's), but for the backend's.
  Status add(std::shared_ptr<DeviceRead> read);

  /// Does what can be done without waiting. True where something was; reads that finished by it say so.
  /// An error is the device's or the backend's: nothing added will finish any more.
  Result<bool> advance();

  const PipelineSizes& sizes() const noexcept { return sizes_; }
  /// Where sizes().device_bytes() of the device are, for as long as the pipeline lives.
  cuda::DeviceAddress slabs() const noexcept { return slabs_.address(); }

  /// Decodes a tile on this thread, if one is left that nobody has begun.
  bool help() { return backend_->help(); }

  /// Whether the device works on something whose end nobody will tell: the caller is to look again soon.
  bool is_device_busy() const noexcept;

 private:
  struct Active;
  struct Lane;

  Pipeline(std::shared_ptr<const Gpu> gpu, const PipelineSizes& sizes);
  Status make_memory();
  Result<bool> submit_steps();
  Result<bool> launch_steps();
  Result<bool> finish_steps();
  bool is_done(uint64_t step) const noexcept;
  Status launch(Active& active);
  Status send_up(const Step& step, const std::byte* pinned);
  void list_pieces(Active& active, PieceList& pieces) const;
  Status list_part(DeviceRead& read, const StepPart& part, const SlabTile& tile, PieceList& pieces) const;
  Status fill_part(DeviceRead& read, const StepPart& part, PieceList& pieces) const;
  Result<bool> repair(Active& active);
  Status repair_part(DeviceRead& read, const StepPart& part);
  Status make_lane(size_t bytes);
  std::optional<size_t> take_staging(size_t bytes);
  void look_back(Active& active);
  void finish(const Active& active);
  const cuda::Device& device() const noexcept { return *gpu_->device; }

  std::shared_ptr<const Gpu> gpu_;
  const PipelineSizes sizes_;
  SlabRing ring_;
  uint64_t last_step_ = 0;  // cut
  cuda::Stream copy_, scatter_;
  cuda::DeviceMemory slabs_;
  cuda::PinnedMemory staging_;
  std::deque<std::pair<size_t, size_t>> staged_;  // begin and end of what steps have of it, in their order
  std::unique_ptr<Lane> lane_;
  std::vector<std::pair<cuda::Event, cuda::Event>> idle_events_;
  std::deque<std::unique_ptr<Active>> cut_, submitted_, launched_;  // in order, one behind the other
  std::shared_ptr<WorkerPool> workers_;
  std::unique_ptr<DecodeBackend> backend_;  // last: goes first, waiting for its threads
};

}  // namespace microtome::gpu
