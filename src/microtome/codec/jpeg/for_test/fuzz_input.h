// One tile and what is asked of it as one piece of bytes: the inputs of fuzz/jpeg.cc. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "microtome/base/pixels.h"
#include "microtome/codec/jpeg/for_test/differential.h"
#include "microtome/codec/jpeg/for_test/random.h"

namespace microtome::jpeg::test {

/// As bytes: ten of header (flags, subject, size, what is asked, size of the tables; little-endian), tables,
/// stream.
struct FuzzInput {
  uint8_t flags =
      0;  ///< 1: grey; 2: RGB rather than YCbCr, white is zero; 4: the whole tile; 8, 16: how far to reduce.
  uint8_t subject = 0;  ///< Which decoder is asked, modulo their number.
  uint16_t width = 0, height = 0;
  uint16_t request = 0;  ///< Seed of the parts that are asked for.
  std::vector<std::byte> tables, packed;

  static std::optional<FuzzInput> parse(std::span<const uint8_t> data);
  std::vector<uint8_t> bytes() const;

  TileFormat format() const;  ///< Borrows `tables`. At most 700x700.
  Request asked() const;
};

/// A stream of random_stream(seed) as an input.
FuzzInput random_input(uint64_t seed, int max_side);

/// Changes `input` in one random way: mostly the stream, at times what is asked, at times all of it.
void mutate(FuzzInput& input, Random& random);

}  // namespace microtome::jpeg::test
