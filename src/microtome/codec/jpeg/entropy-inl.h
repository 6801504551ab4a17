// Entropy-coded bits to quantised coefficients: the symbol machine.
//
// Included by tile-inl.h and compiled once per instruction set (shifts without flags, BMI2, come with AVX2).
//
// Note [The symbol machine]
// A decoder that loops over blocks, and in a block over symbols, mispredicts a branch at the end of nearly
// every block and on many symbols: more time than the work itself. Here one step is one table lookup, the
// same instructions whatever is found. It gives up to two symbols; both values are stored, what does not
// exist goes to a scratch row; at the end of a block, conditional moves switch to the next block's table,
// slot and position. One branch is left, taken where a table cannot say what follows (a long code, a block
// that ends at position 63, an error, the end of the chunk): about once in ten blocks.
//
// Note [Bounds of the machine]
// Reads: a block takes at most 16 + 11 bits for its DC and 63 times 16 + 10 bits, 209 bytes. A run of the
// machine is at most kMaxSlots blocks, and its caller checks the position before each; kScanPadding bytes
// behind the scan cover that and the machine's 8 bytes at once. Writes: an entry moves the position by at
// most 33 from at most 63, and its offsets are at most 64 + 17: the zigzag table has entries that far, which
// lead to the scratch row from 64 on, so that no bits whatever write outside a slot's group. Lookups: 11 bits
// into 2048 entries.
#if defined(MICROTOME_CODEC_JPEG_ENTROPY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_ENTROPY_INL_H_
#undef MICROTOME_CODEC_JPEG_ENTROPY_INL_H_
#else
#define MICROTOME_CODEC_JPEG_ENTROPY_INL_H_
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "microtome/codec/jpeg/chunk.h"
#include "microtome/codec/jpeg/huffman.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

static_assert(56 - 2 * (kLookupBits - 1 + kMaxDcBits) >= kLookupBits);

// Where the machine is. A run works on a copy, so that it stays in registers.
struct Machine {
  uint64_t bits = 0;              // the next bits of the scan, from the top
  const uint8_t* next = nullptr;  // the byte behind them
  uint64_t count = 0;  // how many of `bits` count (& 63); more may be there, equal to the bytes at `next`
  const uint16_t* position = nullptr;  // of the next coefficient, in a zigzag table
  const BlockSlot* slot = nullptr;     // the block it belongs to
  const Lookup* table = nullptr;       // where the next bits are looked up
};

HWY_INLINE uint64_t load_big_endian(const uint8_t* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  return value;
}

// Afterwards at least 56 bits count.
HWY_INLINE void refill(Machine& m) {
  m.bits |= load_big_endian(m.next) >> (m.count & 63);
  m.next += (~m.count >> 3) & 7;
  m.count |= 56;
}

// `bits` may be an entry's length with kEndOfBlock, which the next refill or decode_blocks() takes out again.
HWY_INLINE void consume(Machine& m, uint64_t bits) {
  m.bits <<= (bits & 63);
  m.count -= bits;
}

// The first byte of which no bit was used.
HWY_INLINE const uint8_t* end_of_used(const Machine& m) {
  return m.next - (m.count >> 3);
}

// At the end of a block, to the next one's table, slot and position, without a branch. On x86 compilers do
// not see the conditional moves.
#if HWY_ARCH_X86_64
HWY_INLINE void next_table(Machine& m, uint64_t length) {
  static_assert(kEndOfBlock == 128);
  const Lookup* next = m.slot->ac;
  const BlockSlot* const next_slot = m.slot + 1;
  asm("testb %b[length], %b[length]\n\t"
      "cmovsq %[next_dc], %[next]\n\t"
      "cmovsq %[next_slot], %[slot]\n\t"
      "cmovsq %[zigzag], %[position]"
      : [next] "+&r"(next), [slot] "+&r"(m.slot), [position] "+&r"(m.position)
      : [next_dc] "m"(m.slot->next_dc), [next_slot] "r"(next_slot), [zigzag] "m"(m.slot->zigzag),
        [length] "r"(length)
      : "cc");
  m.table = next;
}
#else
// a where mask is 0, b where it is all ones.
template <class T>
HWY_INLINE const T* select(uintptr_t mask, const T* a, const T* b) {
  const auto first = reinterpret_cast<uintptr_t>(a);
  return reinterpret_cast<const T*>(first ^ ((first ^ reinterpret_cast<uintptr_t>(b)) & mask));
}

HWY_INLINE void next_table(Machine& m, uint64_t length) {
  const uintptr_t end = uintptr_t{0} - static_cast<uintptr_t>(length >> 7);
  m.table = select(end, m.slot->ac, m.slot->next_dc);
  m.position = select(end, m.position, m.slot->zigzag);
  m.slot = select(end, m.slot, m.slot + 1);
}
#endif

// One step. Null, or the entry that needs rare(). Every other step refills, between the lookup and the shift,
// which keeps it off the critical path: a step uses at most 10 + 11 bits, and of the 56 after a refill two
// steps leave 14, enough for the lookup.
//
// The second value is stored first: where there is none, its place may be the first one's (huffman.h).
template <bool kRefill>
HWY_INLINE const Entry* step(Machine& m) {
  const uint64_t index = m.bits >> (64 - kLookupBits);
  const uint64_t length = m.table->lengths[index];
  const Entry* const entry = m.table->entries.data() + index;
  if constexpr (kRefill) refill(m);
  const auto first = static_cast<uint16_t>((m.bits >> (entry->shift & 63)) - entry->base);
  consume(m, length);
  int16_t* const coefficients = m.slot->coefficients;
  const uint16_t place = m.position[entry->offset];
  m.position += entry->advance;
  coefficients[m.position[-1]] = entry->second;
  coefficients[place] = static_cast<int16_t>(first);
  if (HWY_UNLIKELY((reinterpret_cast<uintptr_t>(m.position) & kPastBlock) != 0)) return entry;
  next_table(m, length);
  return nullptr;
}

// The symbol that the next bits are, by its code's length. -1: a code that does not exist.
HWY_INLINE int long_symbol(Machine& m, const LongCodes& codes) {
  refill(m);
  const auto window = static_cast<int32_t>(m.bits >> 48);
  for (size_t length = kLookupBits; length <= 16; ++length) {
    const int32_t code = window >> (16 - length);
    if (code > codes.max_code[length]) continue;
    consume(m, length);
    return codes.symbols[static_cast<size_t>(code + codes.offset[length]) & 255];
  }
  return -1;
}

// A symbol with a long code, at position k. The next position, 64 at the end of the block, or -1: decline.
HWY_INLINE int decode_long(Machine& m, int k) {
  const bool dc = k == 0;
  const int symbol = long_symbol(m, dc ? m.slot->tables->long_dc : m.slot->tables->long_ac);
  if (symbol < 0) return -1;
  const int run = dc ? 0 : symbol >> 4, bits = dc ? symbol : symbol & 15;
  if (bits > (dc ? kMaxDcBits : kMaxAcBits)) return -1;
  if (bits == 0) {
    if (dc) return 1;
    if (run == 0) return 64;
    return run == 15 && k + 16 <= 64 ? k + 16 : -1;
  }
  k += run;
  if (k > 63) return -1;
  refill(m);
  const int value = static_cast<int>(m.bits >> (64 - bits));
  consume(m, static_cast<uint64_t>(bits));
  const int extended = value < 1 << (bits - 1) ? value + 1 - (1 << bits) : value;
  m.slot->coefficients[m.slot->zigzag[k]] = static_cast<int16_t>(extended);
  return k + 1;
}

// Puts back the last `bits` bits.
HWY_INLINE void give_back(Machine& m, uint64_t bits) {
  const uint64_t count = m.count + bits;
  const uint8_t* const start = m.next - ((count + 7) >> 3);
  const uint64_t used = ((count + 7) & ~uint64_t{7}) - count;
  m.bits = load_big_endian(start) << used;
  m.next = start + 7;
  m.count = 56 - used;
}

// After a step that went past position 63 with `entry`: does what the step could not. False: decline.
//
// A block may end at position 63 with the entry's first symbol, and then the second is the next block's: its
// bits are put back. Run lengths that lead further than 64, or beyond 63 in ways that the library may see
// otherwise, are declined.
HWY_NOINLINE bool rare(Machine& m, const Entry* entry) {
  const uint16_t* const zigzag = m.slot->zigzag;
  const int k = static_cast<int>(m.position - zigzag) - entry->advance;
  const bool ends = (entry->length & kEndOfBlock) != 0;
  int next = 64;
  if (entry->length == 0) {
    if (entry->base == kRefused) return false;
    next = decode_long(m, k);
    if (next < 0) return false;
  } else if (k + entry->offset + 1 == 64) {
    const int all = entry->length & ~kEndOfBlock, first = 64 - entry->shift;
    give_back(m, static_cast<uint64_t>(all - first));
  } else if (k + entry->advance != 64 || (ends && entry->advance > 1)) {
    return false;
  }
  refill(m);
  if (next == 64) {
    m.table = m.slot->next_dc;
    ++m.slot;
    m.position = zigzag;
  } else {
    m.table = m.slot->ac;
    m.position = zigzag + next;
  }
  return true;
}

// Decodes the blocks from state.slot up to `end`, at which the stop table stops the machine. All slots use
// the same zigzag table. Each block starts as zeros. False: decline.
HWY_NOINLINE bool decode_blocks(Machine& state, const BlockSlot* end) {
  Machine m = state;
  refill(m);
  const Entry* entry;
  for (;;) {
    entry = step<false>(m);
    if (HWY_LIKELY(entry == nullptr)) {
      entry = step<true>(m);
      if (HWY_LIKELY(entry == nullptr)) continue;
    }
    m.count &= 63;
    // By a copy: a reference to `m` itself would keep it in memory all the time.
    state = m;
    if (m.slot == end) return true;
    if (HWY_UNLIKELY(!rare(state, entry))) return false;
    m = state;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // MICROTOME_CODEC_JPEG_ENTROPY_INL_H_
