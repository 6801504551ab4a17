// The order in which patches are delivered: a pure function of (count, shuffle, seed, epoch, rank,
// world_size).
//
// The same on every machine, compiler and number of workers.
#pragma once

#include <cstdint>
#include <vector>

#include "microtome/base/error.h"

namespace microtome {

struct OrderOptions {
  bool shuffle = false;
  uint64_t seed = 0;
  uint64_t epoch = 0;
  /// This process takes places rank, rank + world_size, … of the epoch's order: together the ranks deliver
  /// every patch once, and the numbers of theirs differ by one at most.
  int64_t rank = 0, world_size = 1;
};

/// Positions 0 … count-1 (or this rank's part of them) in order of delivery.
/// Errors: invalid_argument when count is negative or rank is not in [0, world_size).
Result<std::vector<int64_t>> make_order(int64_t count, const OrderOptions& options);

}  // namespace microtome
