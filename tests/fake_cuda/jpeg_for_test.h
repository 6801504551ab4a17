// JPEG tiles for tests, coded by libjpeg-turbo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/base/geometry.h"

namespace microtome::test {

/// What a tile is coded as.
struct JpegKind {
  Size size{64, 48};
  int components = 3;
  int across = 2, down = 2;  ///< Luma samples to one of chroma.
  int quality = 80;
  int restart_rows = 0;  ///< A restart marker after so many rows of MCUs; 0: none.
  bool progressive = false;
};

/// A picture of noise and slopes from `seed`, as a whole stream.
std::vector<std::byte> encode_jpeg(const JpegKind& kind, uint32_t seed);

/// The same as TIFF has it: its tables apart, for all tiles of a kind.
std::vector<std::byte> encode_jpeg_tables(const JpegKind& kind);
std::vector<std::byte> encode_jpeg_abbreviated(const JpegKind& kind, uint32_t seed);

}  // namespace microtome::test
