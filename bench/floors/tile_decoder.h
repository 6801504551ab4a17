// Decodes tiles with the codec libraries, as a careful user of them would, and nothing else.
//
// One per thread. Streams are trusted: a broken one ends the program.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "microtome/base/pixels.h"

namespace floors {

/// Where a tile's pixels go: its `w` x `h` at the top left, rows `stride` bytes apart.
struct Target {
  uint8_t* data;
  int64_t w, h, stride;
};

class TileDecoder {
 public:
  virtual ~TileDecoder() = default;
  virtual void decode(std::span<const std::byte> packed, const Target& to) = 0;
};

/// Null for a format that none of the two codecs decodes. `format` outlives the decoder.
std::unique_ptr<TileDecoder> make_decoder(const microtome::TileFormat& format);

std::unique_ptr<TileDecoder> make_jpeg_decoder(const microtome::TileFormat& format);
/// At 1 / 2^reduce of the resolution.
std::unique_ptr<TileDecoder> make_jpeg2000_decoder(const microtome::TileFormat& format, unsigned reduce = 0);
std::string jpeg_version();
std::string jpeg2000_version();

}  // namespace floors
