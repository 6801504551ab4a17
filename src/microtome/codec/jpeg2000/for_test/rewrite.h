// Rewrites codestreams into forms that OpenJPEG reads and its encoder does not write: components coded each
// in its own way, headers of packets apart from their bodies, markers in other places. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "microtome/codec/for_test/random.h"

namespace microtome::jpeg2000::test {

using microtome::test::Random;
using Stream = std::vector<std::byte>;

/// A codestream of one tile in one part.
struct Pieces {
  struct Segment {
    uint8_t code;  ///< The marker's second byte.
    Stream body;   ///< Behind the length.
  };
  std::vector<Segment> main, tile;
  Stream packets;

  /// The one segment of a kind in the main header.
  Segment& segment(uint8_t code);
};

/// Nothing: of several tiles or parts.
std::optional<Pieces> take_apart(const Stream& stream);
Stream put_together(const Pieces& pieces);

/// One stream of all components, from one stream of each. They have one grid, as many layers, the same
/// markers at packets, and packets component by component; else each is coded in its own way (COC, QCC).
Pieces join_components(const std::vector<Pieces>& components);

/// Moves the headers of packets, which have SOP before and EPH behind them, into PPM or PPT segments. With
/// `keep_markers` SOP stays with the bodies and EPH with the headers.
void pack_headers(Pieces& pieces, bool in_main_header, bool keep_markers, Random& random);

/// An entry of POC.
struct Change {
  uint32_t first_resolution, first_component, end_layer, end_resolution, end_component, progression;
};

/// Puts packets, which have SOP before them, into the order of POC, which must have all of them. Our own
/// layout says which is which: were it wrong, the library would decode something else. False: it declines.
bool reorder_packets(Pieces& pieces, const std::vector<Change>& changes);

/// Puts tile-parts into another order in which each tile's are in order; not where TLM tells it.
void interleave_parts(Stream& stream, Random& random);

/// Moves COD, COC, QCD, QCC, RGN or POC to the tile's header, and leaves others in the main header that they
/// override; with `other_levels` some of those have fewer decompositions, which bounds how far the library
/// reduces the tile.
void move_to_tile_header(Pieces& pieces, bool other_levels, Random& random);

/// Adds segments that say what is known without them: TLM, PLM, PLT, CRG, COM.
void add_segments(Pieces& pieces, Random& random);

}  // namespace microtome::jpeg2000::test
