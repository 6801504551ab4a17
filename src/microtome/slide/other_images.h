// The images of a file that a slide does not show, and why: property microtome.other-images.
//
// A file may hold more than one slide's images: masks, pages, focal planes, images that cannot be read. An
// adapter that leaves one out says so here instead of failing the slide or hiding it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "microtome/base/error.h"
#include "microtome/slide/tiff_image.h"

namespace microtome {

class OtherImages {
 public:
  /// "directory 3: 512x512, a mask".
  void add(std::string_view where, const TiffImage& image, std::string_view why);
  /// "directory 3: corrupt: ImageWidth (tag 256) is missing".
  void add(std::string_view where, const Error& error);

  /// Sets the property, unless there are none.
  void store(std::map<std::string, std::string>& properties) const;

 private:
  void add_line(std::string line);

  static constexpr size_t kMaxLines = 16;  // a multi-page document may have thousands
  std::string lines_;
  size_t count_ = 0;
};

/// Directories of a file that adapters look at; pyramids have tens, and each costs a few reads.
inline constexpr size_t kMaxDirectoriesExamined = 1024;

}  // namespace microtome
