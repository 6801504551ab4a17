#include "microtome/codec/jpeg/huffman.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace microtome::jpeg {
namespace {

constexpr Entry kUnknown{0, 0, kNowhere, kNowhere, 0, 0};
constexpr Entry kRefuse{0, 0, kNowhere, kNowhere, kRefused, 0};

// Note [Entries are sums]
// An entry of two symbols is the sum of its two halves, field by field: lengths and advances add up, and each
// of the other fields is 0 in one of them. No field overflows into its neighbour, so that the sum is one
// 64-bit addition, in any byte order. No second symbol: nothing is added.
using Packed = uint64_t;

Packed pack(const Entry& entry) {
  return std::bit_cast<Packed>(entry);
}

constexpr Packed kNoSecond = 0;

int extend(int value, int bits) {
  return value < 1 << (bits - 1) ? value + 1 - (1 << bits) : value;
}

int bits_of(const Entry& entry) {
  return entry.length & ~kEndOfBlock;
}

// Calls use(symbol, length, first index, number of indices) for each code of up to kLookupBits bits. Codes
// follow each other without gaps: the result is the first index that begins with none of them.
template <class Use>
size_t for_each_short_code(const HuffmanSpec& spec, Use use) {
  uint32_t begin = 0, k = 0;
  for (int length = 1; length <= kLookupBits; ++length) {
    const uint32_t span = uint32_t{1} << (kLookupBits - length);
    for (uint32_t i = 0; i < spec.counts[static_cast<size_t>(length)]; ++i, ++k, begin += span)
      use(spec.symbols[k], length, begin, span);
  }
  return begin;
}

// An AC symbol as second half, for each index whose leading bits are the symbol and its whole value.
struct SecondHalves {
  std::array<Packed, kLookupSize> all;
  // behind[t]: those that fit behind t bits of a first half, indexed by the kLookupBits - t bits left. Made
  // when they are asked for.
  std::array<Packed, kLookupSize> storage;
  std::array<const Packed*, kLookupBits> behind{};
  size_t used = 0;
};

void fill_second(uint8_t symbol, int length, uint32_t begin, uint32_t span, SecondHalves& second) {
  Packed* out = second.all.data() + begin;
  const int run = symbol >> 4, bits = symbol & 15;
  Entry half{};
  half.length = static_cast<uint8_t>(length + bits);
  if (bits == 0) {
    if (run == 0) half.length |= kEndOfBlock;
    if (run == 15) half.advance = 16;
    std::fill_n(out, span, run == 0 || run == 15 ? pack(half) : kNoSecond);
    return;
  }
  if (half.length > kLookupBits) {
    std::fill_n(out, span, kNoSecond);
    return;
  }
  half.advance = static_cast<uint8_t>(run + 1);
  const uint32_t each = span >> bits;
  for (int v = 0; v < 1 << bits; ++v, out += each) {
    half.second = static_cast<int16_t>(extend(v, bits));
    std::fill_n(out, each, pack(half));
  }
}

void make_second_halves(const HuffmanSpec& ac, SecondHalves& second) {
  const size_t known =
      for_each_short_code(ac, [&](uint8_t symbol, int length, uint32_t begin, uint32_t span) {
        fill_second(symbol, length, begin, span, second);
      });
  std::fill(second.all.begin() + static_cast<ptrdiff_t>(known), second.all.end(), kNoSecond);
}

const Packed* halves_behind(int taken, SecondHalves& second) {
  const Packed*& halves = second.behind[static_cast<size_t>(taken)];
  if (halves != nullptr) return halves;
  Packed* const out = second.storage.data() + second.used;
  const int left = kLookupBits - taken;
  const size_t count = size_t{1} << left;
  for (size_t i = 0; i < count; ++i) {
    const Packed half = second.all[i << taken];
    out[i] = bits_of(std::bit_cast<Entry>(half)) <= left ? half : kNoSecond;
  }
  second.used += count;
  return halves = out;
}

// The first half of an entry whose value is positive, if it has one; `code` has `length` bits. kRefuse for a
// symbol that the slow way must refuse, kUnknown where the value's first bit is not among the 11.
Entry first_half(bool dc, uint8_t symbol, int length, uint32_t code) {
  const int run = dc ? 0 : symbol >> 4, bits = dc ? symbol : symbol & 15;
  if (bits > (dc ? kMaxDcBits : kMaxAcBits)) return kRefuse;
  if (bits > 0 && length == kLookupBits) return kUnknown;
  Entry half{
      static_cast<uint8_t>(length + bits), static_cast<uint8_t>(64 - length - bits), kNowhere, 0, 0, 0};
  if (bits > 0) {
    half.offset = static_cast<uint8_t>(run);
    half.advance = static_cast<uint8_t>(run + 1);
    half.base = static_cast<uint16_t>(code << bits);
  } else if (dc) {
    half.advance = 1;
  } else if (run == 15) {
    half.advance = 16;
  } else if (run == 0) {
    half.length |= kEndOfBlock;
    half.advance = 1;  // its 0 goes to a place not yet reached
  } else {
    return kRefuse;
  }
  return half;
}

// The entries of all indices that begin with `half`, which leaves `span` of them.
void put_pairs(const Entry& half, SecondHalves& second, Packed* out, uint32_t span) {
  const int taken = half.length;  // with kEndOfBlock: more than any
  if (taken == 0 || taken >= kLookupBits) {
    std::fill_n(out, span, pack(half));
    return;
  }
  const Packed* const seconds = halves_behind(taken, second);
  const Packed first = pack(half);
  const uint32_t each = uint32_t{1} << (kLookupBits - taken);
  if (each < 8) {
    for (uint32_t i = 0; i < span; ++i) out[i] = first + seconds[i & (each - 1)];
    return;
  }
  for (uint32_t start = 0; start < span; start += each) {
    for (uint32_t i = 0; i < each; ++i) out[start + i] = first + seconds[i];
  }
}

void make_lookup(const HuffmanSpec& spec, bool dc, SecondHalves& second, Lookup& table) {
  std::array<Packed, kLookupSize> packed;
  const size_t known =
      for_each_short_code(spec, [&](uint8_t symbol, int length, uint32_t begin, uint32_t span) {
        Packed* const out = packed.data() + begin;
        Entry half = first_half(dc, symbol, length, begin / span);
        if (half.length == 0 || half.offset == kNowhere) return put_pairs(half, second, out, span);
        put_pairs(half, second, out + span / 2, span / 2);
        const int bits = half.length - length;
        half.base = static_cast<uint16_t>(half.base + (1 << bits) - 1);
        put_pairs(half, second, out, span / 2);
      });
  std::fill(packed.begin() + static_cast<ptrdiff_t>(known), packed.end(), pack(kUnknown));
  std::memcpy(table.entries.data(), packed.data(), sizeof table.entries);
  for (size_t i = 0; i < kLookupSize; ++i) table.lengths[i] = table.entries[i].length;
}

// False for what the library refuses: more codes than fit, a code of all ones (T.81 C.2).
bool make_long(const HuffmanSpec& spec, LongCodes& codes) {
  int32_t code = 0, k = 0;
  for (int length = 1; length <= 16; ++length) {
    const auto at = static_cast<size_t>(length);
    const int32_t count = spec.counts[at];
    codes.offset[at] = k - code;
    k += count;
    code += count;
    codes.max_code[at] = count > 0 ? code - 1 : -1;
    if (count > 0 && code >= 1 << length) return false;
    code <<= 1;
  }
  codes.max_code[0] = -1;
  codes.offset[0] = 0;
  codes.symbols = spec.symbols;
  return k <= 256;
}

// The code of symbol 0; length 0: there is none.
BlankCode code_of_zero(const HuffmanSpec& spec) {
  uint32_t code = 0, k = 0;
  for (int length = 1; length <= 16; ++length) {
    for (int i = 0; i < spec.counts[static_cast<size_t>(length)]; ++i, ++k, ++code) {
      if (spec.symbols[k] == 0) return {code, length};
    }
    code <<= 1;
  }
  return {0, 0};
}

BlankCode blank_code(const HuffmanSpec& dc, const HuffmanSpec& ac) {
  const BlankCode same = code_of_zero(dc), end = code_of_zero(ac);
  if (same.length == 0 || end.length == 0) return {0, 0};
  return {same.bits << end.length | end.bits, same.length + end.length};
}

constexpr Lookup stop_table() {
  Lookup table{};
  table.entries.fill(kUnknown);
  return table;
}

}  // namespace

const Lookup kStopTable = stop_table();

bool build_tables(const HuffmanSpec& dc, const HuffmanSpec& ac, CoderTables& tables) {
  if (!make_long(dc, tables.long_dc) || !make_long(ac, tables.long_ac)) return false;
  if (std::any_of(dc.symbols.begin(), dc.symbols.begin() + dc.size, [](uint8_t s) { return s > 15; }))
    return false;
  SecondHalves second;
  make_second_halves(ac, second);
  make_lookup(ac, false, second, tables.ac);
  make_lookup(dc, true, second, tables.dc);
  tables.blank = blank_code(dc, ac);
  return true;
}

const CoderTables* TableCache::get(const HuffmanSpec& dc, const HuffmanSpec& ac) {
  ++clock_;
  for (Slot& slot : slots_) {
    if (slot.dc == dc && slot.ac == ac) {
      slot.used = clock_;
      return slot.tables.get();
    }
  }
  if (slots_.size() < kKept) slots_.emplace_back();
  Slot& slot = *std::min_element(slots_.begin(), slots_.end(),
                                 [](const Slot& a, const Slot& b) { return a.used < b.used; });
  slot.dc = dc;
  slot.ac = ac;
  slot.used = clock_;
  if (!slot.tables) slot.tables = std::make_unique<CoderTables>();
  if (!build_tables(dc, ac, *slot.tables)) slot.tables.reset();
  return slot.tables.get();
}

}  // namespace microtome::jpeg
