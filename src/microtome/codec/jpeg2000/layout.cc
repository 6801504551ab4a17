#include "microtome/codec/jpeg2000/layout.h"

#include <algorithm>
#include <cmath>

#include "microtome/base/checked.h"
#include "microtome/codec/jpeg2000/progression.h"

namespace microtome::jpeg2000 {
namespace {

// Of what one tile may have; a slide's tiles have thousands of each at most.
constexpr uint64_t kMaxSamples = uint64_t{1} << 26, kMaxPackets = 1 << 16, kMaxBlocks = 1 << 18;
constexpr size_t kLine = 64;  // bytes of a cache line

uint32_t halved(uint32_t n, int times) {
  return static_cast<uint32_t>((uint64_t{n} + (uint64_t{1} << times) - 1) >> times);
}

// Where the samples at odd places, of what remains after `times` - 1 halvings, begin: equation B-15.
uint32_t halved_odd(uint32_t n, int times) {
  return halved(n, times - 1) / 2;
}

size_t padded(uint32_t w) {
  return (w + kPadding + kLine - 1) / kLine * kLine;
}

class LayoutMaker {
 public:
  explicit LayoutMaker(Layout& layout) : layout_(layout), coding_(layout.coding) {}

  bool make();

 private:
  bool add_component(size_t c);
  void add_resolution(size_t c, int r);
  void add_band(size_t c, int r, Orientation orientation);
  bool add_precincts(size_t c, int r);
  void add_places(size_t c, int r, uint32_t first, const Area& precincts);
  PrecinctBand precinct_band(size_t c, uint32_t band, uint32_t col, uint32_t row, int resolution);
  TreeShape add_tree(uint32_t w, uint32_t h);

  Layout& layout_;
  const Coding& coding_;
  std::vector<Area> areas_;  // of bands, in their own coordinates
  std::vector<Place> places_;
};

// Equation E-3 in the form for synthesis filters whose gains are 1: no gain of the sub-band is in the step.
float half_step(const ComponentCoding& component, const StepSize& step) {
  if (component.reversible) return 1;
  const double full =
      (1.0 + step.mantissa / 2048.0) * std::ldexp(1.0, component.bits - static_cast<int>(step.exponent));
  return static_cast<float>(full) * 0.5f;
}

void LayoutMaker::add_band(size_t c, int r, Orientation orientation) {
  const ComponentCoding& coding = coding_.component[c];
  const Area& samples = layout_.components[c].samples;
  const int times = r == 0 ? coding.levels : coding.levels - r + 1;
  const bool high_x = orientation == Orientation::hl || orientation == Orientation::hh;
  const bool high_y = orientation == Orientation::lh || orientation == Orientation::hh;
  const auto at = [times](bool high, uint32_t n) { return high ? halved_odd(n, times) : halved(n, times); };
  const Area area{at(high_x, samples.x0), at(high_y, samples.y0), at(high_x, samples.x1),
                  at(high_y, samples.y1)};
  const size_t index = r == 0 ? 0 : 3 * static_cast<size_t>(r) - 3 + static_cast<size_t>(orientation);
  const StepSize& step = coding.steps[index];
  Band band;
  band.orientation = orientation;
  band.w = area.w();
  band.h = area.h();
  band.planes =
      static_cast<uint8_t>(std::max(0, step.exponent + coding.guard_bits - 1) + coding.region_shift);
  band.step = half_step(coding, step);
  band.stride = padded(band.w);
  band.first_row = layout_.rows;
  layout_.rows += band.h;
  band.offset = layout_.values;
  layout_.values += band.stride * band.h;
  layout_.bands.push_back(band);
  areas_.push_back(area);
}

void LayoutMaker::add_resolution(size_t c, int r) {
  const Area& samples = layout_.components[c].samples;
  const int times = coding_.component[c].levels - r;
  Resolution resolution;
  resolution.x0 = halved(samples.x0, times);
  resolution.y0 = halved(samples.y0, times);
  if (r > 0) {
    resolution.begin_x = static_cast<uint8_t>(resolution.x0 % 2);
    resolution.begin_y = static_cast<uint8_t>(resolution.y0 % 2);
  }
  resolution.w = halved(samples.x1, times) - resolution.x0;
  resolution.h = halved(samples.y1, times) - resolution.y0;
  resolution.first_band = static_cast<uint32_t>(layout_.bands.size());
  resolution.bands = r == 0 ? 1 : 3;
  if (times > 0) {
    resolution.stride = padded(resolution.w);
    resolution.offset = layout_.samples;
    layout_.samples += resolution.stride * resolution.h;
  }
  layout_.resolutions.push_back(resolution);
  if (r == 0) return add_band(c, r, Orientation::ll);
  for (const Orientation o : {Orientation::hl, Orientation::lh, Orientation::hh}) add_band(c, r, o);
}

TreeShape LayoutMaker::add_tree(uint32_t w, uint32_t h) {
  TreeShape tree;
  if (w == 0 || h == 0) return tree;
  tree.first_node = static_cast<uint32_t>(layout_.nodes);
  for (uint32_t offset = 0;; w = halved(w, 1), h = halved(h, 1)) {
    tree.w[tree.height] = static_cast<uint16_t>(w);
    tree.offset[tree.height++] = offset;
    offset += w * h;
    if (w * h == 1) {
      layout_.nodes += offset;
      return tree;
    }
  }
}

// The part of a sub-band that is a precinct's, cut into code-blocks (B.7); both lie on grids from the
// sub-band's 0,0. `col` and `row` count from there too.
PrecinctBand LayoutMaker::precinct_band(size_t c, uint32_t index, uint32_t col, uint32_t row,
                                        int resolution) {
  const ComponentCoding& coding = coding_.component[c];
  const PrecinctSize& size = coding.precincts[static_cast<size_t>(resolution)];
  const int log_w = resolution == 0 ? size.w : size.w - 1, log_h = resolution == 0 ? size.h : size.h - 1;
  const Area& band = areas_[index];
  const auto edge = [](uint32_t number, int log, uint32_t begin, uint32_t end) {
    return static_cast<uint32_t>(std::clamp<uint64_t>(uint64_t{number} << log, begin, end));
  };
  const Area area{edge(col, log_w, band.x0, band.x1), edge(row, log_h, band.y0, band.y1),
                  edge(col + 1, log_w, band.x0, band.x1), edge(row + 1, log_h, band.y0, band.y1)};
  PrecinctBand part;
  part.band = index;
  part.first_block = static_cast<uint32_t>(layout_.blocks.size());
  if (area.w() == 0 || area.h() == 0) return part;
  const int block_w = std::min<int>(coding.block_w, log_w), block_h = std::min<int>(coding.block_h, log_h);
  const uint32_t first_col = area.x0 >> block_w, end_col = halved(area.x1, block_w);
  const uint32_t first_row = area.y0 >> block_h, end_row = halved(area.y1, block_h);
  part.across = static_cast<uint16_t>(end_col - first_col);
  part.down = static_cast<uint16_t>(end_row - first_row);
  for (uint32_t y = first_row; y < end_row; ++y) {
    for (uint32_t x = first_col; x < end_col; ++x) {
      const Area block{edge(x, block_w, area.x0, area.x1), edge(y, block_h, area.y0, area.y1),
                       edge(x + 1, block_w, area.x0, area.x1), edge(y + 1, block_h, area.y0, area.y1)};
      layout_.blocks.push_back({static_cast<uint16_t>(block.x0 - band.x0),
                                static_cast<uint16_t>(block.y0 - band.y0), static_cast<uint16_t>(block.w()),
                                static_cast<uint16_t>(block.h())});
    }
  }
  part.inclusion = add_tree(part.across, part.down);
  part.zero_planes = add_tree(part.across, part.down);
  return part;
}

// B.6. Blocks are added band by band, so that those of one band follow each other.
bool LayoutMaker::add_precincts(size_t c, int r) {
  const Resolution resolution = layout_.resolution(c, static_cast<size_t>(r));
  if (resolution.w == 0 || resolution.h == 0) return false;  // one sample at an odd place
  const PrecinctSize& size = coding_.component[c].precincts[static_cast<size_t>(r)];
  const Area precincts{resolution.x0 >> size.w, resolution.y0 >> size.h,
                       halved(resolution.x0 + resolution.w, size.w),
                       halved(resolution.y0 + resolution.h, size.h)};
  if (uint64_t{precincts.w()} * precincts.h() * coding_.layers > kMaxPackets) return false;
  const size_t first = layout_.precincts.size();
  layout_.precincts.resize(first + size_t{precincts.w()} * precincts.h());
  for (uint32_t b = 0; b < resolution.bands; ++b) {
    const uint32_t index = resolution.first_band + b;
    layout_.bands[index].first_block = static_cast<uint32_t>(layout_.blocks.size());
    size_t number = first;
    for (uint32_t row = precincts.y0; row < precincts.y1; ++row) {
      for (uint32_t col = precincts.x0; col < precincts.x1; ++col) {
        Precinct& precinct = layout_.precincts[number++];
        precinct.component = static_cast<uint8_t>(c);
        precinct.bands[precinct.count++] = precinct_band(c, index, col, row, r);
        if (layout_.blocks.size() > kMaxBlocks) return false;
      }
    }
    layout_.bands[index].blocks =
        static_cast<uint32_t>(layout_.blocks.size()) - layout_.bands[index].first_block;
  }
  add_places(c, r, static_cast<uint32_t>(first), precincts);
  return places_.size() * coding_.layers <= kMaxPackets;
}

// A precinct that the tile cuts off is met where the tile begins.
void LayoutMaker::add_places(size_t c, int r, uint32_t first, const Area& precincts) {
  const ComponentCoding& coding = coding_.component[c];
  const PrecinctSize& size = coding.precincts[static_cast<size_t>(r)];
  const int shift = coding.levels - r;
  uint32_t number = 0;
  for (uint32_t row = precincts.y0; row < precincts.y1; ++row) {
    for (uint32_t col = precincts.x0; col < precincts.x1; ++col, ++number) {
      const uint64_t x = (uint64_t{col} * coding.dx) << (size.w + shift), y = (uint64_t{row} * coding.dy)
                                                                              << (size.h + shift);
      places_.push_back({first + number, static_cast<uint32_t>(c), static_cast<uint32_t>(r), number,
                         std::max<uint64_t>(x, coding_.tile.x0), std::max<uint64_t>(y, coding_.tile.y0)});
    }
  }
}

bool LayoutMaker::add_component(size_t c) {
  const ComponentCoding& coding = coding_.component[c];
  const auto sample = [](uint32_t at, uint8_t sampling) {
    return static_cast<uint32_t>(ceil_div(at, uint32_t{sampling}));
  };
  ComponentLayout component;
  component.samples = {sample(coding_.tile.x0, coding.dx), sample(coding_.tile.y0, coding.dy),
                       sample(coding_.tile.x1, coding.dx), sample(coding_.tile.y1, coding.dy)};
  if (component.samples.w() == 0 || component.samples.h() == 0) return false;
  layout_.widest = std::max(layout_.widest, component.samples.w());
  component.first_resolution = static_cast<uint32_t>(layout_.resolutions.size());
  component.ring = layout_.ring_samples;
  component.ring_stride = padded(component.samples.w()) | kLine;
  layout_.ring_samples += component.ring_stride * kRingRows;
  layout_.components.push_back(component);
  for (int r = 0; r <= coding.levels; ++r) add_resolution(c, r);
  return true;
}

bool LayoutMaker::make() {
  if (uint64_t{coding_.tile.w()} * coding_.tile.h() * coding_.components > kMaxSamples) return false;
  for (size_t c = 0; c < coding_.components; ++c) {
    if (!add_component(c)) return false;
    for (int r = 0; r <= coding_.component[c].levels; ++r) {
      if (!add_precincts(c, r)) return false;
    }
  }
  return order_packets(coding_, places_, layout_.packets);
}

}  // namespace

bool make_layout(const Coding& coding, Layout& layout) {
  layout = {};
  layout.coding = coding;
  return LayoutMaker(layout).make();
}

}  // namespace microtome::jpeg2000
