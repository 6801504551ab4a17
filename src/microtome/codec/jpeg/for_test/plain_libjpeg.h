// libjpeg-turbo in its plainest use: the whole image, row by row. The reference for pixels in tests; our
// `library.h` is the one for verdicts. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "microtome/base/pixels.h"

namespace microtome::jpeg::test {

struct PlainImage {
  std::string complaint;  ///< The first error or warning; empty: none, and then the rest is there.
  Size size;              ///< Of the reduced image.
  std::vector<std::byte> pixels;
};

/// The accurate integer DCT, fancy upsampling, components as `format.color` says; at 1 / 2^reduce of the
/// size. Warnings about an unknown JFIF or Adobe marker and about a missing end-of-image marker do not count.
PlainImage plain_decode(std::span<const std::byte> packed, const TileFormat& format, int reduce = 0);

struct PlainPlane {
  Size size;
  std::vector<std::byte> samples;
};

/// The samples of every component as the frame has them, before upsampling and colour; empty when libjpeg
/// complains.
std::vector<PlainPlane> plain_planes(std::span<const std::byte> packed, const TileFormat& format);

struct PlainBlocks {
  int w = 0, h = 0;             ///< Blocks that hold pixels.
  std::vector<int16_t> values;  ///< 64 per block, quantised, in row-major order.
};

/// Quantised coefficients of every component; empty when libjpeg complains.
std::vector<PlainBlocks> plain_coefficients(std::span<const std::byte> packed, const TileFormat& format);

}  // namespace microtome::jpeg::test
