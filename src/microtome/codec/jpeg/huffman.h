// Huffman tables as the entropy decoder wants them: one lookup of 11 bits gives up to two symbols.
//
// Made from DHT's tables (frame.h) and kept by content, since the tiles of a slide bring the same few tables
// again and again. Knows nothing of streams or pixels. Not thread-safe: one TableCache per decoder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "microtome/codec/jpeg/frame.h"

namespace microtome::jpeg {

/// Bits that index a lookup table. With 10 more lookups are needed and a third more of them find nothing (6 %
/// of a decode at high bit rates); 12 gain nothing more.
inline constexpr int kLookupBits = 11;
inline constexpr size_t kLookupSize = size_t{1} << kLookupBits;

/// Larger values cannot stand in a stream of 8-bit samples. The library takes them all the same, so that a
/// tile with one is the library's.
inline constexpr int kMaxDcBits = 11, kMaxAcBits = 10;

/// Positions of a block in zigzag order are 0…63; what lies from here on is thrown away.
inline constexpr uint8_t kNowhere = 64;

/// Set in Entry::length where the block ends with the entry. Shifts of 64 bits do not see it.
inline constexpr uint8_t kEndOfBlock = 128;

/// What the next 11 bits say: one symbol with its value, often a second one too, always in whole.
///
/// Let b be the next 64 bits and k the position. The first value is b >> shift less `base`, in 16 bits: what
/// the shift leaves are the code and the value's bits, and `base` is the code in its place, and 2^n - 1 more
/// where the first of n value bits is 0 and the value negative (T.81 F.2.2.1). That bit must lie inside
/// the 11. The second value lies inside them wholly and stands here. It belongs in front of the new position;
/// where there is none, a 0 goes to a place that is 0, or that the first value is stored to after it.
struct Entry {
  uint8_t length;   ///< Bits of everything, perhaps with kEndOfBlock; 0: look among the long codes.
  uint8_t shift;    ///< 64 - bits of the first code and value.
  uint8_t offset;   ///< The first value belongs to k + offset; kNowhere: there is none.
  uint8_t advance;  ///< Of k. Past 63: the slow way must look (entropy-inl.h).
  uint16_t base;    ///< Where `length` is 0: kRefused for a code that no tile should have.
  int16_t second;   ///< Belongs to k + advance - 1.
};
static_assert(sizeof(Entry) == 8);

/// A lookup table.
///
/// Note [Lengths stand apart]
/// Where the next lookup is depends on this one's length and on whether the block ends: the decoder's
/// critical path goes through that one byte. The lengths of the four tables of a tile take 8 KiB and stay in
/// any nearest cache; entries are 64 KiB, but the rest of a step waits in nobody's way while they come from
/// the next cache.
struct alignas(64) Lookup {
  std::array<uint8_t, kLookupSize> lengths;  ///< Entry::length once more.
  std::array<Entry, kLookupSize> entries;
};

/// In Entry::base of a code whose symbol makes no sense in 8-bit tiles, though the library takes it.
inline constexpr uint16_t kRefused = 1;

/// Codes of all lengths, as in T.81 F.2.2.3.
struct LongCodes {
  std::array<int32_t, 17> max_code;  ///< Largest code of each length; -1: there is none.
  std::array<int32_t, 17> offset;    ///< Its symbol stands at code + offset.
  std::array<uint8_t, 256> symbols;
};

/// The bits of "no difference to the last DC, and no AC": a block that repeats the average of the one before.
struct BlankCode {
  uint32_t bits;
  int length;  ///< 0: the tables cannot say this.
};

/// What decodes the blocks of one component.
struct CoderTables {
  Lookup dc;  ///< A DC symbol first, perhaps an AC symbol after it.
  Lookup ac;
  LongCodes long_dc, long_ac;  ///< For codes of kLookupBits bits and more.
  BlankCode blank;
};

/// A lookup table in which nothing is found: stands after the last block, so that decoding stops there.
extern const Lookup kStopTable;

/// Fills `tables`. False: the library would refuse a table, or may not understand it as we do.
bool build_tables(const HuffmanSpec& dc, const HuffmanSpec& ac, CoderTables& tables);

/// The last tables that were used, by content.
class TableCache {
 public:
  /// Tables for a component coded with `dc` and `ac`; null as build_tables() is false. They stay valid for
  /// the next kKept - 1 calls at least.
  const CoderTables* get(const HuffmanSpec& dc, const HuffmanSpec& ac);

  static constexpr size_t kKept = 12;  ///< 38 KiB each; a tile has three at most.

 private:
  struct Slot {
    HuffmanSpec dc, ac;
    uint64_t used = 0;
    std::unique_ptr<CoderTables> tables;  // null: refused
  };

  std::vector<Slot> slots_;
  uint64_t clock_ = 0;
};

}  // namespace microtome::jpeg
