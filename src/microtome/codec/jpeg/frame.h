// What a JPEG tile says of itself before its entropy-coded data: sizes, components and tables, as plain
// values.
//
// Made by markers.h, used by all that follows. Terms and numbers are those of ITU-T T.81.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "microtome/base/geometry.h"

namespace microtome::jpeg {

/// How often the two chroma components are sampled against the first: the MCU's shape. Colour is not the
/// stream's matter.
enum class Sampling : uint8_t {
  grey,  ///< One component; MCU of 1 block.
  s444,  ///< 3 components of 1x1; MCU of 3 blocks.
  s422,  ///< 2x1, 1x1, 1x1: half the columns; 4 blocks.
  s440,  ///< 1x2, 1x1, 1x1: half the rows; 4 blocks.
  s420,  ///< 2x2, 1x1, 1x1: half of both; 6 blocks.
};

/// T.81 figure A.6: row * 8 + column of each coefficient in the order of a stream.
inline constexpr std::array<uint8_t, 64> kNaturalOrder = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,   //
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,  //
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,  //
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/// A Huffman table as DHT writes it (B.2.4.2). Equal tables are equal byte for byte: what is not used is 0.
///
/// Only its sizes are checked. What else the library refuses where a scan uses the table, huffman.h must
/// refuse too: more codes of a length than there is room for, a code of all ones, a DC symbol above 15.
struct HuffmanSpec {
  std::array<uint8_t, 17> counts{};    ///< [1…16]: codes of that length; [0] is 0.
  std::array<uint8_t, 256> symbols{};  ///< In order of their codes; 0 from `size` on.
  uint16_t size = 0;                   ///< Symbols, at most 256: the sum of the counts.
  bool defined = false;

  bool operator==(const HuffmanSpec&) const = default;
};

/// A quantisation table as DQT writes it (B.2.4.1), from 8- or 16-bit values.
struct QuantTable {
  std::array<uint16_t, 64> natural{};  ///< Row by row rather than in zigzag order. Any value, 0 too.
  bool defined = false;

  bool operator==(const QuantTable&) const = default;
};

/// The tables of one moment of a stream, by their identifiers.
struct TableSet {
  std::array<HuffmanSpec, 4> dc, ac;
  std::array<QuantTable, 4> quant;
};

struct Component {
  uint8_t id = 0;
  uint8_t h = 1, v = 1;               ///< Sampling factors.
  uint8_t quant = 0, dc = 0, ac = 0;  ///< Which table of the TableSet; each is defined.
};

/// One frame of one scan of all its components, baseline or extended sequential, Huffman coded, of 8 bits.
struct Frame {
  Size size;  ///< 1…65500 each way, what the library takes. Need not be the size of the TIFF's tile.
  Sampling sampling = Sampling::grey;
  uint8_t components = 0;  ///< 1 or 3, in the order of both the frame and its scan.
  std::array<Component, 3> component;
  uint32_t restart_interval = 0;  ///< MCUs between restart markers; 0: there are none.
  TableSet tables;
  std::span<const std::byte>
      scan;  ///< All from the first entropy-coded byte to the end of the packed tile; borrowed from it.

  int h_max() const noexcept { return component[0].h; }
  int v_max() const noexcept { return component[0].v; }
};

}  // namespace microtome::jpeg
