// YCbCr samples that no codec converts: in uncompressed tiles, and in those of the byte codecs.
//
// Called by byte_decoder.cc and planar.cc, for a row at a time. Source: TIFF 6.0 sections 20 (coefficients,
// reference black and white) and 21 (subsampling, and how samples are ordered). What these leave open is done
// as libtiff does it: chroma is repeated rather than interpolated, and codes are brought to full range in
// whole numbers, towards zero, before they are converted. So the pixels are libtiff's and OpenSlide's.
//
// Note [Data units]
// The samples of `across` x `down` pixels stand together: their Y, row by row, then one Cb and one Cr. Units
// follow each other across, then down, and at the right and bottom edge they are whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"

namespace microtome {

/// Bytes that hold the first `rows` rows of a tile, in whole data units.
size_t ycbcr_bytes(const TileFormat& format, int64_t rows) noexcept;

/// `unsupported` for what is no such tile: other samples than three of uint8, an unknown subsampling, a
/// predictor over data units; `corrupt` for coefficients that give no colours.
Status check_ycbcr(const TileFormat& format);

/// Not thread-safe.
class YCbCrConverter {
 public:
  /// Before rows of another coding. Cheap for the same one.
  void prepare(const YCbCrCoding& coding);

  /// Pixels `first` to `first + count` of row `y` as RGB. `tile` begins with the tile's first data unit.
  void row(const std::byte* tile, const TileFormat& format, int64_t y, int64_t first, int64_t count,
           std::byte* rgb) const;

  /// Converts `count` pixels of three samples in place.
  void convert(std::byte* pixels, int64_t count) const;

 private:
  void pixel(std::byte y, std::byte cb, std::byte cr, std::byte* rgb) const;

  YCbCrCoding coding_;
  bool prepared_ = false;
  using Table = std::array<int32_t, 256>;
  Table y_, cr_to_r_, cb_to_b_, cr_to_g_, cb_to_g_;
};

}  // namespace microtome
