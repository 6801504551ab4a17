// Slides for tests of planning: grids of any shape over a source of one byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/io/byte_source.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// A slide whose levels have these sizes of image and tile; every tile is the source's one byte.
inline std::shared_ptr<const Slide> slide_of_grids(const std::vector<std::pair<Size, Size>>& sizes) {
  static constexpr std::array<std::byte, 1> kByte{};
  SlideIndex index;
  for (const auto& [size, tile] : sizes) {
    auto grid = std::make_unique<TileGrid>();
    grid->size = size;
    grid->tile = grid->format.size = tile;
    grid->cols = ceil_div(size.w, tile.w);
    grid->rows = ceil_div(size.h, tile.h);
    const auto tiles = static_cast<size_t>(grid->cols * grid->rows);
    grid->offsets = tiff::LazyArray::of(std::vector<uint64_t>(tiles, 0));
    grid->byte_counts = tiff::LazyArray::of(std::vector<uint64_t>(tiles, 1));
    index.levels.push_back(std::move(grid));
  }
  auto slide = Slide::make(make_memory_source({kByte, nullptr}, "test slide"), "test", std::move(index));
  if (!slide.ok()) std::abort();
  return *slide;
}

}  // namespace microtome
