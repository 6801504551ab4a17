// Any TIFF whose first directory is an image: the image, and its reduced versions as levels.
//
// A file may hold several images; tiff_pyramids.h says how directories are sorted into them, and what becomes
// a level: all that OpenSlide takes for one, and strips, SubIFDs (as OME-TIFF and libvips write pyramids) and
// directories that lack the mark of a reduced image. Resolution gives the mpp. Source: TIFF 6.0; Adobe TIFF
// Technical Note 1.
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/slide/format.h"
#include "microtome/slide/tiff_metadata.h"
#include "microtome/slide/tiff_pyramids.h"

namespace microtome {
namespace {

bool detect(const Probe& probe) {
  return probe.tiff != nullptr;
}

std::vector<FileImage> describe(const TiffPyramids& found) {
  std::vector<FileImage> images;
  for (size_t i = 0; i < found.images.size(); ++i) {
    const TiffPage& base = found.base(i);
    const TileFormat& format = base.image->format;
    images.push_back({.name = base.where,
                      .kind = std::string(tiff_image_kind(*base.image)),
                      .size = base.image->size,
                      .levels = found.images[i].levels.size(),
                      .samples = format.samples,
                      .type = format.type});
  }
  return images;
}

Result<SlideIndex> open(const Probe& probe) {
  MICROTOME_ASSIGN(const TiffPyramids found, find_tiff_pyramids(*probe.tiff));
  SlideIndex index;
  index.images = describe(found);
  if (probe.image >= found.images.size()) return index;  // which Slide::open refuses

  for (const size_t number : found.images[probe.image].levels) {
    const TiffPage& page = found.pages[number];
    auto grid = make_tiff_grid(*page.directory, *page.image);
    if (!grid.ok()) return std::move(grid).error().with_prefix(page.where);
    index.levels.push_back(*std::move(grid));
  }
  const TiffPage& base = found.base(probe.image);
  add_tiff_properties(*base.directory, index.properties);
  index.raw_description = tiff_text(*base.directory, tiff::tag::kImageDescription);
  index.mpp = mpp_from_resolution(*base.directory);
  auto icc_profile = read_icc_profile(*base.directory);
  if (!icc_profile.ok()) return std::move(icc_profile).error().with_prefix(base.where);
  index.icc_profile = *std::move(icc_profile);
  found.others(probe.image).store(index.properties);
  return index;
}

}  // namespace

extern const Format generic_tiff;
const Format generic_tiff{"generic-tiff", detect, open};

}  // namespace microtome
