// Slides with no pixels behind them: planning needs only their geometry.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/slide/slide.h"

namespace microtome {

inline std::unique_ptr<TileGrid> grid_for_test(Size size, Size tile) {
  auto grid = std::make_unique<TileGrid>();
  grid->size = size;
  grid->tile = tile;
  grid->cols = ceil_div(size.w, tile.w);
  grid->rows = ceil_div(size.h, tile.h);
  grid->format.size = tile;
  const auto tiles = static_cast<size_t>(grid->cols * grid->rows);
  grid->offsets = tiff::LazyArray::of(std::vector<uint64_t>(tiles, 0));
  grid->byte_counts = tiff::LazyArray::of(std::vector<uint64_t>(tiles, 1));
  return grid;
}

/// A slide whose level i has size levels[i].first in tiles of levels[i].second.
inline std::shared_ptr<const Slide> slide_for_test(const std::vector<std::pair<Size, Size>>& levels) {
  SlideIndex index;
  for (const auto& [size, tile] : levels) index.levels.push_back(grid_for_test(size, tile));
  auto slide = Slide::make(make_memory_source({}), "test", std::move(index));
  EXPECT_TRUE(slide.ok()) << slide.error().to_string();
  return *std::move(slide);
}

}  // namespace microtome
