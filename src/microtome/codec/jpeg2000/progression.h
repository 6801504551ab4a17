// The order of a tile's packets.
//
// Called by layout.cc, once for all tiles that are coded alike. Pure; internal to this folder. Source: ITU-T
// T.800 annex B.12.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/codec/jpeg2000/layout.h"

namespace microtome::jpeg2000 {

/// A precinct's place in the orders of B.12: on the grid, and in its component and resolution.
struct Place {
  uint32_t precinct;
  uint32_t component, resolution, number;
  uint64_t x, y;
  uint32_t layers = 0;  ///< That are in order already.
};

/// Fills `packets`. `places` is reordered. False: packets are left that no part of the progression has, or
/// that the library would not come to.
bool order_packets(const Coding& coding, std::vector<Place>& places, std::vector<Packet>& packets);

}  // namespace microtome::jpeg2000
