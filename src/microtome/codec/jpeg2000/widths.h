// How wide values and rows are: what the code of a tile is instantiated for.
//
// Chosen per tile by tile.cc. Internal to this folder.
#pragma once

#include <cstdint>

namespace microtome::jpeg2000 {

/// Tiles of slides: bytes, unsigned, from code-blocks of a few bit planes.
struct Narrow {
  using Value = int16_t;  ///< What code-blocks are decoded to.
  using Pixel = uint8_t;  ///< A sample of the picture.
  /// Bit planes that a value has room for, with a sign and half a step.
  static constexpr unsigned kMaxPlanes = 14;
};

/// Everything else, up to what the library can hold.
struct Wide {
  using Value = int32_t;
  using Pixel = int32_t;
  static constexpr unsigned kMaxPlanes = 30;
};

}  // namespace microtome::jpeg2000
