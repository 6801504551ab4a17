// Channels that a file keeps in directories of their own, as one image with a sample for each.
//
// Called by the adapters of fluorescence formats. To the layers above such an image is a planar one: TIFF
// keeps the tiles of a planar image's samples one after the other in the arrays of one directory, and here
// they come from several. Source: TIFF 6.0, PlanarConfiguration.
#pragma once

#include <memory>
#include <span>

#include "microtome/base/error.h"
#include "microtome/slide/slide.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/tiff/directory.h"

namespace microtome {

/// One directory as an image; both live as long as the call that it is passed to.
struct TiffPlane {
  const tiff::Directory* directory = nullptr;
  const TiffImage* image = nullptr;
};

/// The planes, at least one, as one image whose samples are those of the first plane, then of the second, …
/// Errors: as make_tiff_grid's; unsupported for planes that differ in size or coding, or that have several
/// samples in each tile.
Result<std::unique_ptr<TileGrid>> make_channel_grid(std::span<const TiffPlane> planes);

}  // namespace microtome
