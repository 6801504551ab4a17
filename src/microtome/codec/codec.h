// Codecs: one compressed tile in, pixels out.
//
// Called by `read`. A codec knows a tile's bytes and its `TileFormat`, and nothing of files, offsets, TIFF,
// slides, threads or caches. Adding one is a file, a word in codec/CMakeLists.txt and a row in
// conformance_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/codec/planes.h"

namespace microtome {

/// The size of a tile at 1 / 2^reduce of its resolution: each side rounded up.
Size reduced_size(const Size& size, int reduce) noexcept;

/// A part of a tile, in pixels of the tile (at the resolution that is asked for), and where it goes: `dst`
/// has `src`'s size.
struct TilePart {
  Rect src;
  ImageView dst;
};

/// What to decode of a tile: one part or more, which may overlap. Each lies inside
/// `reduced_size(format.size, reduce)` and is not empty.
struct Want {
  std::span<const TilePart> parts;
  /// How to write to parts that are larger than the caches. A hint.
  Stores stores = Stores::cached;
  /// Decode at 1 / 2^reduce of the tile's resolution, by leaving out frequencies that it could not show: for
  /// much less than a whole decode, and with less aliasing than dropping pixels. Up to 3 for JPEG, as
  /// libjpeg-turbo scales; for JPEG 2000 up to the number of decompositions that a stream has, mostly 5;
  /// `unsupported` beyond, and from all other codecs.
  uint8_t reduce = 0;

  /// The smallest rectangle that holds all parts: what must be decoded.
  Rect bounds() const noexcept;
};

/// Who decoded tiles, of a codec that has a decoder of its own in front of its library.
struct DecodedBy {
  uint64_t own = 0;      ///< Our own decoder gave the pixels.
  uint64_t library = 0;  ///< It left them to the library, which gave pixels or an error.
};

/// Decodes tiles of the formats its codec accepts, one at a time.
///
/// Keeps its library's handles, tables and scratch memory between tiles, which is why there is one per
/// worker.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Decodes parts of one tile.
  ///
  /// `packed`  the tile's bytes as stored, without container framing.
  /// `format`  one that this decoder's codec accepts.
  /// `want`    parts whose views have `format.samples` interleaved samples of `format.type`; every pixel of
  ///           them is written, or an error is returned and their content is unspecified. Rows go to all
  ///           parts as they are made, while they are in the nearest cache.
  /// Errors    corrupt: the stream is invalid, ends early, or does not cover the parts. A stream whose own
  ///           size differs from `format.size` is taken as long as it covers them, as the pixels at its top
  ///           left. unsupported: a feature we do not decode, named. out_of_memory.
  /// Threads   one Decoder per thread. Reusable after an error.
  virtual Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) = 0;

  /// Decodes one part of a tile.
  Status decode_part(std::span<const std::byte> packed, const TileFormat& format, const Rect& src,
                     const ImageView& dst) {
    const TilePart part{src, dst};
    return decode(packed, format, {{&part, 1}});
  }

  /// How the tile's samples stand in its stream, where decode_planes() is likely to give them. Nothing where
  /// it gives none; then decode() has pixels, or says what is wrong.
  virtual std::optional<PlaneLayout> plane_layout(std::span<const std::byte> packed,
                                                  const TileFormat& format) {
    static_cast<void>(packed), static_cast<void>(format);
    return std::nullopt;
  }

  /// Writes the tile's planes to `room`, as the layout that is returned says: with upsampling and colours as
  /// the library's they are the pixels that decode() gives. Nothing: declined, for want of room or for any
  /// other reason, and what `room` holds is unspecified. Which streams are declined depends on them alone.
  virtual std::optional<PlaneLayout> decode_planes(std::span<const std::byte> packed,
                                                   const TileFormat& format, std::span<std::byte> room) {
    static_cast<void>(packed), static_cast<void>(format), static_cast<void>(room);
    return std::nullopt;
  }

  /// All tiles so far; none of a codec with one decoder only.
  const DecodedBy& decoded_by() const noexcept { return decoded_by_; }

 protected:
  DecodedBy decoded_by_;
};

struct Codec {
  std::string_view name;  ///< "jpeg", as it stands in messages and in microtome.info().
  bool (*accepts)(
      const TileFormat& format);  ///< By compression alone; the decoder refuses what it cannot do.
  Result<std::unique_ptr<Decoder>> (*make)();
  std::string (*version)();  ///< Library and version: "libjpeg-turbo 2.1.5"; "built in".
};

/// Every codec, in priority order: the first that accepts a format decodes it. Generated from
/// codec/CMakeLists.txt.
std::span<const Codec* const> codecs() noexcept;

/// The codec for `format`, or `unsupported` naming its compression.
Result<const Codec*> find_codec(const TileFormat& format);

}  // namespace microtome
