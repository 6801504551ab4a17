// An image that is one large uncompressed strip, as many small ones.
//
// Called by make_tiff_grid. Writers that stream pixels out leave images of any size in a single strip. Its
// rows lie one after another, so any number of them is a strip as well: a patch then reads the rows it needs
// instead of the whole image, workers share a level, and no limit of one tile's bytes applies to the file.
#pragma once

#include <cstdint>
#include <optional>

#include "microtome/base/error.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/tiff/directory.h"
#include "microtome/tiff/lazy_array.h"

namespace microtome {

struct CutStrips {
  int64_t rows = 0;                      ///< Of each but the last.
  tiff::LazyArray offsets, byte_counts;  ///< As TileGrid has them.
};

/// A strip of more bytes than this is cut, into strips of about a quarter of it.
inline constexpr uint64_t kLargeStripBytes = uint64_t{1} << 20;

/// Nothing where the image is none such, or the file has fewer bytes than it takes. Errors: those of the
/// strip's tags.
Result<std::optional<CutStrips>> cut_strip(const tiff::Directory& directory, const TiffImage& image);

}  // namespace microtome
