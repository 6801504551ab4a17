// Finds the packets of a codestream's tiles and the headers that say how to read them.
//
// Called through tile.h. Takes regular streams only and declines the rest, which the library judges. Keeps
// its memory between streams. Not thread-safe. Source: ITU-T T.800 annex A.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "microtome/codec/jpeg2000/coding.h"

namespace microtome::jpeg2000 {

/// What a tile's packets are read from; borrowed from the codestream, or from Codestream where they are in
/// several places.
struct PacketBytes {
  std::span<const std::byte> packets;
  /// The packets' headers where they stand apart from their bodies (PPM, PPT).
  std::span<const std::byte> headers;
  bool headers_apart = false;
};

class Codestream {
 public:
  /// Walks the headers. False: declined.
  bool find(std::span<const std::byte> codestream);

  const Grid& grid() const { return grid_; }
  size_t tiles() const { return count_; }
  size_t components() const { return components_; }
  PacketBytes bytes_of(size_t tile) const;
  /// The marker segments that say how a tile is coded, one behind the other: those of the main header, and
  /// behind SOT the tile's own. Tiles of one place whose segments are equal are coded alike.
  void segments_of(size_t tile, std::vector<std::byte>& segments) const;

 private:
  using ByteSpan = std::span<const std::byte>;
  struct Tile {
    std::vector<std::byte> segments, joined, headers;
    ByteSpan packets;
    unsigned parts = 0, parts_said = 0;
    int last_headers = -1;  // the index of the last PPT segment
    bool has_progression = false;
  };
  struct PartLength {
    uint32_t tile, length;
  };

  bool read_main_header(ByteSpan& rest);
  bool read_lengths_of_parts(ByteSpan body);
  bool read_packed_headers(ByteSpan body);
  bool read_tile_part(ByteSpan& rest);
  bool read_tile_header(ByteSpan& part, Tile& tile);
  bool lengths_are_right() const;

  Grid grid_;
  size_t components_ = 0, count_ = 0;
  std::vector<std::byte> main_, headers_;
  int last_headers_ = -1;      // the index of the last PPM segment
  uint32_t headers_left_ = 0;  // bytes that its last entry goes on with in the next one
  bool has_progression_ = false;
  std::vector<Tile> tiles_;  // count_ of them; what is behind keeps its memory
  std::vector<PartLength> lengths_said_, lengths_;
};

}  // namespace microtome::jpeg2000
