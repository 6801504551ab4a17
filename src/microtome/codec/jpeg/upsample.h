// How chroma is brought to the size of luma, and where a row's samples are. Plain types between the driver of
// a tile and the row writers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace microtome::jpeg {

/// Of chroma for one output row, unless it is half as wide and half as high (pairs-inl.h). See Note [Triangle
/// upsampling] in upsample-inl.h.
enum class Upsampling : uint8_t {
  none,
  across,         // half as wide, triangle
  across_repeat,  // half as wide, each sample twice: at most two columns, or reduced to an eighth
  down_upper,     // half as high: the upper of a chroma row's two output rows; `far` is the row above
  down_lower,     // the lower one; `far` is the row below
};

// Rows point at column 0 of planes. Of a plane that is half as wide, [-1] and [its width] hold the edge
// sample again. All rows may be read 64 bytes in front of what is wanted and 128 bytes behind it; what is
// there does not matter.

/// Sources of one output row.
struct RowSource {
  const uint8_t* luma;
  const uint8_t* near[2];  // Cb, Cr: the row that gives three parts, or all
  const uint8_t* far[2];   // the row that gives one part; unused unless down
};

/// One pixel repeated: enough for a vector's worth of each phase of three bytes.
struct FlatRow {
  alignas(64) uint8_t bytes[256];
};

}  // namespace microtome::jpeg
