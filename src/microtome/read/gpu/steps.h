// A read onto the device, cut into steps that each fit into a slab.
//
// Made by the pipeline's thread when a read is added: which tiles are on the device already, which are to be
// decoded and where to, and which pieces of patches each step makes. What happens with a step is the
// pipeline's matter. Knows plans, slabs and sizes; no driver, no bytes. Not thread-safe.
//
// Note [Steps]
// What one step brings to the device is one stretch of a slab and goes up in one copy: the slots of its new
// tiles, then its pieces, then its read's constants. A batch whose new tiles fit into what is left of a
// slab, as most do, is one step and so one copy and one launch; a larger one is several, each of at most a
// slab.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/cuda/pool.h"
#include "microtome/plan/batch.h"
#include "microtome/read/gpu/backend.h"
#include "microtome/read/gpu/output_format.h"
#include "microtome/read/gpu/scatter.h"
#include "microtome/read/gpu/slab_ring.h"
#include "microtome/read/read_options.h"
#include "microtome/slide/slide.h"

namespace microtome::gpu {

/// A batch of patches, or one region, on its way to memory of the device.
struct DeviceRead {
  std::vector<std::shared_ptr<const Slide>> slides;  ///< What TileKey::slide counts.
  BatchPlan plan;                                    ///< All of its regions are of `shape`'s size.
  BatchShape shape;
  Constants constants;
  OnError on_error = OnError::raise;
  ReadCounters* counters = nullptr;  ///< unowned; may be null.
  /// Where its pixels go, and what keeps that memory, if it is ours.
  cuda::DeviceAddress pixels = 0;
  std::shared_ptr<cuda::DeviceBlock> block;

  // Answers, once `finished`.
  bool finished = false;
  std::optional<Error> error;
  std::vector<RegionError> errors;  ///< What on_error fill filled, by region then tile.

  // The pipeline's.
  size_t steps_left = 0;
  std::vector<std::pair<RegionError, TileKey>> broken;
};

/// Pieces of patches that come from one tile.
struct StepPart {
  std::shared_ptr<SlabTile> tile;
  const PlannedTile* planned = nullptr;  ///< unowned: the read's plan's.
  uint32_t first = 0, count = 0;         ///< Which of the plan's placements.
  bool is_odd = false;  ///< Made by itself, not by the step's launch: pipeline.h, Note [Odd tiles].
};

struct Step {
  uint64_t number = 0;  ///< 1, 2, 3, … in the order in which they are done.
  std::shared_ptr<DeviceRead> read;
  std::shared_ptr<JobList> list = std::make_shared<JobList>();
  std::vector<StepPart> parts;
  std::vector<std::pair<uint32_t, Rect>> background;  ///< Region, and what of it is background.
  size_t begin = 0, bytes = 0;                        ///< Its stretch, from the ring's beginning.
  size_t pieces_at = 0, constants_at = 0;             ///< From the ring's beginning.
  uint32_t piece_count = 0;                           ///< At most.
  uint64_t must_be_done = 0;                          ///< A step before it, before its stretch is written.
};

/// What a slab must hold beside a tile's slot.
inline constexpr uint32_t kMostPiecesOfPart = 1024;
constexpr size_t step_overhead(size_t constants_bytes) noexcept {
  return kMostPiecesOfPart * sizeof(ScatterPiece) + constants_bytes + 4 * SlabRing::kAlign;
}

/// Images whose tiles are larger than this (strips, as a rule) are decoded in the part that a batch needs.
inline constexpr size_t kLargestWholeSlot = size_t{8} << 20;

class StepPlanner {
 public:
  /// `ring`, `backend`  unowned: the pipeline's.
  StepPlanner(SlabRing& ring, DecodeBackend& backend, uint64_t& last_step)
      : ring_(ring), backend_(backend), last_step_(last_step) {}

  /// All steps of a read, one at least. Errors: out_of_memory, a tile that no slab can hold, with its place;
  /// io, a slide whose file changed since it was opened.
  Result<std::vector<std::unique_ptr<Step>>> cut(const std::shared_ptr<DeviceRead>& read);

 private:
  Status check_sources(const DeviceRead& read) const;
  Status cut_all();
  void add_background(uint32_t region);
  Status add_tile(const PlannedTile& planned, uint32_t first);
  Status add_parts(const std::shared_ptr<SlabTile>& tile, const PlannedTile& planned, uint32_t first);
  bool fits(size_t slot_bytes, size_t pieces) const noexcept;
  void make_room(size_t slot_bytes, size_t pieces);
  void open();
  void begin();
  void close();

  SlabRing& ring_;
  DecodeBackend& backend_;
  uint64_t& last_step_;
  std::shared_ptr<DeviceRead> read_;
  std::vector<std::unique_ptr<Step>> steps_;
};

/// The rectangles of a region of size `whole` around `covered`, at most four. Calls `each` with them.
template <class Each>
void around(const Size& whole, const Rect& covered, const Each& each) {
  if (covered.empty()) {
    if (!whole.empty()) each(Rect{0, 0, whole.w, whole.h});
    return;
  }
  const Rect rects[] = {{0, 0, whole.w, covered.y},
                        {0, covered.bottom(), whole.w, whole.h - covered.bottom()},
                        {0, covered.y, covered.x, covered.h},
                        {covered.right(), covered.y, whole.w - covered.right(), covered.h}};
  for (const Rect& rect : rects)
    if (!rect.empty()) each(rect);
}

}  // namespace microtome::gpu
