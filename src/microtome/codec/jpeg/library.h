// JPEG tiles by libjpeg-turbo: the accurate integer DCT and "fancy" upsampling, as every other reader has.
//
// Decodes every tile that our own decoder declines, and is the judge of all others: its pixels or its error
// are what a tile gives. Called by codec/jpeg.cc. One LibraryDecoder per thread.
//
// Note [Warnings are errors]
// libjpeg goes on after a warning, with grey or garbage pixels. Here the first one ends the decode as
// `corrupt`. Two are let through, which concern only markers that we ignore: an unknown Adobe transform, and
// an unknown JFIF version. A missing end-of-image marker is no error as long as the data before it is
// complete.
//
// Note [Nothing is kept between tiles]
// Each tile has a decompressor of its own and reads the tables again. Keeping both would save 1 % on tissue,
// and has to know which tile changed which table.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "microtome/codec/codec.h"
#include "microtome/codec/request.h"

namespace microtome::jpeg {

class LibraryDecoder {
 public:
  /// As Decoder::decode, for a request and a format that were checked.
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want);

  /// "libjpeg-turbo 2.1.5".
  static std::string_view version();

 private:
  Scratch cropped_, band_;
};

}  // namespace microtome::jpeg
