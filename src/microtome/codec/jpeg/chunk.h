// Memory of the entropy decoder's unit of work: four MCUs side by side, and where their coefficients go.
//
// Four, because the inverse DCT takes four blocks of a row at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/codec/jpeg/huffman.h"

namespace microtome::jpeg {

inline constexpr int kChunkMcus = 4;
inline constexpr int kMaxBlocks = 6;  ///< Of an MCU: 4:2:0.
inline constexpr int kMaxSlots = kChunkMcus * kMaxBlocks;

/// A group is four blocks beside each other: 8 rows of 32 coefficients, block b in columns 8b…8b + 7, then a
/// row of 32 words for what belongs nowhere.
inline constexpr size_t kGroupRow = 32, kGroupSize = 9 * kGroupRow;
/// Of a chunk, and one for the place behind its last block.
inline constexpr int kMaxGroups = kMaxBlocks + 1;

/// A block to decode, as the symbol machine sees it.
struct BlockSlot {
  const Entry* ac;
  const Entry* next_dc;    ///< The DC table of the block after it.
  int16_t* coefficients;   ///< Its upper left corner in a group.
  const uint16_t* zigzag;  ///< Where its coefficients go from there, by position.
  const CoderTables* tables;
};

/// From a coefficient's position in zigzag order to its place in a group; from 64 on to the row of nowhere.
///
/// The decoder's position is a pointer into such a table. With tables at multiples of 256 bytes, bit 7 of the
/// address tells whether it has passed 63.
inline constexpr uintptr_t kPastBlock = 128;
struct alignas(256) ZigzagTable {
  std::array<uint16_t, 160> places;
};
extern const ZigzagTable kZigzag;  ///< All coefficients.
extern const ZigzagTable kDcOnly;  ///< Nothing but DC, for what is decoded only to get past it.

}  // namespace microtome::jpeg
