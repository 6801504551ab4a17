// Small numbers for tiles, given out and taken back.
//
// Used by Window, which keeps what it knows of a tile in an array under that number: planning goes through
// every tile of every batch, and a tree or a map of nodes costs it ten cache misses for each. Not
// thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "microtome/plan/region.h"

namespace microtome {

class TileNumbers {
 public:
  /// The tile's number, and whether it is new.
  std::pair<uint32_t, bool> add(const TileKey& key) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    const size_t slot = slot_of(key);
    if (slots_[slot] != kNone) return {slots_[slot], false};
    uint32_t number = static_cast<uint32_t>(keys_.size());
    if (free_.empty()) {
      keys_.push_back(key);
    } else {
      number = free_.back();
      free_.pop_back();
      keys_[number] = key;
    }
    slots_[slot] = number;
    ++count_;
    return {number, true};
  }

  const TileKey& key(uint32_t number) const noexcept { return keys_[number]; }

  /// Takes the number back, for another tile.
  void remove(uint32_t number) {
    free_.push_back(number);
    --count_;
    size_t hole = slot_of(keys_[number]);
    // Those behind that would not be found over the hole move into it.
    for (size_t slot = next(hole); slots_[slot] != kNone; slot = next(slot)) {
      const size_t home = home_of(keys_[slots_[slot]]);
      if (((slot - home) & mask()) < ((slot - hole) & mask())) continue;
      slots_[hole] = slots_[slot];
      hole = slot;
    }
    slots_[hole] = kNone;
  }

  size_t size() const noexcept { return count_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  size_t mask() const noexcept { return slots_.size() - 1; }
  size_t next(size_t slot) const noexcept { return (slot + 1) & mask(); }
  size_t home_of(const TileKey& key) const noexcept { return TileKeyHash{}(key)&mask(); }

  /// Where the tile stands or belongs.
  size_t slot_of(const TileKey& key) const noexcept {
    size_t slot = home_of(key);
    while (slots_[slot] != kNone && keys_[slots_[slot]] != key) slot = next(slot);
    return slot;
  }

  void grow() {
    std::vector<uint32_t> before(std::max<size_t>(1024, 2 * slots_.size()), kNone);
    before.swap(slots_);
    for (const uint32_t number : before)
      if (number != kNone) slots_[slot_of(keys_[number])] = number;
  }

  std::vector<uint32_t> slots_;  // open addressing, at most half full
  std::vector<TileKey> keys_;    // by number
  std::vector<uint32_t> free_;   // numbers
  size_t count_ = 0;
};

}  // namespace microtome
