#include "microtome/codec/jpeg/huffman.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "microtome/codec/for_test/random.h"
#include "microtome/codec/jpeg/for_test/huffman_writer.h"

namespace microtome::jpeg {
namespace {

using microtome::test::Random;
using test::CodeTable;
using test::Frequencies;
using test::TableStyle;

HuffmanSpec spec_of(const CodeTable& table) {
  HuffmanSpec spec;
  spec.counts = table.counts;
  std::copy(table.symbols.begin(), table.symbols.end(), spec.symbols.begin());
  spec.size = static_cast<uint16_t>(table.symbols.size());
  spec.defined = true;
  return spec;
}

// The symbol that `bits` (of which `count` are known) begin with; -1: none that is wholly known. By T.81's
// procedure, bit by bit, on the writer's codes.
struct Symbol {
  int value = -1, length = 0;
};
Symbol first_symbol(const CodeTable& table, uint32_t bits, int count) {
  for (const uint8_t symbol : table.symbols) {
    const int length = table.length[symbol];
    if (length <= count && bits >> (count - length) == table.code[symbol]) return {symbol, length};
  }
  return {};
}

int extended(uint32_t bits, int count) {
  const int value = static_cast<int>(bits);
  return value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
}

uint32_t low(uint32_t bits, int count) {
  return bits & ((uint32_t{1} << count) - 1);
}

// Where an entry's first value is, of `size` bits behind a code of `length`, for every value that goes on
// from these 11 bits.
bool first_values_are_right(const Entry& entry, uint32_t bits, int length, int size) {
  const int known = kLookupBits - length, open = std::max(0, size - known);
  for (uint64_t tail = 0; tail < uint64_t{1} << open; ++tail) {
    const uint64_t stream = uint64_t{bits} << (64 - kLookupBits) | tail << (64 - kLookupBits - open);
    const auto value_bits = static_cast<uint32_t>(stream << length >> (64 - size));
    const auto found = static_cast<uint16_t>((stream >> entry.shift) - entry.base);
    if (static_cast<int16_t>(found) != extended(value_bits, size)) return false;
  }
  return true;
}

// What a lookup with these 11 bits must say, from the definition of Entry.
std::string check_entry(const Entry& entry, bool dc, const CodeTable& table, const CodeTable& ac,
                        uint32_t bits) {
  const Symbol first = first_symbol(table, bits, kLookupBits);
  const int run = dc ? 0 : first.value >> 4, size = dc ? first.value : first.value & 15;
  const bool sensible = size <= (dc ? 11 : 10) && (dc || size > 0 || run == 0 || run == 15);
  const bool unknown = first.value < 0 || (sensible && size > 0 && first.length == kLookupBits);
  if (unknown || !sensible) {
    const bool right = entry.base == (unknown ? 0 : kRefused) && entry.length == 0 && entry.second == 0;
    return right && entry.advance == 64 && entry.offset == kNowhere ? "" : "unknown";
  }
  if (entry.shift != 64 - first.length - size) return "shift";
  if (entry.offset != (size > 0 ? run : kNowhere)) return "offset";
  if (size > 0 && !first_values_are_right(entry, bits, first.length, size)) return "first value";
  bool ends = !dc && size == 0 && run == 0;
  int length = first.length + size, advance = size > 0 ? run + 1 : run == 15 ? 16 : 1, second = 0;
  if (!ends && length < kLookupBits) {
    const int left = kLookupBits - length;
    const uint32_t rest = low(bits, left);
    const Symbol next = first_symbol(ac, rest, left);
    const int next_run = next.value >> 4, next_size = next.value & 15;
    const bool taken = next.value >= 0 && next.length + next_size <= left &&
                       (next_size > 0 || next_run == 0 || next_run == 15);
    if (taken) {
      ends = next.value == 0;
      advance += ends ? 0 : next_run + 1;
      length += next.length + next_size;
      if (next_size > 0)
        second = extended(low(rest >> (left - next.length - next_size), next_size), next_size);
    }
  }
  if ((entry.length & ~kEndOfBlock) != length) return "length";
  if (entry.advance != advance) return "advance";
  if (((entry.length & kEndOfBlock) != 0) != ends) return "end of block";
  return entry.second == second ? "" : "second";
}

std::string check_lookup(const Lookup& lookup, bool dc, const CodeTable& table, const CodeTable& ac,
                         uint32_t bits) {
  const Entry& entry = lookup.entries[bits];
  if (lookup.lengths[bits] != entry.length) return "lengths";
  return check_entry(entry, dc, table, ac, bits);
}

CodeTable random_table(bool dc, TableStyle style, Random& random) {
  Frequencies frequencies{};
  const int symbols = random.between(1, dc ? 12 : 162);
  for (int i = 0; i < symbols; ++i) {
    const int size = random.between(dc ? 0 : 1, dc ? 11 : 10);
    const int symbol = dc ? size : random.below(16) << 4 | size;
    frequencies[static_cast<size_t>(symbol)] = static_cast<uint32_t>(random.between(1, 1000));
  }
  if (!dc) frequencies[0x00] = frequencies[0xF0] = 50;
  return make_table(style, frequencies, random);
}

TEST(JpegHuffman, EntriesSayWhatTheBitsSay) {
  constexpr TableStyle kStyles[] = {TableStyle::optimised, TableStyle::random, TableStyle::long_codes,
                                    TableStyle::chain};
  Random random(1);
  auto tables = std::make_unique<CoderTables>();
  for (int round = 0; round < 200; ++round) {
    const TableStyle style = random.pick(kStyles);
    const CodeTable dc = random_table(true, style, random), ac = random_table(false, style, random);
    ASSERT_TRUE(build_tables(spec_of(dc), spec_of(ac), *tables)) << round;
    for (uint32_t bits = 0; bits < kLookupSize; ++bits) {
      ASSERT_EQ(check_lookup(tables->ac, false, ac, ac, bits), "") << "AC " << round << " " << bits;
      ASSERT_EQ(check_lookup(tables->dc, true, dc, ac, bits), "") << "DC " << round << " " << bits;
    }
  }
}

TEST(JpegHuffman, LongCodesFindEverySymbol) {
  Random random(2);
  auto tables = std::make_unique<CoderTables>();
  for (int round = 0; round < 100; ++round) {
    const CodeTable dc = random_table(true, TableStyle::chain, random);
    const CodeTable ac = random_table(false, TableStyle::long_codes, random);
    ASSERT_TRUE(build_tables(spec_of(dc), spec_of(ac), *tables));
    for (const uint8_t symbol : ac.symbols) {
      const auto length = static_cast<size_t>(ac.length[symbol]);
      const int32_t code = ac.code[symbol];
      ASSERT_LE(code, tables->long_ac.max_code[length]);
      ASSERT_EQ(tables->long_ac.symbols[static_cast<size_t>(code + tables->long_ac.offset[length])], symbol);
      for (size_t shorter = 1; shorter < length; ++shorter)
        ASSERT_GT(code >> (length - shorter), tables->long_ac.max_code[shorter]);
    }
  }
}

TEST(JpegHuffman, BlankCodeIsNoDifferenceAndEndOfBlock) {
  auto tables = std::make_unique<CoderTables>();
  const CodeTable &dc = test::standard_table(false, false), &ac = test::standard_table(true, false);
  ASSERT_TRUE(build_tables(spec_of(dc), spec_of(ac), *tables));
  EXPECT_EQ(tables->blank.length, 6);  // T.81 tables K.3 and K.5: 00, 1010
  EXPECT_EQ(tables->blank.bits, 0b001010u);
  HuffmanSpec without = spec_of(dc);
  std::replace(without.symbols.begin(), without.symbols.end(), uint8_t{0}, uint8_t{12});
  ASSERT_TRUE(build_tables(without, spec_of(ac), *tables));
  EXPECT_EQ(tables->blank.length, 0);
}

// One table with these numbers of codes of each length, of symbols 0, 1, 2…
HuffmanSpec counted(std::initializer_list<uint8_t> counts) {
  HuffmanSpec spec;
  std::copy(counts.begin(), counts.end(), spec.counts.begin() + 1);
  spec.size = static_cast<uint16_t>(std::accumulate(counts.begin(), counts.end(), 0));
  std::iota(spec.symbols.begin(), spec.symbols.begin() + spec.size, uint8_t{0});
  spec.defined = true;
  return spec;
}

TEST(JpegHuffman, RefusesWhatTheLibraryRefuses) {
  auto tables = std::make_unique<CoderTables>();
  const HuffmanSpec good = counted({0, 3});
  EXPECT_TRUE(build_tables(good, good, *tables));
  EXPECT_FALSE(build_tables(counted({0, 4}), good, *tables));  // 11: a code of ones
  EXPECT_FALSE(build_tables(good, counted({0, 4}), *tables));
  EXPECT_FALSE(build_tables(good, counted({3}), *tables));  // three codes of one bit
  EXPECT_FALSE(build_tables(good, counted({1, 1, 2}), *tables));
  EXPECT_TRUE(build_tables(good, counted({1, 1, 1}), *tables));
  HuffmanSpec dc16 = good;
  dc16.symbols[1] = 16;
  EXPECT_FALSE(build_tables(dc16, good, *tables));
  EXPECT_TRUE(build_tables(good, dc16, *tables));
}

TEST(JpegHuffman, CacheKeepsTheLastByContent) {
  TableCache cache;
  const HuffmanSpec dc = counted({0, 3});
  const auto ac = [](int i) {
    HuffmanSpec spec = counted({0, 3});
    spec.symbols[2] = static_cast<uint8_t>(i);
    return spec;
  };
  const CoderTables* const first = cache.get(dc, ac(1));
  ASSERT_NE(first, nullptr);
  const Entry entry = first->ac.entries[0b10100000000];  // symbol 1 of run 0 size 1, its value 1
  EXPECT_EQ(cache.get(counted({0, 3}), ac(1)), first);
  EXPECT_EQ(cache.get(dc, counted({0, 4})), nullptr);
  EXPECT_EQ(cache.get(dc, counted({0, 4})), nullptr);
  for (int i = 2; i < 2 + static_cast<int>(TableCache::kKept) - 2; ++i) {
    const CoderTables* const other = cache.get(dc, ac(i));
    EXPECT_NE(other, first);
    EXPECT_NE(other, nullptr);
  }
  EXPECT_EQ(cache.get(dc, ac(1)), first);
  EXPECT_EQ(first->ac.entries[0b10100000000].length, entry.length);
  for (int i = 100; i < 120; ++i) cache.get(dc, ac(i));
  const CoderTables* const again = cache.get(dc, ac(1));
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->ac.entries[0b10100000000].length, entry.length);
}

}  // namespace
}  // namespace microtome::jpeg
