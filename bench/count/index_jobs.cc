#include <array>

#include "count/jobs.h"

namespace count {
namespace {

using microtome::RegionPlan;
using microtome::Slide;

/// A slide with levels, a thumbnail and properties, 20 times.
Run open_slide(const std::string& path) {
  auto source = microtome::make_memory_source(read_file(path));
  return [source] {
    for (int i = 0; i < 20; ++i) must(Slide::open(source));
  };
}

/// Opens a slide of 100,160 tiles and asks where each of them is.
Run many_tiles(const std::string& path) {
  auto source = microtome::make_memory_source(read_file(path));
  return [source] {
    const auto slide = must(Slide::open(source));
    const microtome::TileGrid& grid = slide->image(0);
    for (int64_t row = 0; row < grid.rows; ++row) {
      for (int64_t col = 0; col < grid.cols; ++col) must(slide->tile(0, col, row));
    }
  };
}

/// 10,000 patches of a grid that the tiles do not fit, in batches of 100.
Run plan_patches(const std::string& path) {
  auto slide = open_in_memory(path);
  return [slide] {
    std::vector<RegionPlan> regions;
    for (int64_t i = 0; i < 10000; ++i) {
      const microtome::Rect region{i % 100 * 224, i / 100 * 224, 224, 224};
      regions.push_back(must(plan_region(*slide, 0, 0, region)));
      if (regions.size() == 100) {
        plan_batch(regions);
        regions.clear();
      }
    }
  };
}

constexpr std::array kJobs{
    JobKind{"open", "aperio-jpeg-420.svs", open_slide},
    JobKind{"open-many-tiles", "many-tiles.tif", many_tiles},
    JobKind{"plan-10000-patches", "many-tiles.tif", plan_patches},
};

}  // namespace

std::span<const JobKind> index_jobs() {
  return kJobs;
}

}  // namespace count
