// Finds the packets of a codestream and the headers that say how to read them.
//
// Called by codec/jpeg2000.cc through tile.h. Takes regular streams only and declines the rest, which the
// library judges. Pure; thread-safe. Source: ITU-T T.800 annex A.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "microtome/codec/jpeg2000/coding.h"

namespace microtome::jpeg2000 {

/// Walks the headers. `segments` takes the marker segments that matter, one behind the other: tiles whose
/// segments are equal are coded alike. `packets` is all of the tile's packets, borrowed from `codestream`, or
/// from `joined` where they are in several tile-parts. False: declined.
bool find_packets(std::span<const std::byte> codestream, std::vector<std::byte>& segments,
                  std::vector<std::byte>& joined, std::span<const std::byte>& packets);

/// Reads what find_packets() collected. False: declined.
bool read_coding(std::span<const std::byte> segments, Coding& coding);

}  // namespace microtome::jpeg2000
