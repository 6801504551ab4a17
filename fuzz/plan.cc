// Any region of any grid: the plan covers exactly what lies inside, each pixel once, from its own place.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"
#include "microtome/plan/slide_for_test.h"

namespace {

using namespace microtome;
using Wide = __int128;

constexpr int64_t kMaxSide = 5000, kMaxTiles = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  template <class T>
  T take() {
    T value{};
    const size_t size = std::min(sizeof value, bytes_.size());
    if (size > 0) std::memcpy(&value, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return value;
  }

  int64_t side() { return 1 + take<uint16_t>() % kMaxSide; }

  /// Often near the image, sometimes anywhere.
  int64_t coordinate() { return take<uint8_t>() % 4 == 0 ? take<int64_t>() : int64_t{take<int16_t>()}; }

 private:
  std::span<const uint8_t> bytes_;
};

void check_location(Input& input) {
  const int64_t location = input.coordinate(), extent0 = input.side(), extent = input.side();
  const int64_t found = to_level(location, extent, extent0);
  if (found == INT64_MIN || found == INT64_MAX) return;  // saturated
  const Wide twice = 2 * Wide{location} * extent, found_twice = 2 * Wide{found} * extent0;
  require(found_twice - extent0 <= twice && twice < found_twice + extent0);
}

void check_plan(const RegionPlan& plan, const Rect& region, const TileGrid& grid) {
  const Rect inside = intersect(region, {0, 0, grid.size.w, grid.size.h});
  require(plan.covered.size() == inside.size());
  int64_t area = 0, last_tile = -1;
  for (const TileCopy& copy : plan.copies) {
    const int64_t col = copy.tile.col, row = copy.tile.row;
    require(row * grid.cols + col > last_tile);
    last_tile = row * grid.cols + col;
    require(!copy.src.empty() && grid.shown(col, row).contains(copy.src));
    require(region.x + copy.dst.x == col * grid.tile.w + copy.src.x);
    require(region.y + copy.dst.y == row * grid.tile.h + copy.src.y);
    require(plan.covered.contains({copy.dst.x, copy.dst.y, copy.src.w, copy.src.h}));
    area += copy.src.w * copy.src.h;
  }
  require(area == inside.w * inside.h);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input({data, size});
  const Size image{input.side(), input.side()}, tile{input.side(), input.side()};
  if (ceil_div(image.w, tile.w) * ceil_div(image.h, tile.h) > kMaxTiles) return 0;
  const auto slide = slide_of_grids({{image, tile}});
  std::vector<RegionPlan> plans;
  size_t copies = 0;
  while (!input.empty() && plans.size() < 16) {
    check_location(input);
    const Rect region{input.coordinate(), input.coordinate(), input.coordinate(), input.coordinate()};
    auto plan = plan_region(*slide, 0, 0, region);
    if (!plan.ok()) {
      require(region.empty() || plan.error().code == Errc::invalid_argument);
      continue;
    }
    check_plan(*plan, region, slide->image(0));
    copies += plan->copies.size();
    plans.push_back(*std::move(plan));
  }
  const BatchPlan batch = plan_batch(plans);
  size_t placements = 0;
  for (const PlannedTile& planned : batch.tiles) placements += batch.of(planned).size();
  require(placements == copies && batch.placements.size() == copies);
  return 0;
}
