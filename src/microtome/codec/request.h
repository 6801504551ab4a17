// Checks that every decoder makes before it looks at a stream, and the scratch memory that decoders keep.
//
// For the codecs' own .cc files. Not thread-safe; one Scratch per decoder.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "microtome/codec/codec.h"

namespace microtome {

/// The caller's side of Decoder::decode's contract (sizes, samples and types that agree; parts inside the
/// tile) and the feature no decoder has: planar samples.
Status check_request(const TileFormat& format, const Want& want);

/// `unsupported` where samples are stored in fewer bits than their type has, for codecs that cannot unpack
/// them.
Status check_whole_samples(const TileFormat& format);

/// `unsupported` where less than the full resolution is asked for, for codecs that have no other.
Status check_full_resolution(const Want& want);

/// Bytes of one decoded tile; `unsupported` past 2 GiB, so that a tile's sizes and offsets fit everywhere
/// below.
Result<size_t> tile_bytes(const TileFormat& format);

/// A stream's own size, `stream`, against what is asked of it: `corrupt` where it, reduced, does not cover
/// the parts, and `unsupported` where it has more than four times the tile's pixels, for whose memory and
/// time nobody asked.
Status check_stream_size(const Size& stream, const TileFormat& format, const Want& want);

/// Codec::make for a decoder that cannot fail to be made.
template <class D>
Result<std::unique_ptr<Decoder>> make_decoder() {
  return std::unique_ptr<Decoder>(std::make_unique<D>());
}

/// Memory that grows and is kept. Its content is unspecified after each call.
class Scratch {
 public:
  Result<std::span<std::byte>> at_least(size_t bytes);

 private:
  std::unique_ptr<std::byte[]> data_;
  size_t size_ = 0;
};

}  // namespace microtome
