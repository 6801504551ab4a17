// Where everything of a tile lies: resolutions, sub-bands, precincts, code-blocks, the order of packets, and
// what memory holds each.
//
// Made once for all tiles that are coded alike (tile.h keeps a few), so that a tile costs no geometry. Made
// from coding.h, read by all that follows; internal to this folder. Source: ITU-T T.800 annex B.
//
// Note [Odd places]
// Samples at even places of a resolution's image come with low frequencies, those at odd ones with high ones,
// and places are counted from the origin of the component, not of the tile. So here a place in an image
// counts from the even one at or before its first sample: an image begins at 0 or at 1, and has the low
// frequency k at 2 k and the high one at 2 k + 1. Sub-bands begin at 0. Of a tile at the origin, and of all
// whose sides are multiples of 2^levels, every image begins at 0.
//
// Note [Sub-bands apart from resolutions]
// A resolution r > 0 is made from the image of resolution r - 1, which has the low frequencies, and from
// three sub-bands. Sub-bands hold what code-blocks hold, quantised in 16 bits (or 32, where there is more:
// widths.h); images of resolutions hold samples, 32-bit floats or integers. The image of the last resolution
// is never stored: its rows become bytes, and those pixels, while they are in the nearest cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/codec/jpeg2000/coding.h"

namespace microtome::jpeg2000 {

enum class Orientation : uint8_t { ll, hl, lh, hh };

struct Block {
  uint16_t x = 0, y = 0, w = 0, h = 0;  ///< In its sub-band.
};

struct Band {
  Orientation orientation = Orientation::ll;
  uint32_t w = 0, h = 0;
  uint32_t first_block = 0, blocks = 0;  ///< Blocks to the right of one come after it.
  uint8_t planes = 0;                    ///< Bit planes without any missing: M_b of equation E-2.
  float step = 0;                        ///< Of half a quantisation step, which values are counted in.
  size_t first_row = 0;                  ///< Of its rows among those of all bands.
  size_t offset = 0;                     ///< Of its first value in memory for values.
  size_t stride = 0;                     ///< Values between rows; at least kPadding more than w.
};

struct Resolution {
  uint32_t x0 = 0, y0 = 0;           ///< Of its first sample, in its component (tr_x0, tr_y0 of B.5).
  uint8_t begin_x = 0, begin_y = 0;  ///< Its first place, see Note [Odd places]; of LL alone 0.
  uint32_t w = 0, h = 0;
  uint32_t first_band = 0;
  uint8_t bands = 0;  ///< LL alone, or HL, LH, HH.
  size_t offset = 0;  ///< Of its first sample in memory for samples, but for the last resolution.
  size_t stride = 0;
};

struct ComponentLayout {
  Area samples;                   ///< The tile's, in the component (tc_x0 ... of B.3).
  uint32_t first_resolution = 0;  ///< Of levels + 1.
  size_t ring = 0;                ///< Of its first row in memory for rows, which has kRingRows in turn.
  size_t ring_stride = 0;
};

/// A tag tree (B.10.2): levels from its leaves to its root, in memory for nodes.
struct TreeShape {
  static constexpr int kMaxHeight = 12;
  uint32_t first_node = 0;
  uint8_t height = 0;
  std::array<uint16_t, kMaxHeight> w{};
  std::array<uint32_t, kMaxHeight> offset{};  ///< From first_node.
};

/// The blocks of one sub-band that a precinct has, row by row, and its two tag trees.
struct PrecinctBand {
  uint32_t band = 0, first_block = 0;
  uint16_t across = 0, down = 0;
  TreeShape inclusion, zero_planes;
};

struct Precinct {
  std::array<PrecinctBand, 3> bands;
  uint8_t count = 0;
  uint8_t component = 0;
};

struct Packet {
  uint32_t precinct = 0;
  uint16_t layer = 0;
};

struct Layout {
  Coding coding;
  std::vector<ComponentLayout> components;
  std::vector<Resolution> resolutions;
  std::vector<Band> bands;
  std::vector<Block> blocks;
  std::vector<Precinct> precincts;
  std::vector<Packet> packets;  ///< In the order in which they stand in the stream.
  size_t nodes = 0, rows = 0, values = 0, samples = 0, ring_samples = 0;
  uint32_t widest = 0;  ///< Columns of the widest component.

  const Resolution& resolution(size_t component, size_t r) const {
    return resolutions[components[component].first_resolution + r];
  }
};

/// A step of the wavelet makes two rows, while the one before them may still be needed.
inline constexpr size_t kRingRows = 4;

/// What may be read and written behind the last value or sample of a row.
inline constexpr size_t kPadding = 32;

/// False: declined, for sizes that no slide has, and for components without a sample.
bool make_layout(const Coding& coding, Layout& layout);

}  // namespace microtome::jpeg2000
