// A TIFF directory as an image: its pixel format, and its grid of tiles or strips.
//
// Called by the adapters of TIFF-based formats. Pixel formats that no codec decodes are described all the
// same: a slide's structure and properties stay readable. Source: TIFF 6.0 sections 2, 3, 5, 8, 15 and 18 to
// 21; Adobe TIFF Technical Note 2 (JPEGTables).
#pragma once

#include <cstdint>
#include <memory>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/slide/slide.h"
#include "microtome/tiff/directory.h"

namespace microtome {

/// JPEG tables are 4 quantisation and 8 Huffman tables of less than 300 bytes each.
inline constexpr uint64_t kMaxJpegTablesBytes = 65536;

/// NewSubfileType (TIFF 6.0 section 8).
inline constexpr uint32_t kReducedImage = 1, kPageOfMany = 2, kTransparencyMask = 4;

/// What a directory says of its image before its arrays are looked at. Costs a few small reads.
struct TiffImage {
  Size size;
  bool tiled = false;  ///< Otherwise in strips.
  uint32_t subfile_type = 0;
  TileFormat format;  ///< But for its size and tables.

  bool is_reduced() const noexcept { return (subfile_type & kReducedImage) != 0; }
  bool is_mask() const noexcept {
    return (subfile_type & kTransparencyMask) != 0 || format.color == Color::mask;
  }
};

/// Whether the directory stores tiles. Cheap: the tag's presence alone.
bool is_tiled(const tiff::Directory& directory) noexcept;

/// Errors: corrupt, naming the tag that is missing or the value that cannot be; unsupported for what
/// TileFormat cannot say (samples that differ, complex numbers, volumes).
Result<TiffImage> read_tiff_image(const tiff::Directory& directory);

/// The image's tiles; strips are a grid of one column whose last row may be short, and one large strip is cut
/// into several where it can be (tiff_strips.h). Errors: as above, and
/// corrupt when the arrays hold fewer values than the image has tiles.
Result<std::unique_ptr<TileGrid>> make_tiff_grid(const tiff::Directory& directory, const TiffImage& image);

}  // namespace microtome
