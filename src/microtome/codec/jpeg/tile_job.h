// All that decoding one tile takes, ready for the code that is compiled once per instruction set. Made by
// TileDecoder (tile.h); internal to this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg/chunk.h"
#include "microtome/codec/jpeg/layout.h"
#include "microtome/codec/jpeg/unstuff.h"

namespace microtome::jpeg {

/// Two MCU rows of a component's samples, in turn: row y of the plane stands at y modulo that many rows.
///
/// Rows have kPlaneMargin bytes on either side: the filters read one sample beyond an edge, and kernels whole
/// vectors.
struct Plane {
  uint8_t* origin = nullptr;
  size_t stride = 0;
  int64_t mask = 0;  ///< Rows - 1; rows are a power of two.

  uint8_t* row(int64_t y) const noexcept { return origin + static_cast<size_t>(y & mask) * stride; }
};

inline constexpr size_t kPlaneMargin = 192;

/// Quantisation factors as the 16-bit multiplication takes them, in the order of a block's coefficients in a
/// group: 8 rows of 8 words.
using QuantFactors = std::array<int16_t, 64>;

struct TileJob {
  Layout layout;
  Needed needed;
  Rect bounds;                            ///< Pixels that are wanted at all.
  bool ycbcr = false;                     ///< Three components are YCbCr rather than RGB.
  std::span<const TilePart> parts;        ///< Where pixels go; empty: only to `planes_out`.
  std::span<const ImageView> planes_out;  ///< Where whole planes go; empty: nowhere.
  bool stream = false;                    ///< Rows pass the caches.

  const ScanBytes* scan = nullptr;
  uint32_t restart_interval = 0;
  std::array<const CoderTables*, 3> tables{};
  const QuantFactors* quant = nullptr;  ///< One per component; 64-byte aligned.
  std::array<Plane, 3> planes;
  int16_t* coefficients = nullptr;  ///< kMaxGroups groups, all zeros before and after a tile.
};

}  // namespace microtome::jpeg
