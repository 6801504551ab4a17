// The seam between the pipeline and what decodes tiles for it: on the CPU, or by a library of NVIDIA's.
//
// A step of the pipeline (steps.h) is a list of tiles, each with a place in a slab. A backend is given the
// list (submit), does what the host has to do for it (until is_ready), makes the device's memory ready
// (prepare), gives the device the rest and says of each tile what became of it (queue); when the host has
// seen the device done, it may take that back (finish). One backend for each pipeline; called by its thread
// alone, though it may use the executor's. It knows tiles, formats and memory; nothing of patches, batches or
// order.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/device/cuda/device.h"
#include "microtome/plan/region.h"
#include "microtome/read/gpu/scatter.h"
#include "microtome/slide/slide.h"

namespace microtome::gpu {

/// What became of a tile. A tile's failure is never the step's.
enum class TileVerdict : uint8_t {
  ok,
  absent,     ///< The file has none: background.
  failed,     ///< SlabTile::error says why. Less of it may do for another batch: SlabTile::have.
  refused,    ///< SlabTile::error says why, and nobody else is to decode any of it.
  elsewhere,  ///< This backend did not place it: the pipeline is to decode it by itself, with room to spare.
};

/// A tile of a step: in a slab, or it will be when its step is done; or none, where the file has none.
struct SlabTile {
  TileKey key;
  Rect part;             ///< What of the tile is asked for, in its pixels.
  bool in_slab = false;  ///< False: absent or failed from the start.
  size_t slab = 0;       ///< SlabRing's.

  // The backend's answer: complete when its step was queued, but for what finish() takes back.
  TileVerdict verdict = TileVerdict::failed;
  bool on_device = false;  ///< The slot is the device's to write: nothing of it is to go up.
  Error error;
  SlabSlot slot;
  Point origin;  ///< Of the slot's first pixel in the tile.
  Rect have;     ///< What of the tile the slot has; where it failed, what of it failed.
};

/// Memory of one tile: of the device, and pinned memory whose content will be there when the tile is used.
struct SlotRoom {
  cuda::DeviceAddress address = 0;
  std::byte* pinned = nullptr;
  size_t bytes = 0;
};

struct TileJob {
  std::shared_ptr<SlabTile> tile;
  const Slide* slide = nullptr;  ///< unowned: the batch's.
  TileRef ref;
  Rect needed;  ///< By the batch that it is decoded for, in the tile's pixels.
  SlotRoom room;
};

/// What a backend has to remember of a list.
struct ListWork {
  virtual ~ListWork() = default;
};

/// The jobs of one step. Shared with the threads that work on them.
struct JobList {
  std::vector<TileJob> jobs;

  // The backend's.
  size_t share = 0;                  ///< Jobs that one thread is to take at once; 0: as it likes.
  size_t taken = 0;                  ///< Under JobCrew's lock.
  std::atomic<size_t> finished = 0;  ///< As JobCrew counts them.
  std::unique_ptr<ListWork> work;
};

class DecodeBackend {
 public:
  virtual ~DecodeBackend() = default;

  /// Bytes of a slot for the part `part` of such a tile: planes as most tiles of its image have them, or
  /// pixels. May read one tile of each image.
  virtual size_t slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) = 0;

  /// Begins with a list; the list and its memory stay until its step is done. Never waits. Errors:
  /// out_of_memory, unavailable.
  virtual Status submit(std::shared_ptr<JobList> list) = 0;

  /// Whether the host has done its part of it.
  virtual bool is_ready(const JobList& list) const = 0;

  /// Once the list is ready and the host has seen the last readers of its slots done: whether they may be
  /// written now. Called until they may. Never waits. Errors: the device's.
  virtual Result<bool> prepare(JobList& list) {
    static_cast<void>(list);
    return true;
  }

  /// Gives the device what is left to do. What `stream` is given from now on comes after it. Errors: the
  /// device's.
  virtual Status queue(JobList& list, const cuda::Stream& stream) = 0;

  /// The host has seen all of the step done. A tile that turns out not to be in its slot becomes `elsewhere`.
  virtual void finish(JobList& list) { static_cast<void>(list); }

  /// Does a piece of the host's part on the calling thread, if there is one left to do.
  virtual bool help() = 0;

  /// Drops what has not begun, and waits for what has: for threads, and for what the device was given.
  virtual void cancel() noexcept = 0;
};

}  // namespace microtome::gpu
