// One level of a slide as a table of packed tiles in mapped memory: all that a bare loop needs to know.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "microtome/slide/slide.h"

namespace floors {

struct MappedImage {
  std::shared_ptr<const microtome::Slide> slide;
  const microtome::TileGrid* grid = nullptr;
  std::vector<std::span<const std::byte>> tiles;  ///< Row-major; empty: the file has none, it is background.
  std::shared_ptr<const void> mapping;

  size_t samples() const { return grid->format.samples; }
  microtome::Size size() const { return grid->size; }
};

/// Opens `path` and finds every tile of `level`. Ends the program where that is not possible.
MappedImage map_image(const std::string& path, int level);

}  // namespace floors
