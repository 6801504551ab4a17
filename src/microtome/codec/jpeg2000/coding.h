// What the headers of a codestream say, of those that our decoder takes: one codestream tile from the grid's
// origin, in any number of parts, up to four unsigned components of up to 8 bits, coded alike.
//
// Made by markers.h, read by layout.h; internal to this folder. Source: ITU-T T.800 annex A.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace microtome::jpeg2000 {

inline constexpr size_t kMaxComponents = 4;
inline constexpr int kMaxLevels = 15;  ///< T.800 allows 32; sums of more could leave a float's range.

/// Table A.16.
enum class Progression : uint8_t { lrcp, rlcp, rpcl, pcrl, cprl };

/// The quantisation of a sub-band (A.6.4): a step of 2^(bits - exponent) (1 + mantissa / 2048).
struct StepSize {
  uint8_t exponent = 0;
  uint16_t mantissa = 0;
};

struct ComponentCoding {
  uint8_t bits = 8;
  uint8_t dx = 1, dy = 1;  ///< Every dx-th column and dy-th row of the grid has a sample: 1 or 2.
  uint8_t guard_bits = 0;
  std::array<StepSize, 3 * kMaxLevels + 1> steps;  ///< LL, then HL, LH and HH of each resolution from 1 on.
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

struct Coding {
  uint32_t width = 0, height = 0;
  uint8_t components = 0;
  std::array<ComponentCoding, kMaxComponents> component;
  Progression progression = Progression::lrcp;
  uint16_t layers = 1;
  uint8_t levels = 0;                                  ///< Decompositions; there is one resolution more.
  uint8_t block_w = 6, block_h = 6;                    ///< Log2 of a code-block's sides.
  std::array<PrecinctSize, kMaxLevels + 1> precincts;  ///< By resolution.
  bool reversible = false;                             ///< 5/3 in integers, rather than 9/7 in floats.
  bool colour_transform = false;                       ///< RCT or ICT over the first three components.
  bool sop = false, eph = false;  ///< Markers may stand before, and do stand behind, packet headers.
  BlockStyle style;
};

}  // namespace microtome::jpeg2000
