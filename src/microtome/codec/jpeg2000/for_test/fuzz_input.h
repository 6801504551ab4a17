// One tile and what is asked of it as one piece of bytes: the inputs of fuzz/jpeg2000.cc. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "microtome/base/pixels.h"
#include "microtome/codec/jpeg2000/for_test/differential.h"

namespace microtome::jpeg2000::test {

/// As bytes: eight of header (flags, subject, size, what is asked; little-endian), stream.
struct FuzzInput {
  uint8_t flags = 0;    ///< 1, 2: components less one; 4: YCbCr; 8: the whole tile; 16: 16-bit samples.
  uint8_t subject = 0;  ///< Which decoder is asked, modulo their number.
  uint16_t width = 0, height = 0;
  uint16_t request = 0;  ///< Seed of the parts that are asked for.
  std::vector<std::byte> packed;

  static std::optional<FuzzInput> parse(std::span<const uint8_t> data);
  std::vector<uint8_t> bytes() const;

  TileFormat format() const;  ///< At most 512x512.
  Request asked() const;
};

/// A stream of random_stream(seed) as an input.
FuzzInput random_input(uint64_t seed, int max_side);

/// Changes `input` in one random way: mostly the stream, at times what is asked, at times all of it.
void mutate(FuzzInput& input, Random& random);

}  // namespace microtome::jpeg2000::test
