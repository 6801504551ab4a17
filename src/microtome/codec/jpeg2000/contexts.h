// The tables of the coding passes: states of the arithmetic decoder, and contexts by neighbourhood.
//
// Used by coder-inl.h and block-inl.h; constant. Source: ITU-T T.800 annexes C and D.
//
// Note [Windows of significance]
// block-inl.h keeps significance in words of columns with six bits each, four of which are a stripe's rows
// and two the rows above and below. Around a sample, the bits 0, 1, 2 (left column: above, same row, below),
// 6, 7, 8 (its own) and 12, 13, 14 (right) of the word, shifted to it, are its neighbourhood. Packed together
// they are an index of nine bits, whose middle is the sample itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace microtome::jpeg2000 {

/// A context's state, with all that a decision needs. 16 bytes, so that it moves as one.
struct alignas(16) CoderState {
  uint64_t qe = 0;        ///< Probability interval of the less probable symbol, in the 16 bits on top.
  uint16_t next[2] = {};  ///< Byte offset in kStates of the state after renormalisation: by MPS, by LPS.
  uint16_t self = 0;      ///< Byte offset of this state.
  uint8_t mps = 0;
};

/// Context labels (tables D.1 to D.3): 0 to 8 significance, 9 to 13 sign, 14 to 16 refinement.
inline constexpr size_t kSignContexts = 9, kRefinementContexts = 14, kRunContext = 17, kUniformContext = 18,
                        kContexts = 19;

struct ContextTables {
  /// Table C.2, each state once with MPS 0 and once with 1.
  std::array<CoderState, 94> states;
  /// Table D.1 by orientation of the sub-band and window: context * 16, a byte offset in the states of a
  /// block.
  std::array<std::array<uint8_t, 512>, 4> significance;
  /// Tables D.2 and D.3 by neighbours (left, above, below, right: bits 0 to 3) and which of them are negative
  /// (bits 4 to 7): (context - 9) * 2 + the bit to exchange the sign with.
  std::array<uint8_t, 256> sign;
};

extern const ContextTables kTables;

/// States at the start of a block (table D.7).
inline constexpr size_t kStartStates[3] = {2 * 4, 2 * 3, 2 * 46};  ///< Context 0, run-length, uniform.

}  // namespace microtome::jpeg2000
