// One tile and what is asked of it as one piece of bytes: what fuzzers of decoders take. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/for_test/tested.h"

namespace microtome::test {

/// As bytes: ten of header (flags, subject, size, what is asked, size of the tables; little-endian), tables,
/// stream.
struct FuzzInput {
  uint8_t flags =
      0;  ///< 1 to 8: the format, as the codec has it; 16: the whole tile; 32, 64: how far to reduce.
  uint8_t subject = 0;  ///< Which decoder is asked, modulo their number.
  uint16_t width = 0, height = 0;
  uint16_t request = 0;  ///< Seed of the parts that are asked for.
  std::vector<std::byte> tables, packed;

  static std::optional<FuzzInput> parse(std::span<const uint8_t> data);
  std::vector<uint8_t> bytes() const;

  TileFormat format(const TestedCodec& codec) const;  ///< Borrows `tables`. At most 700x700.
  Request asked(const TestedCodec& codec) const;
};

/// The tile of a seed as an input.
FuzzInput random_input(const TestedCodec& codec, uint64_t seed, int max_side);

/// Changes `input` in one random way: mostly the stream, at times what is asked, at times all of it.
void mutate(const TestedCodec& codec, FuzzInput& input, Random& random);

}  // namespace microtome::test
