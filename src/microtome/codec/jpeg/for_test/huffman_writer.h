// The writing side of JPEG's Huffman coding (ITU-T T.81, annexes C, F and K): tables of several styles for
// given symbols, and a bit writer that stuffs. For tests only; it shares nothing with the decoder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "microtome/codec/for_test/random.h"

namespace microtome::jpeg::test {

using microtome::test::Random;

using Frequencies = std::array<uint32_t, 256>;

/// A Huffman table as a DHT segment holds it, with the codes that follow from it.
struct CodeTable {
  std::array<uint8_t, 17> counts{};   ///< [1] to [16]: how many codes have that length.
  std::vector<uint8_t> symbols;       ///< In the order of their codes.
  std::array<uint8_t, 256> length{};  ///< By symbol; 0: it has no code.
  std::array<uint16_t, 256> code{};   ///< By symbol.
};

enum class TableStyle : uint8_t {
  standard,    ///< Annex K.3; only where it has a code for every symbol that occurs.
  optimised,   ///< Short codes for frequent symbols, none for those that do not occur.
  random,      ///< Any lengths that fit, with codes for symbols that never occur.
  long_codes,  ///< As many codes of 11 to 16 bits as possible: longer than a lookup table is wide.
  chain,       ///< Lengths 1, 2, 3, ... 16 in a random order of symbols.
};

/// A table with a code for each symbol whose frequency is not zero, and no code of ones alone.
CodeTable make_table(TableStyle style, const Frequencies& frequencies, Random& random);

/// Annex K.3: the typical tables for luminance and chrominance.
const CodeTable& standard_table(bool ac, bool chrominance);

bool covers(const CodeTable& table, const Frequencies& frequencies);

/// Appends entropy-coded bits to a stream, a zero byte behind each 0xFF.
class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}

  void put(uint32_t bits, int count);
  /// Fills the last byte, with ones as T.81 asks or with other bits, which decoders must ignore.
  void pad(bool ones);

 private:
  void put_byte();

  std::vector<std::byte>& out_;  // unowned: the caller's stream
  uint64_t bits_ = 0;
  int count_ = 0;
};

}  // namespace microtome::jpeg::test
