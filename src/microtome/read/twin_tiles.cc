#include "microtome/read/twin_tiles.h"

#include <algorithm>
#include <cstring>

#include "microtome/read/constant_tiles.h"

namespace microtome {

uint64_t TwinTiles::sample_of(std::span<const std::byte> packed) noexcept {
  // The end and the middle: the start is often a header that all tiles share.
  uint64_t end = 0, middle = 0;
  const size_t bytes = std::min(packed.size(), sizeof end);
  std::memcpy(&end, packed.data() + packed.size() - bytes, bytes);
  std::memcpy(&middle, packed.data() + (packed.size() - bytes) / 2, bytes);
  return end * 0x9E3779B97F4A7C15 ^ middle;
}

std::optional<TwinTiles::Tile> TwinTiles::find(std::span<const std::byte> packed, const TileFormat& format,
                                               const Rect& region) const {
  const uint64_t sample = sample_of(packed);
  std::optional<Tile> found;
  {
    const std::lock_guard lock(mutex_);
    if (tiles_ == nullptr) return {};
    const Tile& tile = (*tiles_)[slot_of(packed.size(), sample)];
    if (tile.format == nullptr || tile.bytes.size != packed.size() || tile.sample != sample) return {};
    found = tile;
  }
  if (!found->region.contains(region) || !same_encoding(*found->format, format)) return {};
  return found;
}

void TwinTiles::note(const Tile& tile) {
  const std::lock_guard lock(mutex_);
  if (tiles_ == nullptr) tiles_ = std::make_unique<std::array<Tile, kSlots>>();
  (*tiles_)[slot_of(tile.bytes.size, tile.sample)] = tile;
}

}  // namespace microtome
