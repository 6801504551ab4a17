// What the headers of a codestream say of one of its tiles, as far as our decoder takes it.
//
// Made by coding.cc from the marker segments that markers.h found, read by layout.h; internal to this folder.
// Source: ITU-T T.800 annexes A and B.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace microtome::jpeg2000 {

inline constexpr size_t kMaxComponents = 4;
inline constexpr int kMaxLevels = 15;  ///< T.800 allows 32; sums of more could leave a float's range.
inline constexpr unsigned kMaxBits = 16;
inline constexpr unsigned kMaxSampling = 4;

/// Table A.16.
enum class Progression : uint8_t { lrcp, rlcp, rpcl, pcrl, cprl };

/// The quantisation of a sub-band (A.6.4): a step of 2^(bits - exponent) (1 + mantissa / 2048).
struct StepSize {
  uint8_t exponent = 0;
  uint16_t mantissa = 0;
};

/// How code-blocks are coded (table A.19).
struct BlockStyle {
  static constexpr unsigned kAll = 0x3F;
  bool bypass = false;             ///< Behind four bit planes, only clean-up passes are arithmetically coded.
  bool reset = false;              ///< Contexts begin anew in each pass.
  bool terminate = false;          ///< Each pass is a codeword segment.
  bool vertically_causal = false;  ///< No sample's context knows of the next stripe.
  bool segmentation_symbols = false;  ///< Behind each clean-up pass.

  // Predictable termination, 0x10, changes nothing for who does not look for errors.
  static BlockStyle of(unsigned bits) {
    return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 0x20) != 0};
  }

  /// Passes that the codeword segment still has which pass `pass` belongs to (table D.9).
  unsigned passes_left(unsigned pass) const {
    constexpr unsigned kMost = 109, kBeforeBypass = 10;
    if (terminate) return 1;
    if (!bypass) return pass < kMost ? kMost - pass : 0;
    if (pass < kBeforeBypass) return kBeforeBypass - pass;
    return (pass - kBeforeBypass) % 3 == 0 ? 2 : 1;  // two raw passes, one clean-up pass
  }
  /// Whether a pass's bits are not arithmetically coded.
  bool raw(unsigned pass) const { return bypass && pass >= 10 && pass % 3 != 0; }
};

/// Log2 of a precinct's sides, in samples of its resolution.
struct PrecinctSize {
  uint8_t w = 15, h = 15;
};

struct ComponentCoding {
  uint8_t bits = 8;
  bool is_signed = false;
  uint8_t dx = 1, dy = 1;  ///< Every dx-th column and dy-th row of the grid has a sample.

  // COD and COC.
  uint8_t levels = 0;                                  ///< Decompositions; there is one resolution more.
  uint8_t block_w = 6, block_h = 6;                    ///< Log2 of a code-block's sides.
  std::array<PrecinctSize, kMaxLevels + 1> precincts;  ///< By resolution.
  bool reversible = false;                             ///< 5/3 in integers, rather than 9/7 in floats.
  BlockStyle style;

  // QCD and QCC.
  uint8_t guard_bits = 0;
  std::array<StepSize, 3 * kMaxLevels + 1> steps;  ///< LL, then HL, LH and HH of each resolution from 1 on.

  uint8_t region_shift = 0;  ///< RGN: bit planes that the region of interest was lifted by.
};

/// Packets that follow each other in one order, of those that no part before had (A.6.6, B.12.2).
struct ProgressionPart {
  Progression order = Progression::lrcp;
  uint16_t end_layer = UINT16_MAX;
  uint8_t first_resolution = 0, end_resolution = UINT8_MAX;
  uint8_t first_component = 0, end_component = kMaxComponents;
};

/// A part of the reference grid, half-open.
struct Area {
  uint32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;

  uint32_t w() const { return x1 - x0; }
  uint32_t h() const { return y1 - y0; }
};

/// The image, and the tiles that it is cut into (B.2, B.3).
struct Grid {
  Area image;
  uint32_t tile_x0 = 0, tile_y0 = 0, tile_w = 1, tile_h = 1;  ///< The first tile, before the image cuts it.

  uint32_t across() const;
  uint32_t down() const;
  /// Tile `index`, row by row, as far as it is in the image.
  Area tile(size_t index) const;
};

struct Coding {
  Area tile;
  uint8_t components = 0;
  std::array<ComponentCoding, kMaxComponents> component;
  std::vector<ProgressionPart> progression{1};  ///< One part after the other.
  uint16_t layers = 1;
  bool colour_transform = false;  ///< RCT or ICT over the first three components.
  bool sop = false, eph = false;  ///< Markers may stand before, and do stand behind, packet headers.
  /// Of all components, in every header: what a tile can be reduced by. The library refuses a reduction by
  /// decompositions that another header overrides, too.
  uint8_t least_levels = kMaxLevels;
};

/// What SIZ says of the grid. False: declined, for sizes that no slide has and for irregular ones.
bool read_grid(std::span<const std::byte> siz_body, Grid& grid);

/// Reads the marker segments that codestream.h collected, for one tile of the grid. False: declined.
bool read_coding(std::span<const std::byte> segments, const Area& tile, Coding& coding);

}  // namespace microtome::jpeg2000
