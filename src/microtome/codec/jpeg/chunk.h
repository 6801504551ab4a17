// Memory of the entropy decoder's unit of work, a few MCUs side by side, and where their coefficients go.
//
// The inverse DCT takes four blocks of a row at once, so that a chunk is a multiple of four MCUs: as many as
// are near enough to stay in the nearest cache, since each chunk ends with a branch that nobody can foresee.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/codec/jpeg/huffman.h"

namespace microtome::jpeg {

inline constexpr int kMaxSlots = 48;  ///< Blocks of a chunk.

/// MCUs of a chunk, for MCUs of `blocks` blocks: a multiple of 4, at most 16.
constexpr int chunk_mcus(int blocks) {
  const int most = kMaxSlots / blocks / 4 * 4;
  return most < 16 ? most : 16;
}

/// A group is four blocks beside each other: 8 rows of 32 words, block b in words 8b…8b + 7 of each, then a
/// row of 32 words for what belongs nowhere.
inline constexpr size_t kGroupRow = 32, kGroupSize = 9 * kGroupRow;

/// Note [Order of coefficients]
/// The inverse DCT multiplies pairs of words and adds both products, so that coefficients stand in pairs from
/// the beginning: row 4h + p of a group has rows 0 4, 2 6, 1 3 or 5 7 of the blocks (p = 0…3), in turn, at
/// columns 0 2 1 3 (h = 0) or 4 6 5 7 (h = 1). Columns next to each other here are the pairs of the second
/// dimension.
constexpr size_t group_row(size_t row, size_t column) {
  constexpr size_t kPairOf[8] = {0, 2, 1, 2, 0, 3, 1, 3};
  return column / 4 * 4 + kPairOf[row];
}
/// The place in that row, from the block's first one on.
constexpr size_t word_of_block(size_t row, size_t column) {
  constexpr size_t kSecond[8] = {0, 0, 0, 1, 1, 0, 1, 1}, kPlace[4] = {0, 2, 1, 3};
  return 2 * kPlace[column % 4] + kSecond[row];
}
/// Of a chunk, and one for the place behind its last block.
inline constexpr int kMaxGroups = kMaxSlots / 4 + 1;

/// A block to decode, as the symbol machine sees it.
struct BlockSlot {
  const Lookup* ac;
  const Lookup* next_dc;   ///< The DC table of the block after it.
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
