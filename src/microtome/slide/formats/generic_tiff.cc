// Any TIFF whose first directory is an image: the image, and its reduced versions as levels.
//
// Levels are directories of the main chain and SubIFDs of the first directory. OpenSlide takes the tiled ones
// that NewSubfileType marks as reduced; those are levels here too. Beyond that: strips (OpenSlide wants
// tiles), SubIFDs (as OME-TIFF and libvips write pyramids), and images without the mark that can be nothing
// else: smaller, of the same shape, kept in the same way. Everything else is another image (see
// other_images.h). Resolution gives the mpp. Source: TIFF 6.0; Adobe TIFF Technical Note 1.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/slide/format.h"
#include "microtome/slide/other_images.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/slide/tiff_metadata.h"

namespace microtome {
namespace {

struct Candidate {
  const tiff::Directory* directory;
  std::string where;
  TiffImage image;
};

bool detect(const Probe& probe) {
  return probe.tiff != nullptr;
}

bool is_smaller(Size a, Size b) {
  return a.w <= b.w && a.h <= b.h && a != b;
}

/// Whether one factor takes `full` to `reduced`, each side of which is rounded up or down somehow: that is,
/// whether the ranges full.w / (reduced.w ± 1) and full.h / (reduced.h ± 1) meet.
bool same_shape(Size full, Size reduced) {
  return full.w * (reduced.h - 1) < full.h * (reduced.w + 1) &&
         full.h * (reduced.w - 1) < full.w * (reduced.h + 1);
}

/// Why `image` is no level of `base`; empty when it is one.
std::string_view why_no_level(const TiffImage& image, const TiffImage& base) {
  if (image.is_mask()) return "a mask";
  if (!is_smaller(image.size, base.size)) return "not smaller than the first";
  if (image.format.samples != base.format.samples || image.format.type != base.format.type)
    return "samples unlike the first's";
  if (image.is_reduced() && image.tiled) return {};
  if (!same_shape(base.size, image.size)) return "a shape unlike the first's";
  if (image.is_reduced()) return {};
  if ((image.subfile_type & kPageOfMany) != 0) return "a page";
  if (image.tiled != base.tiled || image.format.color != base.format.color)
    return "not marked as a reduced image, and kept otherwise than the first";
  return {};
}

/// Reads one more directory and files it as a level or as another image.
Status examine(const tiff::Directory& directory, std::string where, std::vector<Candidate>& levels,
               OtherImages& others) {
  auto image = read_tiff_image(directory);
  if (!image.ok()) {
    if (image.error().code == Errc::io) return std::move(image).error().with_prefix(where);
    others.add(where, image.error());
    return ok_status();
  }
  if (const auto why = why_no_level(*image, levels.front().image); !why.empty()) {
    others.add(where, *image, why);
    return ok_status();
  }
  levels.push_back({&directory, std::move(where), *std::move(image)});
  return ok_status();
}

/// Directory 0 and every candidate for a further level, in file order, each directory once.
Result<std::vector<Candidate>> find_levels(const tiff::File& file, OtherImages& others) {
  const tiff::Directory& first = file.directories.front();
  std::vector<Candidate> levels;
  auto base = read_tiff_image(first);
  if (!base.ok()) return std::move(base).error().with_prefix("directory 0");
  levels.push_back({&first, "directory 0", *std::move(base)});

  std::vector<uint64_t> seen{first.offset()};
  const size_t chained = std::min(file.directories.size(), kMaxDirectoriesExamined);
  for (size_t i = 1; i < chained; ++i) {
    seen.push_back(file.directories[i].offset());
    MICROTOME_TRY(examine(file.directories[i], fmt::format("directory {}", i), levels, others));
  }
  const auto& subs = first.sub_directories();
  for (size_t i = 0; i < std::min(subs.size(), kMaxDirectoriesExamined); ++i) {
    if (std::find(seen.begin(), seen.end(), subs[i].offset()) != seen.end()) continue;
    seen.push_back(subs[i].offset());
    MICROTOME_TRY(examine(subs[i], fmt::format("SubIFD {} of directory 0", i), levels, others));
  }
  return levels;
}

/// Largest first. Of two of the same size the first in file order stays, the other is another image.
std::vector<Candidate> in_order(std::vector<Candidate> levels, OtherImages& others) {
  std::stable_sort(levels.begin() + 1, levels.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.image.size.w, a.image.size.h) > std::pair(b.image.size.w, b.image.size.h);
  });
  std::vector<Candidate> kept;
  for (Candidate& level : levels) {
    if (kept.empty() || is_smaller(level.image.size, kept.back().image.size))
      kept.push_back(std::move(level));
    else
      others.add(level.where, level.image, "not smaller than another level");
  }
  return kept;
}

Result<SlideIndex> open(const Probe& probe) {
  const tiff::File& file = *probe.tiff;
  if (file.directories.empty()) return corrupt("a TIFF without directories");
  OtherImages others;
  MICROTOME_ASSIGN(auto found, find_levels(file, others));
  const auto levels = in_order(std::move(found), others);

  SlideIndex index;
  for (const Candidate& level : levels) {
    auto grid = make_tiff_grid(*level.directory, level.image);
    if (!grid.ok()) return std::move(grid).error().with_prefix(level.where);
    index.levels.push_back(*std::move(grid));
  }
  const tiff::Directory& first = file.directories.front();
  add_tiff_properties(first, index.properties);
  index.raw_description = tiff_text(first, tiff::tag::kImageDescription);
  index.mpp = mpp_from_resolution(first);
  auto icc_profile = read_icc_profile(first);
  if (!icc_profile.ok()) return std::move(icc_profile).error().with_prefix("directory 0");
  index.icc_profile = *std::move(icc_profile);
  others.store(index.properties);
  return index;
}

}  // namespace

extern const Format generic_tiff;
const Format generic_tiff{"generic-tiff", detect, open};

}  // namespace microtome
