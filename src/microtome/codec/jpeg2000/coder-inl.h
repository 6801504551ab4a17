// The arithmetic decoder: one decision at a time from a code-block's bytes, without a branch on what is
// coded.
//
// Included by block-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex C.
//
// Note [Registers of 64 bits]
// A and C of the standard's decoder are here the 16 bits on top of 64-bit registers. Below C's stand bits
// that were read ahead, `bits` of them, up to 48: bytes are fetched once in several decisions, not in the
// innermost loop. A byte's carry (after 0xFF, C.3.4) is an addition here as there.
//
// Note [One path for all decisions]
// A decision is MPS or LPS, with their intervals exchanged or not, and renormalises or not; a processor that
// has to guess is often wrong. Here both outcomes are calculated and selected between. Without
// renormalisation A >= 0x8000 > Qe: then the decision is MPS and the shift 0, which is what selection gives.
#if defined(MICROTOME_CODEC_JPEG2000_CODER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_CODER_INL_H_
#undef MICROTOME_CODEC_JPEG2000_CODER_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_CODER_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "microtome/codec/jpeg2000/contexts.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

/// A code-block's bytes as they are fetched. What is behind them reads as ones.
class CoderBytes {
 public:
  explicit CoderBytes(std::span<const std::byte> bytes)
      : begin_(reinterpret_cast<const uint8_t*>(bytes.data())), at_(begin_), end_(begin_ + bytes.size()) {}

  struct Filled {
    uint64_t c;
    int64_t bits;
  };
  /// Adds whole bytes to the bits below `c`, of which `bits` are there.
  HWY_NOINLINE Filled fill(uint64_t c, int64_t bits) {
    int room = 48 - static_cast<int>(bits);
    if (end_ - at_ >= 8 && (at_ == begin_ || at_[-1] != 0xFF)) {
      uint64_t next;
      std::memcpy(&next, at_, sizeof next);
      next = __builtin_bswap64(next);
      // No byte of them is 0xFF: none of the complement's is 0.
      const uint64_t inverse = ~next;
      if (((inverse - 0x0101010101010101u) & next & 0x8080808080808080u) == 0) {
        const int bytes = room / 8;
        at_ += bytes;
        return {c + (next >> (64 - 8 * bytes) << (room - 8 * bytes)), bits + 8 * bytes};
      }
    }
    while (room >= 8) {
      const Byte byte = take();
      room -= byte.bits;
      bits += byte.bits;
      c += uint64_t{byte.value} << room;
    }
    return {c, bits};
  }

  struct Byte {
    unsigned value;
    int bits;
  };
  /// The next one: seven bits of it behind 0xFF; a marker there ends the data.
  Byte take() {
    if (at_ >= end_) return {0xFF, 8};
    const unsigned value = *at_;
    if (at_ == begin_ || at_[-1] != 0xFF) {
      ++at_;
      return {value, 8};
    }
    if (value > 0x8F) {
      at_ = end_;
      return {0xFF, 8};
    }
    ++at_;
    return {value, 7};
  }

 private:
  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
};

HWY_INLINE unsigned leading_zeros(uint64_t value) {
#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX2
  // What has AVX2 has LZCNT; the compiler is not told of it here.
  uint64_t zeros;
  asm("lzcnt %[value], %[zeros]" : [zeros] "=r"(zeros) : [value] "r"(value) : "cc");
  return static_cast<unsigned>(zeros);
#else
  return static_cast<unsigned>(__builtin_clzll(value));
#endif
}

/// Copied to a local variable by each pass, so that its registers are the processor's.
struct Coder {
  uint64_t a = 0, c = 0;
  int64_t bits = 0;  ///< Read ahead below `c`.
  CoderBytes* bytes = nullptr;

  static Coder start(CoderBytes& bytes) {
    const auto filled = bytes.fill(0, -15);
    return {uint64_t{1} << 63, filled.c, filled.bits, &bytes};
  }

  /// Whether a decision for 0 is nothing but a subtraction; it is taken then. Otherwise nothing changes.
  HWY_INLINE bool skip(const CoderState& state) {
    if (state.mps != 0 || HWY_MIN(a - (uint64_t{1} << 63), c) < state.qe) return false;
    a -= state.qe;
    c -= state.qe;
    return true;
  }

  HWY_INLINE unsigned decide(CoderState& state) {
    const uint64_t qe = state.qe, less = a - qe;
    uint64_t next_a = less, next_c = c;
    unsigned in_lps_interval, exchanged;
#if HWY_ARCH_X86_64
    // Compilers make a branch of one or another of these.
    uint8_t borrow, smaller;
    asm("sub %[qe], %[next_c]\n\t"
        "cmovb %[c], %[next_c]\n\t"
        "cmovb %[qe], %[next_a]\n\t"
        "setb %[borrow]\n\t"
        "cmp %[qe], %[less]\n\t"
        "setb %[smaller]"
        : [next_c] "+&r"(next_c), [next_a] "+&r"(next_a), [borrow] "=&q"(borrow), [smaller] "=&q"(smaller)
        : [qe] "r"(qe), [c] "r"(c), [less] "r"(less)
        : "cc");
    in_lps_interval = borrow;
    exchanged = smaller;
#else
    in_lps_interval = c < qe;
    exchanged = less < qe;
    next_c = in_lps_interval != 0 ? c : c - qe;
    next_a = in_lps_interval != 0 ? qe : less;
#endif
    const unsigned lps = in_lps_interval ^ exchanged, decision = state.mps ^ lps;
    const unsigned shift = leading_zeros(next_a);
    a = next_a << shift;
    c = next_c << shift;
    bits -= shift;
    unsigned next = state.next[lps];
#if HWY_ARCH_X86_64
    asm("test %[shift], %[shift]\n\t"
        "cmove %[self], %[next]"
        : [next] "+r"(next)
        : [shift] "r"(shift), [self] "r"(unsigned{state.self})
        : "cc");
#else
    next = shift != 0 ? next : state.self;
#endif
    std::memcpy(&state, reinterpret_cast<const std::byte*>(kTables.states.data()) + next, sizeof state);
    if (HWY_UNLIKELY(bits < 0)) {
      const auto filled = bytes->fill(c, bits);
      c = filled.c;
      bits = filled.bits;
    }
    return decision;
  }
};

/// Reads decisions as they are, of passes that bypass the arithmetic coder (D.6).
struct RawCoder {
  CoderBytes* bytes = nullptr;
  unsigned byte = 0;
  int left = 0;

  HWY_INLINE unsigned next() {
    if (left == 0) {
      const auto [value, bits] = bytes->take();
      byte = value;
      left = bits;
    }
    return byte >> --left & 1;
  }
  HWY_INLINE unsigned decide(const CoderState&) { return next(); }
};

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
