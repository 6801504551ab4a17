#include "microtome/codec/jpeg/for_test/huffman_writer.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

namespace microtome::jpeg::test {
namespace {

constexpr int kMaxLength = 16;
constexpr uint32_t kRoom = 0xFFFF;  // of 2^16 codes of 16 bits; the one of ones alone is not allowed

uint32_t room_of(int length) {
  return 1u << (kMaxLength - length);
}

uint32_t room_taken(const std::array<uint8_t, 256>& lengths) {
  uint32_t sum = 0;
  for (const uint8_t length : lengths) sum += length != 0 ? room_of(length) : 0;
  return sum;
}

// Lengthens codes, random ones, until all fit.
void make_fit(std::array<uint8_t, 256>& lengths, Random& random) {
  std::vector<uint8_t> symbols;
  for (size_t i = 0; i < 256; ++i) {
    if (lengths[i] != 0) symbols.push_back(static_cast<uint8_t>(i));
  }
  for (uint32_t taken = room_taken(lengths); taken > kRoom;) {
    uint8_t& length = lengths[symbols[random.index(symbols.size())]];
    if (length == kMaxLength) continue;
    ++length;
    taken -= room_of(length);
  }
}

CodeTable table_of(const std::array<uint8_t, 256>& lengths, Random& random) {
  CodeTable table;
  table.length = lengths;
  uint16_t code = 0;
  for (int length = 1; length <= kMaxLength; ++length) {
    std::vector<uint8_t> now;
    for (size_t i = 0; i < 256; ++i) {
      if (lengths[i] == length) now.push_back(static_cast<uint8_t>(i));
    }
    for (size_t i = now.size(); i > 1; --i) std::swap(now[i - 1], now[random.index(i)]);
    for (const uint8_t symbol : now) {
      table.symbols.push_back(symbol);
      table.code[symbol] = code++;
    }
    table.counts[static_cast<size_t>(length)] = static_cast<uint8_t>(now.size());
    code = static_cast<uint16_t>(code << 1);
  }
  return table;
}

// A length of about -log2(probability), then shorter ones while there is room: within a few percent of
// Huffman's.
std::array<uint8_t, 256> optimised_lengths(const Frequencies& frequencies, Random& random) {
  uint64_t total = 0;
  for (const uint32_t f : frequencies) total += f;
  std::array<uint8_t, 256> lengths{};
  std::vector<size_t> order;
  for (size_t i = 0; i < 256; ++i) {
    if (frequencies[i] == 0) continue;
    const auto bits = static_cast<int>(std::bit_width(total / frequencies[i]));
    lengths[i] = static_cast<uint8_t>(std::clamp(bits, 1, kMaxLength));
    order.push_back(i);
  }
  make_fit(lengths, random);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return frequencies[a] > frequencies[b]; });
  uint32_t taken = room_taken(lengths);
  for (const size_t i : order) {
    while (lengths[i] > 1 && taken + room_of(lengths[i]) <= kRoom) {
      taken += room_of(lengths[i]);
      --lengths[i];
    }
  }
  return lengths;
}

std::array<uint8_t, 256> styled_lengths(TableStyle style, const Frequencies& frequencies, Random& random) {
  if (style == TableStyle::standard || style == TableStyle::optimised) {
    return optimised_lengths(frequencies, random);
  }
  std::array<uint8_t, 256> lengths{};
  std::vector<size_t> order;
  for (size_t i = 0; i < 256; ++i) {
    if (frequencies[i] != 0) order.push_back(i);
  }
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.index(i)]);
  const int shortest = random.between(1, 12);
  for (size_t i = 0; i < order.size(); ++i) {
    int length = 0;
    if (style == TableStyle::random) length = random.between(shortest, kMaxLength);
    if (style == TableStyle::long_codes) length = random.between(11, kMaxLength);
    if (style == TableStyle::chain) length = static_cast<int>(std::min<size_t>(i + 1, kMaxLength));
    lengths[order[i]] = static_cast<uint8_t>(length);
  }
  make_fit(lengths, random);
  return lengths;
}

CodeTable from_text(std::string_view counts, std::string_view symbols) {
  const auto bytes = [](std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<uint8_t> result;
    for (size_t i = 0; i + 1 < text.size(); i += 2) {
      result.push_back(static_cast<uint8_t>(16 * digit(text[i]) + digit(text[i + 1])));
    }
    return result;
  };
  CodeTable table;
  table.symbols = bytes(symbols);
  uint16_t code = 0;
  size_t next = 0, length = 0;
  for (const uint8_t count : bytes(counts)) {
    ++length;
    table.counts[length] = count;
    for (int i = 0; i < count; ++i, ++next) {
      table.length[table.symbols[next]] = static_cast<uint8_t>(length);
      table.code[table.symbols[next]] = code++;
    }
    code = static_cast<uint16_t>(code << 1);
  }
  return table;
}

}  // namespace

const CodeTable& standard_table(bool ac, bool chrominance) {
  static const CodeTable tables[] = {
      from_text("00010501010101010100000000000000", "000102030405060708090a0b"),
      from_text("00030101010101010101010000000000", "000102030405060708090a0b"),
      from_text("0002010303020403050504040000017d",
                "01020300041105122131410613516107227114328191a1082342b1c11552d1f0"
                "24336272"
                "82090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a"
                "737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9ba"
                "c2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"),
      from_text("00020102040403040705040400010277",
                "0001020311040521310612415107617113223281081442"
                "91a1b1c109233352f0156272d10a162434e125f11718191a"
                "262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a"
                "82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9ca"
                "d2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"),
  };
  return tables[(ac ? 2 : 0) + (chrominance ? 1 : 0)];
}

bool covers(const CodeTable& table, const Frequencies& frequencies) {
  for (size_t i = 0; i < 256; ++i) {
    if (frequencies[i] != 0 && table.length[i] == 0) return false;
  }
  return true;
}

CodeTable make_table(TableStyle style, const Frequencies& frequencies, Random& random) {
  return table_of(styled_lengths(style, frequencies, random), random);
}

void BitWriter::put(uint32_t bits, int count) {
  bits_ = bits_ << count | bits;
  count_ += count;
  while (count_ >= 8) put_byte();
}

void BitWriter::pad(bool ones) {
  if (count_ != 0) put(ones ? (1u << (8 - count_)) - 1 : 0u, 8 - count_);
}

void BitWriter::put_byte() {
  count_ -= 8;
  const auto byte = static_cast<std::byte>(bits_ >> count_);
  bits_ &= (uint64_t{1} << count_) - 1;
  out_.push_back(byte);
  if (byte == std::byte{0xFF}) out_.push_back(std::byte{0});
}

}  // namespace microtome::jpeg::test
