#include "microtome/read/gpu/slab_ring.h"

#include <algorithm>

namespace microtome::gpu {

size_t SlabRing::take(size_t bytes) noexcept {
  const size_t at = position();
  filled_ = std::min(slab_bytes_, filled_ + aligned(bytes));
  return at;
}

void SlabRing::advance() {
  current_ = (current_ + 1) % slabs_.size();
  filled_ = 0;
  Slab& slab = slabs_[current_];
  must_be_done_ = slab.last_step;
  for (const auto& weak : slab.tiles) {
    const auto tile = weak.lock();
    if (!tile) continue;
    const auto found = tiles_.find(tile->key);
    if (found != tiles_.end() && found->second == tile) tiles_.erase(found);
  }
  slab.tiles.clear();
}

std::shared_ptr<SlabTile> SlabRing::find(const TileKey& key, const Rect& needed) const {
  const auto found = tiles_.find(key);
  return found != tiles_.end() && found->second->part.contains(needed) ? found->second : nullptr;
}

void SlabRing::keep(const std::shared_ptr<SlabTile>& tile) {
  tile->slab = current_;
  slabs_[current_].tiles.push_back(tile);
  tiles_[tile->key] = tile;
}

void SlabRing::forget() {
  tiles_.clear();
  for (Slab& slab : slabs_) slab.tiles.clear();
}

}  // namespace microtome::gpu
