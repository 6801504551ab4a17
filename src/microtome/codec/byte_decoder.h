// What the byte-oriented codecs share: a stream that unpacks to the tile's rows, then byte order, packed
// samples, predictor, YCbCr and crop.
//
// For the codecs' own .cc files. A codec derives from ByteDecoder and knows only bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "microtome/codec/codec.h"
#include "microtome/codec/request.h"
#include "microtome/codec/ycbcr.h"

namespace microtome {

class ByteDecoder : public Decoder {
 public:
  /// `max_expansion`  bytes that one packed byte can become at most: a bound on memory for tiny streams that
  /// claim
  ///                  huge tiles.
  ByteDecoder(std::string_view name, size_t max_expansion) : name_(name), max_expansion_(max_expansion) {}

  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) final;

 protected:
  /// Returns the first `need` bytes of what `packed` holds, or fewer where it holds fewer. They are written
  /// to `room`, which has the bytes of the whole tile (`room.size() >= need`), or are a part of `packed`.
  virtual Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed,
                                                    std::span<std::byte> room, size_t need) = 0;

 private:
  Status decode_checked(std::span<const std::byte> packed, const TileFormat& format, const Want& want);
  // Rows of whole samples, of packed ones, of floating-point numbers with their predictor, and of YCbCr.
  Status place(std::span<const std::byte> rows, const TileFormat& format, const Want& want);
  Status place_packed(std::span<const std::byte> rows, const TileFormat& format, const Want& want);
  Status place_float(std::span<const std::byte> rows, const TileFormat& format, const Want& want);

  Status place_ycbcr(std::span<const std::byte> rows, const TileFormat& format, const Want& want);

  std::string_view name_;
  size_t max_expansion_;
  Scratch tile_, line_, band_, reversed_;
  YCbCrConverter ycbcr_;
};

}  // namespace microtome
