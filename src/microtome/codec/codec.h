// Codecs: one compressed tile in, pixels out.
//
// Called by `read`. A codec knows a tile's bytes and its `TileFormat`, and nothing of files, offsets, TIFF,
// slides, threads or caches. Adding one is a file, a word in codec/CMakeLists.txt and a row in
// conformance_test.cc.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"

namespace microtome {

/// Which part of a tile to decode, in tile pixels. It lies inside `format.size` and is not empty.
struct Want {
  Rect region;
};

/// Decodes tiles of the formats its codec accepts, one at a time.
///
/// Keeps its library's handles, tables and scratch memory between tiles, which is why there is one per
/// worker.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Decodes `want.region` of one tile into `dst`.
  ///
  /// `packed`  the tile's bytes as stored, without container framing.
  /// `format`  one that this decoder's codec accepts.
  /// `dst`     exactly `want.region.size()`, `format.samples` interleaved samples of `format.type`; every
  /// pixel of it is
  ///           written, or an error is returned and its content is unspecified.
  /// Errors    corrupt: the stream is invalid, ends early, or does not cover `want.region`. A stream whose
  /// own size
  ///           differs from `format.size` is taken as long as it covers the region, as the pixels at its top
  ///           left. unsupported: a feature we do not decode, named. out_of_memory.
  /// Threads   one Decoder per thread. Reusable after an error.
  virtual Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want,
                        ImageView dst) = 0;
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
