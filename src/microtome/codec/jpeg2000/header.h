// What a JPEG 2000 stream says of itself before anything is decoded: where its codestream is, what its boxes
// say of channels, and its SIZ segment.
//
// Called by library.cc, so that sizes are judged before a library allocates by them. Pure; thread-safe.
// Source: ITU-T T.800 annexes A.5.1 (SIZ) and I (JP2 boxes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "microtome/base/error.h"

namespace microtome::jpeg2000 {

struct HeaderComponent {
  uint8_t bits = 0;
  bool is_signed = false;
  uint8_t dx = 1, dy = 1;  ///< Every dx-th column and dy-th row of the reference grid has a sample.
};

/// Positions and sizes are on the reference grid.
struct Header {
  uint32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;                    ///< The image, half-open and not empty.
  uint32_t tile_x0 = 0, tile_y0 = 0, tile_w = 0, tile_h = 0;  ///< Of the first codestream tile.
  uint64_t tiles = 0;
  std::vector<HeaderComponent> components;
};

/// What a tile's bytes are: a bare codestream, or a JP2 file around one.
struct Stream {
  std::span<const std::byte> codestream;
  /// Boxes say what the channels are: a palette makes them, or definitions put them into another order.
  bool has_channel_boxes = false;
  uint16_t palette_channels = 0;  ///< That a palette makes of components; 0 without one.
};

/// Looks through the boxes, if there are any, up to the codestream. Errors: corrupt.
Result<Stream> find_codestream(std::span<const std::byte> stream);

/// Reads SIZ. Errors: corrupt.
Result<Header> read_header(std::span<const std::byte> codestream);

/// Whether every codestream tile has all of its parts: the library leaves tiles black that are missing.
/// Errors: corrupt. Source: ITU-T T.800 annex A.4.2 (SOT).
Status check_tile_parts(std::span<const std::byte> codestream, uint64_t tiles);

}  // namespace microtome::jpeg2000
