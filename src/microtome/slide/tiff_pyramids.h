// The directories of a TIFF, sorted into images: each a full-resolution one with its reduced versions.
//
// Called by the adapters of TIFF-based formats that leave the meaning of directories to TIFF itself. Every
// directory that can be read is a level of exactly one image, so that nothing in a file is out of reach.
// Source: TIFF 6.0 section 8 (NewSubfileType); Adobe TIFF Technical Note 1 (SubIFDs).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/slide/other_images.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/tiff/directory.h"

namespace microtome {

/// A directory and what it says; or why that cannot be read.
struct TiffPage {
  const tiff::Directory* directory = nullptr;
  std::string where;   ///< "directory 3", "SubIFD 0 of directory 3": for messages.
  size_t chained = 0;  ///< The number, in the chain, of the directory itself or of the one it is a SubIFD of.
  bool is_sub = false;
  Result<TiffImage> image;
};

/// One image of the file, as numbers of pages.
struct TiffPyramid {
  std::vector<size_t> levels;  ///< Largest first; the first is the base.
};

struct TiffPyramids {
  std::vector<TiffPage> pages;      ///< The chain, then SubIFDs by the directory they hang below.
  std::vector<TiffPyramid> images;  ///< By their bases, in file order; the first is directory 0's.

  const TiffPage& base(size_t image) const { return pages[images[image].levels.front()]; }
  /// What `image` leaves out of the chain and of its own SubIFDs, and why.
  OtherImages others(size_t image) const;
};

/// Directory 0 is the first image's base, and each directory that is left over by the images before it
/// another one's. Levels of an image are smaller than its base and of the same samples: directories of the
/// chain that are marked as reduced, SubIFDs of the base, and directories without a mark that can be nothing
/// else, since they have the base's shape and are kept in the same way. Errors: what keeps directory 0 from
/// being read, and io.
Result<TiffPyramids> find_tiff_pyramids(const tiff::File& file);

/// What an image is by its base's NewSubfileType: "image", "page", "reduced image", "mask".
std::string_view tiff_image_kind(const TiffImage& image) noexcept;

}  // namespace microtome
