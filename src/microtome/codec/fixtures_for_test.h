// The tiles of conformance_fixtures.inc, and how tests decode one. For tests only.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/codec/codec.h"

namespace microtome::test {

using ByteVector = std::vector<std::byte>;

struct Fixture {
  std::string name;
  TileFormat format;
  int tolerance = 0;  ///< Largest difference of a sample: 1 for irreversible JPEG 2000, else 0.
  ByteVector packed;
  ByteVector pixels;  ///< Rows without gaps, samples in little-endian order, the only one we build for.
};

const std::vector<Fixture>& fixtures();
const Fixture& fixture(std::string_view name);

std::unique_ptr<Decoder> make_decoder(const TileFormat& format);

/// `region` of the tile at 1 / 2^reduce of its resolution, as rows without gaps.
Result<ByteVector> decode(Decoder& decoder, std::span<const std::byte> packed, const TileFormat& format,
                          const Rect& region, int reduce = 0);
Result<ByteVector> decode(std::span<const std::byte> packed, const TileFormat& format);

/// `region` out of a whole tile's pixels.
ByteVector crop(const ByteVector& pixels, const TileFormat& format, const Rect& region);

/// Of one sample of uint8.
TileFormat grey(Compression compression, int64_t width, int64_t height);

ByteVector bytes(std::initializer_list<int> values);

/// `size` bytes below `values`, always the same.
ByteVector noise(size_t size, uint32_t values = 256);

inline Rect whole(const TileFormat& format) {
  return {0, 0, format.size.w, format.size.h};
}

}  // namespace microtome::test
