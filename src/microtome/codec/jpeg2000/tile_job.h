// All that decoding one tile takes, ready for the code that is compiled once per instruction set. Made by
// TileDecoder (tile.h); internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>

#include "microtome/codec/jpeg2000/block_memory.h"
#include "microtome/codec/jpeg2000/layout.h"
#include "microtome/codec/jpeg2000/packets.h"
#include "microtome/codec/jpeg2000/window.h"
#include "microtome/codec/part_rows.h"

namespace microtome::jpeg2000 {

struct TileJob {
  const Layout* layout = nullptr;
  Windows windows;
  PacketReader* packets = nullptr;
  BlockMemory* block = nullptr;
  int16_t* values =
      nullptr;              ///< Of sub-bands, where the layout says; see Note [Rows of zeros] in tile-inl.h.
  uint8_t* rows = nullptr;  ///< Of all bands: whether a row has a value that is not 0.
  std::byte* samples = nullptr;  ///< Of resolutions: floats or 32-bit integers.
  uint8_t* rings = nullptr;      ///< Of components: the last kRingRows rows of their windows as bytes.
  uint8_t* bytes = nullptr;      ///< Scratch: a row of bytes per component, byte_stride apart.
  size_t byte_stride = 0;
  std::byte* lines = nullptr;  ///< kScratchLines lines of 32-bit samples, line_stride samples apart.
  size_t line_stride = 0;
  bool ycbcr = false;  ///< Three components are YCbCr, to be converted to RGB.
  const PartRows* parts = nullptr;
};

/// For each component: six rows of the wavelet, four rows that it made; and the two halves of a line.
inline constexpr size_t kLinesEach = 10, kScratchLines = kMaxComponents * kLinesEach + 2;

}  // namespace microtome::jpeg2000
