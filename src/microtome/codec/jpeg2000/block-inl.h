// One code-block: coding passes from its bytes, then quantised values.
//
// Included by tile-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex D.
//
// Note [Words of eight columns]
// A block is cut into stripes of four rows, as the standard scans it, and a stripe into words of eight
// columns. In a word, bit 6 (c + 1) + (r + 1) stands for column c and row r, and the bits around are copies
// of what neighbouring words have: a sample's window (contexts.h) is one shift away, and which samples a pass
// has to look at is worked out for 32 at once. What becomes significant is copied to neighbours when a word
// is left. Bits of samples alone ("maps"), without a border, are at 6 c + r.
//
// Note [Values from bit planes]
// Passes write a map of ones per bit plane, not values. At the end each word's maps are turned into 32
// values, which costs a few vector operations per plane, and words without a significant sample nothing.
// Values count in halves of a quantisation step: bit 0 is half a step, which reconstructs in the middle of an
// interval (r = 1/2 in equations E-6 and E-8); where a block's passes end early, the bit below the last
// decoded one.
#if defined(MICROTOME_CODEC_JPEG2000_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_BLOCK_INL_H_
#undef MICROTOME_CODEC_JPEG2000_BLOCK_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_BLOCK_INL_H_
#endif

#include <array>
#include <cstring>
#include <span>

#include "microtome/codec/jpeg2000/block_memory.h"
#include "microtome/codec/jpeg2000/coder-inl.h"
#include "microtome/codec/jpeg2000/packets.h"
#include "microtome/codec/jpeg2000/values-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

/// What one code-block is.
struct BlockJob {
  std::span<const CodeSegment> segments;  ///< Of 1 to 3 * planes - 2 passes.
  unsigned w = 0, h = 0;
  Orientation orientation = Orientation::ll;
  unsigned planes = 0;  ///< Coded bit planes, 1 to what values have room for.
  BlockStyle style;
};

class BlockDecoder {
 public:
  BlockDecoder(BlockMemory& memory, const BlockJob& job) : memory_(memory), job_(job) {}

  void decode();

  /// Values, of int16_t or int32_t. `to` is all zeros, and its rows have room for a multiple of eight. `rows`
  /// of the block are set where they have a value.
  template <class Value>
  void store(const Scaling& scaling, Value* to, size_t stride, uint8_t* rows) const;

 private:
  enum class Pass : uint8_t { significance, refinement, cleanup };

  // The map of a word's samples that are inside the block.
  HWY_INLINE uint64_t inside(unsigned stripe, unsigned k) const {
    uint64_t map = k + 1 == across_ ? last_columns_ : kAll;
    if (stripe + 1 == down_) map &= last_rows_;
    return map;
  }
  BlockWord* word_row(unsigned stripe) const { return memory_.words.data() + (stripe + 1) * stride_ + 1; }
  uint64_t* map_row(uint64_t* maps, unsigned stripe) const { return maps + stripe * across_; }

  void prepare();
  void reset_states();
  // `from`: the arithmetic decoder, or raw bits.
  template <class AnyCoder>
  void significance_pass(AnyCoder& from, uint64_t* maps);
  template <class AnyCoder>
  void refinement_pass(AnyCoder& from, uint64_t* maps);
  void cleanup_pass(uint64_t* maps, bool first);
  void spread(BlockWord* word, uint64_t significant, uint64_t negative) const;
  static unsigned window(uint64_t significant, unsigned at);
  static unsigned sign_index(uint64_t significant, uint64_t negative, unsigned at);
  CoderState& significance_state(uint64_t significant, unsigned at) {
    return *reinterpret_cast<CoderState*>(reinterpret_cast<std::byte*>(memory_.states.data()) +
                                          significance_[window(significant, at)]);
  }
  HWY_INLINE unsigned decode_sign(Coder& coder, uint64_t significant, uint64_t negative, unsigned at) {
    const unsigned entry = kTables.sign[sign_index(significant, negative, at)];
    return coder.decide(memory_.states[kSignContexts + (entry >> 1)]) ^ (entry & 1);
  }
  HWY_INLINE unsigned decode_sign(RawCoder& coder, uint64_t, uint64_t, unsigned) { return coder.next(); }

  static constexpr uint64_t kAll = 0x3CF3CF3CF3CFu;     // rows 0 to 3 of every column of a map
  static constexpr uint64_t kTopRow = 0x041041041041u;  // row 0 of every column
  static constexpr unsigned kToCentre = 7;              // from a map to a word
  static constexpr uint64_t kFirstColumn = 0x3Fu << 6;  // of a word, with its border rows

  BlockMemory& memory_;
  const BlockJob& job_;
  CoderBytes bytes_{{}};
  Coder coder_;
  RawCoder raw_;
  const uint8_t* significance_ = nullptr;
  unsigned across_ = 0, down_ = 0, stride_ = 0;  // words of a stripe, stripes, words from one to the next
  uint64_t last_columns_ = 0, last_rows_ = 0;
  unsigned used_planes_ = 0;
  Pass last_pass_ = Pass::cleanup;
};

HWY_INLINE unsigned BlockDecoder::window(uint64_t significant, unsigned at) {
  const uint64_t s = significant >> at;
#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX2
  return static_cast<unsigned>(_pext_u64(s, 0x71C7));
#else
  return static_cast<unsigned>((s & 7) | (s >> 3 & 0x38) | (s >> 6 & 0x1C0));
#endif
}

HWY_INLINE unsigned BlockDecoder::sign_index(uint64_t significant, uint64_t negative, unsigned at) {
  const auto four = [at](uint64_t word) {
    const uint64_t w = word >> at;
#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX2
    return static_cast<unsigned>(_pext_u64(w, 1u << 1 | 1u << 6 | 1u << 8 | 1u << 13));
#else
    return static_cast<unsigned>((w >> 1 & 1) | (w >> 5 & 2) | (w >> 6 & 4) | (w >> 10 & 8));
#endif
  };
  return four(significant) | four(negative) << 4;
}

// Copies what became significant, and the signs, to the borders of the eight words around. With vertically
// causal contexts the stripe above is not told.
HWY_INLINE void BlockDecoder::spread(BlockWord* word, uint64_t significant, uint64_t negative) const {
  constexpr uint64_t kTop = kTopRow << kToCentre;
  const auto put = [](BlockWord* to, uint64_t s, uint64_t n) {
    to->significant |= s;
    to->negative |= n;
  };
  const auto put_three = [&put](BlockWord* to, uint64_t s, uint64_t n) {
    put(to, s, n);
    put(to - 1, (s & kFirstColumn) << 48, (n & kFirstColumn) << 48);
    put(to + 1, s >> 48 & 0x3F, n >> 48 & 0x3F);
  };
  put(word - 1, (significant & kFirstColumn) << 48, (negative & kFirstColumn) << 48);
  put(word + 1, significant >> 48 & 0x3F, negative >> 48 & 0x3F);
  if (!job_.style.vertically_causal) {
    put_three(word - stride_, (significant & kTop) << 4, (negative & kTop) << 4);
  }
  put_three(word + stride_, significant >> 4 & kTopRow << 6, negative >> 4 & kTopRow << 6);
}

// D.3.1. Candidates are samples next to a significant one; each that becomes significant adds those of its
// neighbours that the scan has yet to come to.
template <class AnyCoder>
HWY_NOINLINE void BlockDecoder::significance_pass(AnyCoder& from, uint64_t* maps) {
  constexpr uint64_t kLaterNeighbours = 0xE2;  // below; right: above, same row, below
  AnyCoder coder = from;
  for (unsigned stripe = 0; stripe < down_; ++stripe) {
    BlockWord* word = word_row(stripe);
    uint64_t* map = map_row(maps, stripe);
    for (unsigned k = 0; k < across_; ++k, ++word, ++map) {
      uint64_t significant = word->significant;
      if (significant == 0) {
        word->visited = 0;
        *map = 0;
        continue;
      }
      const uint64_t all = inside(stripe, k), before = significant;
      const uint64_t column = significant | significant << 1 | significant >> 1;
      uint64_t candidates = ((column | column << 6 | column >> 6) & ~significant) >> kToCentre & all;
      word->visited = 0;
      *map = 0;
      if (candidates == 0) continue;
      uint64_t negative = word->negative, visited = 0;
      const uint64_t negative_before = negative;
      do {
        const auto at = static_cast<unsigned>(__builtin_ctzll(candidates));
        const uint64_t bit = candidates & (0 - candidates);
        visited |= bit;
        candidates ^= bit;
        if (coder.decide(significance_state(significant, at)) == 0) continue;
        negative |= uint64_t{decode_sign(coder, significant, negative, at)} << (at + kToCentre);
        significant |= bit << kToCentre;
        candidates |= kLaterNeighbours << at & all & ~(significant >> kToCentre);
      } while (candidates != 0);
      word->visited = visited;
      const uint64_t found = significant ^ before;
      *map = found >> kToCentre;
      if (found == 0) continue;
      word->significant = significant;
      word->negative = negative;
      spread(word, found, negative ^ negative_before);
    }
  }
  from = coder;
}

// D.3.3.
template <class AnyCoder>
HWY_NOINLINE void BlockDecoder::refinement_pass(AnyCoder& from, uint64_t* maps) {
  AnyCoder coder = from;
  CoderState* const states = memory_.states.data() + kRefinementContexts;
  for (unsigned stripe = 0; stripe < down_; ++stripe) {
    BlockWord* word = word_row(stripe);
    uint64_t* map = map_row(maps, stripe);
    for (unsigned k = 0; k < across_; ++k, ++word, ++map) {
      const uint64_t significant = word->significant;
      uint64_t left = significant >> kToCentre & kAll & ~word->visited;
      if (left == 0) continue;
      const uint64_t refined = word->refined;
      word->refined = refined | left;
      const uint64_t column = significant | significant << 1 | significant >> 1;
      const uint64_t neighbours =
          (significant << 1 | significant >> 1 | column << 6 | column >> 6) >> kToCentre;
      uint64_t ones = *map;
      do {
        const auto at = static_cast<unsigned>(__builtin_ctzll(left));
        left &= left - 1;
        const auto again = static_cast<unsigned>(refined >> at & 1);
        const auto near = static_cast<unsigned>(neighbours >> at & 1);
        ones |= uint64_t{coder.decide(states[again != 0 ? 2 : near])} << at;
      } while (left != 0);
      *map = ones;
    }
  }
  from = coder;
}

// D.3.4. Columns of four samples, all of them still to be coded and without a significant neighbour, are
// first tried as a run of zeros.
HWY_NOINLINE void BlockDecoder::cleanup_pass(uint64_t* maps, bool first) {
  Coder coder = coder_;
  CoderState* const states = memory_.states.data();
  CoderState &run_state = states[kRunContext], &uniform = states[kUniformContext];
  for (unsigned stripe = 0; stripe < down_; ++stripe) {
    BlockWord* word = word_row(stripe);
    uint64_t* map = map_row(maps, stripe);
    const bool full_stripe = 4 * stripe + 4 <= job_.h;
    for (unsigned k = 0; k < across_; ++k, ++word, ++map) {
      uint64_t significant = word->significant;
      const uint64_t all = inside(stripe, k), before = significant;
      if (first) {
        word->visited = 0;
        *map = 0;
      }
      // Nothing near: eight runs of zeros, if no renormalisation interrupts them, are one subtraction.
      if (significant == 0 && all == kAll && run_state.mps == 0 && run_state.qe < uint64_t{1} << 60) {
        const uint64_t eight = 8 * run_state.qe;
        if (coder.a - (uint64_t{1} << 63) >= eight && coder.c >= eight) {
          coder.a -= eight;
          coder.c -= eight;
          continue;
        }
      }
      uint64_t left = ~(significant >> kToCentre | word->visited) & all;
      if (left == 0) continue;
      const uint64_t column = significant | significant << 1 | significant >> 1;
      const uint64_t near = (column | column << 6 | column >> 6) >> kToCentre;
      uint64_t not_run = (near | ~left) & kAll;
      not_run |= not_run >> 1;
      not_run |= not_run >> 2;
      uint64_t runs = full_stripe ? ~not_run & kTopRow & all : 0;
      uint64_t negative = word->negative;
      const uint64_t negative_before = negative;
      do {
        auto at = static_cast<unsigned>(__builtin_ctzll(left));
        if ((runs >> at & 1) != 0) {
          if (coder.skip(run_state)) {
            do {
              left &= ~(uint64_t{0xF} << at);
              at += 6;
            } while ((runs >> at & 1) != 0 && coder.skip(run_state));
            continue;
          }
          if (coder.decide(run_state) == 0) {
            left &= ~(uint64_t{0xF} << at);
            continue;
          }
          unsigned zeros = coder.decide(uniform);
          zeros = 2 * zeros + coder.decide(uniform);
          left &= ~(((uint64_t{2} << zeros) - 1) << at);
          at += zeros;
        } else {
          left &= left - 1;
          if (coder.decide(significance_state(significant, at)) == 0) continue;
        }
        negative |= uint64_t{decode_sign(coder, significant, negative, at)} << (at + kToCentre);
        significant |= uint64_t{1} << (at + kToCentre);
        runs &= ~(uint64_t{0x78} << at);  // the next column's, whose row 0 is 3 to 6 bits away
      } while (left != 0);
      const uint64_t found = significant ^ before;
      if (found == 0) continue;
      *map |= found >> kToCentre;
      word->significant = significant;
      word->negative = negative;
      spread(word, found, negative ^ negative_before);
    }
  }
  coder_ = coder;
}

void BlockDecoder::prepare() {
  across_ = (job_.w + 7) / 8;
  down_ = (job_.h + 3) / 4;
  stride_ = across_ + 2;
  const unsigned columns = job_.w - 8 * (across_ - 1), rows = job_.h - 4 * (down_ - 1);
  last_columns_ = columns == 8 ? kAll : kAll & ((uint64_t{1} << 6 * columns) - 1);
  last_rows_ = kTopRow * ((1u << rows) - 1);
  significance_ = kTables.significance[static_cast<size_t>(job_.orientation)].data();
  std::fill_n(memory_.words.begin(), size_t{stride_} * (down_ + 2), BlockWord{});
  reset_states();
}

void BlockDecoder::reset_states() {
  memory_.states.fill(kTables.states[0]);
  memory_.states[0] = kTables.states[kStartStates[0]];
  memory_.states[kRunContext] = kTables.states[kStartStates[1]];
  memory_.states[kUniformContext] = kTables.states[kStartStates[2]];
}

void BlockDecoder::decode() {
  prepare();
  const size_t plane_words = size_t{across_} * down_;
  uint64_t* maps = memory_.maps.data();
  used_planes_ = 1;
  unsigned i = 0;  // pass
  for (const CodeSegment& segment : job_.segments) {
    bytes_ = CoderBytes(segment.bytes);
    const bool raw = job_.style.raw(i);
    raw_ = {&bytes_};
    if (!raw) coder_ = Coder::start(bytes_);
    for (const unsigned end = i + segment.passes; i < end; ++i) {
      last_pass_ = static_cast<Pass>((i + 2) % 3);
      switch (last_pass_) {
        case Pass::significance:
          ++used_planes_;
          maps += plane_words;
          raw ? significance_pass(raw_, maps) : significance_pass(coder_, maps);
          break;
        case Pass::refinement:
          raw ? refinement_pass(raw_, maps) : refinement_pass(coder_, maps);
          break;
        case Pass::cleanup:
          cleanup_pass(maps, i == 0);
          if (job_.style.segmentation_symbols) {
            for (int bit = 0; bit < 4; ++bit) coder_.decide(memory_.states[kUniformContext]);
          }
          break;
      }
      if (job_.style.reset) reset_states();
    }
  }
}

template <class Value>
void BlockDecoder::store(const Scaling& scaling, Value* to, size_t stride, uint8_t* rows) const {
  const size_t plane_words = size_t{across_} * down_;
  const unsigned lowest = job_.planes - (used_planes_ - 1);  // the value bit of the last plane
  for (unsigned stripe = 0; stripe < down_; ++stripe, to += 4 * stride) {
    const BlockWord* word = word_row(stripe);
    const unsigned height = HWY_MIN(4u, job_.h - 4 * stripe);
    uint64_t any = 0;
    for (unsigned k = 0; k < across_; ++k, ++word) {
      const uint64_t significant = word->significant >> kToCentre & kAll;
      if (significant == 0) continue;
      any |= significant;
      ValueMaker<Value> values;
      const uint64_t* map = memory_.maps.data() + size_t{stripe} * across_ + k;
      for (unsigned p = 0; p < used_planes_; ++p, map += plane_words) values.add(*map, job_.planes - p);
      // After a significance pass, what it did not visit is known to one bit less.
      const uint64_t coarser = last_pass_ == Pass::significance ? significant & ~word->visited : 0;
      values.add(significant & ~coarser, lowest - 1);
      if (coarser != 0) values.add(coarser, lowest);
      values.store(word->negative >> kToCentre & kAll, scaling, height, to + 8 * size_t{k}, stride);
    }
    for (unsigned r = 0; r < height; ++r) {
      if ((any >> r & kTopRow) != 0) rows[4 * stripe + r] = 1;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
