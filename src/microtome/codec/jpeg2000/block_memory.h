// The memory that decoding a code-block takes, kept between blocks. Internal to this folder; see block-inl.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/codec/jpeg2000/contexts.h"
#include "microtome/codec/jpeg2000/widths.h"

namespace microtome::jpeg2000 {

/// Eight columns of a stripe, see Note [Words of eight columns]: two words and two maps.
struct BlockWord {
  uint64_t significant = 0, negative = 0;
  uint64_t visited = 0;  ///< By the last significance pass.
  uint64_t refined = 0;  ///< At least once.
};

struct BlockMemory {
  // A block has at most 4096 samples and sides of 4 to 1024: with a border of one word around, the most are
  // (1 + 2) * (256 + 2) words, of a block 4 (or 8) samples wide and 1024 high; and 256 without a border.
  static constexpr size_t kMaxWords = 3 * 258, kMaxMaps = 256;

  alignas(64) std::array<CoderState, kContexts> states;
  alignas(64) std::array<BlockWord, kMaxWords> words;
  /// Bit plane by bit plane, the top one first.
  alignas(64) std::array<uint64_t, Wide::kMaxPlanes * kMaxMaps> maps;
};

}  // namespace microtome::jpeg2000
