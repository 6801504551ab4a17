// JPEG 2000 tiles by OpenJPEG: bare codestreams and JP2 files, of all kinds.
//
// Decodes every tile that our own decoder declines, and is the judge of all others: its pixels or its error
// are what a tile gives. Called by codec/jpeg2000.cc. One LibraryDecoder per thread.
//
// Which channels there are, and in which order, JP2's palette and channel definitions say, where a file has
// them; what they mean never comes from its boxes. Subsampled components are replicated.
//
// At a reduced resolution each component has every 2^reduce-th of its samples, counted from the grid's origin
// (ITU-T T.800 annex B.5). Where the image begins elsewhere than at such a place, pixels of the reduced tile
// have no samples of their own, and the reduction is not supported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg2000/header.h"
#include "microtome/codec/jpeg2000/planes.h"
#include "microtome/codec/request.h"

namespace microtome::jpeg2000 {

class LibraryDecoder {
 public:
  /// As Decoder::decode, for a request and a format that were checked. `ycbcr`: the three components are
  /// YCbCr and are given as RGB.
  Status decode(std::span<const std::byte> packed, const TileFormat& format, bool ycbcr, const Want& want);

  /// "OpenJPEG 2.5.4".
  static std::string_view version();

 private:
  Status write_rows(const std::vector<Plane>& planes, const Header& header, const TileFormat& format,
                    bool ycbcr, const Want& want);

  Scratch row_;
  std::vector<int32_t> replicated_;   // a row of each plane
  std::vector<const int32_t*> rows_;  // of the row being written
};

}  // namespace microtome::jpeg2000
