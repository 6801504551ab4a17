// Which decoded tiles are on the device, and where the next ones go: the bookkeeping of the slabs.
//
// Asked by the planner (steps.h) while a batch is cut into steps. Knows tiles, offsets and numbers of steps;
// no memory, no driver, no pixels. Not thread-safe: its pipeline's thread's.
//
// Note [A ring of slabs]
// One piece of device memory, cut into equal slabs that are filled one after the other, and after the last
// one the first again. A tile stays where it was decoded to until its slab's turn comes, so that batches
// which follow use it again; what is in a slab is then forgotten all at once, the longest decoded first. So
// nothing is ever allocated or freed, and which tiles are decoded again depends on the order of batches
// alone, never on timing: where all tiles of a stretch of batches fit into the ring, each of them is decoded
// once there.
//
// Note [Life of a slab]
// Some GPUs' hardware decoders do not wait for what their stream was given before. So a slab is written again
// only when the host has seen the last step that reads it done: SlabRing tells which step that is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "microtome/base/geometry.h"
#include "microtome/plan/region.h"
#include "microtome/read/gpu/backend.h"

namespace microtome::gpu {

class SlabRing {
 public:
  /// All that is taken from a slab begins at a multiple of this.
  static constexpr size_t kAlign = 64;
  static constexpr size_t aligned(size_t bytes) noexcept { return (bytes + kAlign - 1) / kAlign * kAlign; }

  /// Two slabs or more: a tile that was just placed is not to be forgotten with the next slab.
  SlabRing(size_t slabs, size_t slab_bytes) : slabs_(slabs), slab_bytes_(slab_bytes) {}

  size_t slab_bytes() const noexcept { return slab_bytes_; }
  size_t bytes() const noexcept { return slabs_.size() * slab_bytes_; }

  /// Bytes left in the slab that is being filled.
  size_t room() const noexcept { return slab_bytes_ - filled_; }
  /// Of the next take(), from the ring's beginning.
  size_t position() const noexcept { return current_ * slab_bytes_ + filled_; }
  /// `bytes`, at most room(). Its offset from the ring's beginning.
  size_t take(size_t bytes) noexcept;
  /// Goes on to the next slab and forgets what is in it.
  void advance();

  /// Step `step`, the latest there is, reads the slab of this tile, or the one that is being filled.
  void read_by(const SlabTile& tile, uint64_t step) noexcept { slabs_[tile.slab].last_step = step; }
  void filled_by(uint64_t step) noexcept { slabs_[current_].last_step = step; }
  /// The step that must be done before the slab that is being filled may be written; 0: none.
  uint64_t must_be_done() const noexcept { return must_be_done_; }

  /// The tile, if it is here and has all of `needed`.
  std::shared_ptr<SlabTile> find(const TileKey& key, const Rect& needed) const;
  /// Notes that a tile is, or will be, in the slab that is being filled. One that was known before is
  /// forgotten.
  void keep(const std::shared_ptr<SlabTile>& tile);
  /// What is here is of use to nobody any more.
  void forget();

 private:
  struct Slab {
    uint64_t last_step = 0;
    std::vector<std::weak_ptr<SlabTile>> tiles;
  };

  std::vector<Slab> slabs_;
  size_t slab_bytes_;
  size_t current_ = 0, filled_ = 0;
  uint64_t must_be_done_ = 0;
  std::unordered_map<TileKey, std::shared_ptr<SlabTile>, TileKeyHash> tiles_;
};

}  // namespace microtome::gpu
