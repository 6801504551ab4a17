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
  std::byte* values =
      nullptr;              ///< Of sub-bands, where the layout says; see Note [Rows of zeros] in tile-inl.h.
  uint8_t* rows = nullptr;  ///< Of all bands: whether a row has a value that is not 0.
  std::byte* samples = nullptr;  ///< Of resolutions: floats or 32-bit integers.
  std::byte* rings = nullptr;    ///< Of components: the last kRingRows rows of their windows.
  std::byte* row = nullptr;      ///< Scratch: a row of the picture per component, row_stride samples apart.
  size_t row_stride = 0;
  std::byte* lines = nullptr;  ///< kScratchLines lines of 32-bit samples, line_stride samples apart.
  size_t line_stride = 0;
  bool wide = false;                 ///< Values and samples of the picture are Wide's, else Narrow's.
  SampleType type = SampleType::u8;  ///< Of pixels.
  bool ycbcr = false;                ///< Three components are YCbCr, to be converted to RGB.
  const PartRows* parts = nullptr;
};

/// For each component: six rows of the wavelet, four rows that it made; and the two halves of a line.
inline constexpr size_t kLinesEach = 10, kScratchLines = kMaxComponents * kLinesEach + 2;

}  // namespace microtome::jpeg2000
