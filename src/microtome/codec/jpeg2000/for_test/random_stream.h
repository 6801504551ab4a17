// Random JPEG 2000 streams: OpenJPEG's encoder through its options, on pictures of all kinds. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "microtome/base/pixels.h"

namespace microtome::jpeg2000::test {

struct RandomStream {
  TileFormat format;
  std::vector<std::byte> packed;
  bool plain = true;        ///< Nothing but what our own decoder is made for.
  bool reversible = false;  ///< 5/3: pixels are the library's to the bit.
  std::string description;
};

/// The stream of a seed, of 1 to `max_side` pixels a side.
RandomStream random_stream(uint64_t seed, int max_side = 300);

}  // namespace microtome::jpeg2000::test
