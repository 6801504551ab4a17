#include "microtome/slide/tiff_pyramids.h"

#include <algorithm>
#include <utility>

#include "microtome/base/fail.h"

namespace microtome {
namespace {

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
  if (image.is_mask() && !base.is_mask()) return "a mask";
  if (base.is_mask() && !image.is_mask()) return "no mask";
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

/// Whether `page` may be asked to be a level of `base`: SubIFDs belong to the directory they hang below.
bool is_near(const TiffPage& page, const TiffPage& base) {
  return !page.is_sub || page.chained == base.chained;
}

/// Takes the levels of the image that `base` begins out of `left`, which is in file order.
TiffPyramid take_image(const std::vector<TiffPage>& pages, size_t base, std::vector<size_t>& left) {
  std::vector<size_t> fitting;
  for (const size_t page : left) {
    if (page != base && is_near(pages[page], pages[base]) &&
        why_no_level(*pages[page].image, *pages[base].image).empty())
      fitting.push_back(page);
  }
  std::stable_sort(fitting.begin(), fitting.end(), [&](size_t a, size_t b) {
    const Size x = pages[a].image->size, y = pages[b].image->size;
    return std::pair(x.w, x.h) > std::pair(y.w, y.h);
  });
  // Of two of the same size the first in file order is the level.
  TiffPyramid image{{base}};
  for (const size_t page : fitting) {
    if (is_smaller(pages[page].image->size, pages[image.levels.back()].image->size))
      image.levels.push_back(page);
  }
  std::erase_if(left, [&](size_t page) {
    return std::find(image.levels.begin(), image.levels.end(), page) != image.levels.end();
  });
  return image;
}

/// The chain's directories, then their SubIFDs.
std::vector<TiffPage> read_pages(const tiff::File& file) {
  std::vector<TiffPage> pages;
  const size_t chained = std::min(file.directories.size(), kMaxDirectoriesExamined);
  for (size_t i = 0; i < chained; ++i) {
    const tiff::Directory& directory = file.directories[i];
    pages.push_back({&directory, fmt::format("directory {}", i), i, false, read_tiff_image(directory)});
  }
  for (size_t i = 0; i < chained; ++i) {
    const auto& subs = file.directories[i].sub_directories();
    for (size_t k = 0; k < subs.size() && pages.size() < 2 * kMaxDirectoriesExamined; ++k) {
      pages.push_back(
          {&subs[k], fmt::format("SubIFD {} of directory {}", k, i), i, true, read_tiff_image(subs[k])});
    }
  }
  return pages;
}

}  // namespace

OtherImages TiffPyramids::others(size_t image) const {
  const std::vector<size_t>& levels = images[image].levels;
  const TiffPage& base_page = base(image);
  OtherImages others;
  for (size_t i = 0; i < pages.size(); ++i) {
    const TiffPage& page = pages[i];
    if (!is_near(page, base_page) || std::find(levels.begin(), levels.end(), i) != levels.end()) continue;
    if (!page.image.ok()) {
      others.add(page.where, page.image.error());
      continue;
    }
    const std::string_view why = why_no_level(*page.image, *base_page.image);
    others.add(page.where, *page.image, why.empty() ? "not smaller than another level" : why);
  }
  return others;
}

Result<TiffPyramids> find_tiff_pyramids(const tiff::File& file) {
  if (file.directories.empty()) return corrupt("a TIFF without directories");
  TiffPyramids found{read_pages(file), {}};
  std::vector<size_t> left;
  for (size_t i = 0; i < found.pages.size(); ++i) {
    const TiffPage& page = found.pages[i];
    if (page.image.ok()) {
      left.push_back(i);
    } else if (i == 0 || page.image.error().code == Errc::io) {
      return Error(page.image.error()).with_prefix(page.where);
    }
  }
  while (!left.empty()) found.images.push_back(take_image(found.pages, left.front(), left));
  return found;
}

std::string_view tiff_image_kind(const TiffImage& image) noexcept {
  if (image.is_mask()) return "mask";
  if (image.is_reduced()) return "reduced image";
  return (image.subfile_type & kPageOfMany) != 0 ? "page" : "image";
}

}  // namespace microtome
