// Random JPEG streams, written by ourselves from random coefficients, so that they hold what no encoder of
// pictures writes. For tests only.
//
// Every stream is valid (T.81, or what libjpeg-turbo takes beyond it without a warning), and its coefficients
// are known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "microtome/base/pixels.h"
#include "microtome/codec/jpeg/for_test/random_blocks.h"

namespace microtome::jpeg::test {

struct StreamComponent {
  uint8_t id = 0, h = 1, v = 1, quant = 0, dc = 0, ac = 0;  ///< As SOF and SOS say it.
  int blocks_w = 0, blocks_h = 0;                           ///< Of whole MCUs.
  std::vector<Block> blocks;
};

/// Up to here coefficients are within what our own decoder takes: a column of them gives results of at most
/// 1.387 * 4 as much (Note [Where implementations of the transform agree] in idct-inl.h).
inline constexpr int64_t kAlwaysOwn = 2950;

struct RandomStream {
  TileFormat format;  ///< Owns its JPEGTables, where the stream needs any.
  std::vector<std::byte> packed;
  std::vector<StreamComponent> components;
  std::array<QuantValues, 4> quant{};

  /// Nothing but what our own decoder is made for: sampling, tables, markers; it may still leave coefficients
  /// that are beyond `largest` <= kAlwaysOwn to the library.
  bool plain = true;
  int64_t largest =
      0;  ///< The largest sum of a block's column of dequantised coefficients, without their signs.
  std::string description;
};

/// The stream of a seed, of 1 to `max_side` pixels a side; from 600 on a few are strips twenty times as long.
RandomStream random_stream(uint64_t seed, int max_side = 600);

}  // namespace microtome::jpeg::test
