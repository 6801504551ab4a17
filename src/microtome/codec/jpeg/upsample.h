// How chroma is brought to the size of luma, and where a row's samples are. Plain types between the driver of
// a tile and the row writers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace microtome::jpeg {

/// Of chroma for one output row. See Note [Triangle upsampling] in upsample-inl.h.
enum class Upsampling : uint8_t {
  none,
  across,         // half as wide, triangle
  across_repeat,  // half as wide, each sample twice: at most two columns, or reduced to an eighth
  down_upper,     // half as high: the upper of a chroma row's two output rows; `far` is the row above
  down_lower,     // the lower one; `far` is the row below
  both,           // half as wide and half as high, triangle
};

// Rows point at column 0 of planes. Of a plane that is half as wide, [-1] and [its width] hold the edge
// sample again. All rows may be read 64 bytes in front of what is wanted and 128 bytes behind it; what is
// there does not matter.

/// Sources of one output row.
struct RowSource {
  const uint8_t* luma;
  const uint8_t* near[2];  // Cb, Cr: the row that gives three parts, or all
  const uint8_t* far[2];   // the row that gives one part; unused unless down or both
};

/// Sources of the two output rows that share their near chroma row (4:2:0). Without an output row its luma
/// and far rows are unused.
struct PairSource {
  const uint8_t* luma[2];
  const uint8_t* near[2];   // Cb, Cr
  const uint8_t* above[2];  // far of the upper output row
  const uint8_t* below[2];  // far of the lower one
};

/// One pixel repeated: enough for a vector's worth of each phase of three bytes.
struct FlatRow {
  alignas(64) uint8_t bytes[256];
};

}  // namespace microtome::jpeg
