#include "microtome/codec/jpeg2000/layout.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "microtome/base/checked.h"

namespace microtome::jpeg2000 {
namespace {

// Of what one tile may have; a slide's tiles have thousands of each at most.
constexpr uint64_t kMaxSamples = uint64_t{1} << 26, kMaxPackets = 1 << 16, kMaxBlocks = 1 << 18;
constexpr size_t kLine = 64;  // bytes of a cache line

uint32_t halved(uint32_t n, int times) {
  return static_cast<uint32_t>((uint64_t{n} + (uint64_t{1} << times) - 1) >> times);
}

// Samples at odd places of what remains after `times` - 1 halvings: a high-pass sub-band's side.
uint32_t halved_odd(uint32_t n, int times) {
  return halved(n, times - 1) / 2;
}

size_t padded(uint32_t w) {
  return (w + kPadding + kLine - 1) / kLine * kLine;
}

// A precinct's place in the orders of B.12: on the grid, and in its component and resolution.
struct Place {
  uint32_t precinct;
  uint32_t component, resolution, number;
  uint64_t x, y;
};

class LayoutMaker {
 public:
  explicit LayoutMaker(Layout& layout) : layout_(layout), coding_(layout.coding) {}

  bool make();

 private:
  void add_component(size_t c);
  void add_resolution(size_t c, int r);
  void add_band(size_t c, int r, Orientation orientation);
  bool add_precincts(size_t c, int r);
  PrecinctBand precinct_band(uint32_t band, const PrecinctSize& size, uint32_t col, uint32_t row,
                             int resolution);
  TreeShape add_tree(uint32_t w, uint32_t h);
  bool order_packets();
  void add_packets(const Place& place) {
    for (uint32_t l = 0; l < coding_.layers; ++l) {
      layout_.packets.push_back({place.precinct, static_cast<uint16_t>(l)});
    }
  }

  Layout& layout_;
  const Coding& coding_;
  std::vector<Place> places_;
};

// Equation E-3 in the form for synthesis filters whose gains are 1: no gain of the sub-band is in the step.
float half_step(const Coding& coding, const ComponentCoding& component, const StepSize& step) {
  if (coding.reversible) return 1;
  const double full =
      (1.0 + step.mantissa / 2048.0) * std::ldexp(1.0, component.bits - static_cast<int>(step.exponent));
  return static_cast<float>(full) * 0.5f;
}

void LayoutMaker::add_band(size_t c, int r, Orientation orientation) {
  const ComponentLayout& component = layout_.components[c];
  const int times = r == 0 ? coding_.levels : coding_.levels - r + 1;
  const bool high_x = orientation == Orientation::hl || orientation == Orientation::hh;
  const bool high_y = orientation == Orientation::lh || orientation == Orientation::hh;
  const size_t index = r == 0 ? 0 : 3 * static_cast<size_t>(r) - 3 + static_cast<size_t>(orientation);
  const StepSize& step = coding_.component[c].steps[index];
  Band band;
  band.orientation = orientation;
  band.w = high_x ? halved_odd(component.w, times) : halved(component.w, times);
  band.h = high_y ? halved_odd(component.h, times) : halved(component.h, times);
  band.planes = static_cast<uint8_t>(std::max(0, step.exponent + coding_.component[c].guard_bits - 1));
  band.step = half_step(coding_, coding_.component[c], step);
  band.stride = padded(band.w);
  band.first_row = layout_.rows;
  layout_.rows += band.h;
  band.offset = layout_.values;
  layout_.values += band.stride * band.h;
  layout_.bands.push_back(band);
}

void LayoutMaker::add_resolution(size_t c, int r) {
  const ComponentLayout& component = layout_.components[c];
  Resolution resolution;
  resolution.w = halved(component.w, coding_.levels - r);
  resolution.h = halved(component.h, coding_.levels - r);
  resolution.first_band = static_cast<uint32_t>(layout_.bands.size());
  resolution.bands = r == 0 ? 1 : 3;
  if (r < coding_.levels) {
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

// The part of a sub-band that is a precinct's, cut into code-blocks (B.7); both lie on grids from 0,0.
PrecinctBand LayoutMaker::precinct_band(uint32_t index, const PrecinctSize& size, uint32_t col, uint32_t row,
                                        int resolution) {
  const int log_w = resolution == 0 ? size.w : size.w - 1, log_h = resolution == 0 ? size.h : size.h - 1;
  Band& band = layout_.bands[index];
  const auto begin = [](uint32_t number, int log, uint32_t end) {
    return static_cast<uint32_t>(std::min<uint64_t>(uint64_t{number} << log, end));
  };
  const uint32_t x0 = begin(col, log_w, band.w), x1 = begin(col + 1, log_w, band.w);
  const uint32_t y0 = begin(row, log_h, band.h), y1 = begin(row + 1, log_h, band.h);
  const uint32_t block_w = 1u << std::min<int>(coding_.block_w, log_w),
                 block_h = 1u << std::min<int>(coding_.block_h, log_h);
  PrecinctBand part;
  part.band = index;
  part.first_block = static_cast<uint32_t>(layout_.blocks.size());
  if (x0 == x1 || y0 == y1) return part;
  part.across = static_cast<uint16_t>(ceil_div(x1 - x0, block_w));
  part.down = static_cast<uint16_t>(ceil_div(y1 - y0, block_h));
  for (uint32_t y = y0; y < y1; y += block_h) {
    for (uint32_t x = x0; x < x1; x += block_w) {
      layout_.blocks.push_back({static_cast<uint16_t>(x), static_cast<uint16_t>(y),
                                static_cast<uint16_t>(std::min(block_w, x1 - x)),
                                static_cast<uint16_t>(std::min(block_h, y1 - y))});
    }
  }
  part.inclusion = add_tree(part.across, part.down);
  part.zero_planes = add_tree(part.across, part.down);
  return part;
}

// B.6. Blocks are added band by band, so that those of one band follow each other.
bool LayoutMaker::add_precincts(size_t c, int r) {
  const Resolution resolution = layout_.resolution(c, static_cast<size_t>(r));
  const PrecinctSize& size = coding_.precincts[static_cast<size_t>(r)];
  const uint32_t across = halved(resolution.w, size.w), down = halved(resolution.h, size.h);
  if (uint64_t{across} * down * coding_.layers > kMaxPackets) return false;
  const size_t first = layout_.precincts.size();
  layout_.precincts.resize(first + size_t{across} * down);
  for (uint32_t b = 0; b < resolution.bands; ++b) {
    const uint32_t index = resolution.first_band + b;
    layout_.bands[index].first_block = static_cast<uint32_t>(layout_.blocks.size());
    for (uint32_t row = 0; row < down; ++row) {
      for (uint32_t col = 0; col < across; ++col) {
        Precinct& precinct = layout_.precincts[first + size_t{row} * across + col];
        precinct.bands[precinct.count++] = precinct_band(index, size, col, row, r);
        if (layout_.blocks.size() > kMaxBlocks) return false;
      }
    }
    layout_.bands[index].blocks =
        static_cast<uint32_t>(layout_.blocks.size()) - layout_.bands[index].first_block;
  }
  const int shift = coding_.levels - r;
  for (uint32_t i = 0; i < across * down; ++i) {
    places_.push_back({static_cast<uint32_t>(first) + i, static_cast<uint32_t>(c), static_cast<uint32_t>(r),
                       i, (uint64_t{i % across} * coding_.component[c].dx) << (size.w + shift),
                       (uint64_t{i / across} * coding_.component[c].dy) << (size.h + shift)});
  }
  return places_.size() * coding_.layers <= kMaxPackets;
}

// B.12.1. The loops there visit each precinct where it begins on the grid: sorted by what they loop over.
bool LayoutMaker::order_packets() {
  const auto sort_by = [this](const auto& key) {
    std::sort(places_.begin(), places_.end(),
              [&key](const Place& a, const Place& b) { return key(a) < key(b); });
  };
  switch (coding_.progression) {
    case Progression::lrcp:
    case Progression::rlcp:
      sort_by([](const Place& p) { return std::tuple(p.resolution, p.component, p.number); });
      break;
    case Progression::rpcl:
      sort_by([](const Place& p) { return std::tuple(p.resolution, p.y, p.x, p.component); });
      break;
    case Progression::pcrl:
      sort_by([](const Place& p) { return std::tuple(p.y, p.x, p.component, p.resolution); });
      break;
    case Progression::cprl:
      sort_by([](const Place& p) { return std::tuple(p.component, p.y, p.x, p.resolution); });
      break;
  }
  const auto layer_of = [this](uint32_t l, uint32_t resolution) {
    for (const Place& place : places_) {
      if (place.resolution == resolution) {
        layout_.packets.push_back({place.precinct, static_cast<uint16_t>(l)});
      }
    }
  };
  if (coding_.progression == Progression::lrcp) {
    for (uint32_t l = 0; l < coding_.layers; ++l) {
      for (uint32_t r = 0; r <= coding_.levels; ++r) layer_of(l, r);
    }
  } else if (coding_.progression == Progression::rlcp) {
    for (uint32_t r = 0; r <= coding_.levels; ++r) {
      for (uint32_t l = 0; l < coding_.layers; ++l) layer_of(l, r);
    }
  } else {
    for (const Place& place : places_) add_packets(place);
  }
  return true;
}

void LayoutMaker::add_component(size_t c) {
  ComponentLayout component;
  component.w = static_cast<uint32_t>(ceil_div(coding_.width, uint32_t{coding_.component[c].dx}));
  component.h = static_cast<uint32_t>(ceil_div(coding_.height, uint32_t{coding_.component[c].dy}));
  component.first_resolution = static_cast<uint32_t>(layout_.resolutions.size());
  component.ring = layout_.ring_bytes;
  component.ring_stride = padded(component.w) | kLine;
  layout_.ring_bytes += component.ring_stride * kRingRows;
  layout_.components.push_back(component);
  for (int r = 0; r <= coding_.levels; ++r) add_resolution(c, r);
}

bool LayoutMaker::make() {
  if (uint64_t{coding_.width} * coding_.height * coding_.components > kMaxSamples) return false;
  for (size_t c = 0; c < coding_.components; ++c) {
    add_component(c);
    for (int r = 0; r <= coding_.levels; ++r) {
      if (!add_precincts(c, r)) return false;
    }
  }
  return order_packets();
}

}  // namespace

bool make_layout(const Coding& coding, Layout& layout) {
  layout = {};
  layout.coding = coding;
  return LayoutMaker(layout).make();
}

}  // namespace microtome::jpeg2000
