#include "microtome/codec/jpeg2000/coding.h"

#include <algorithm>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/codec/jpeg2000/segments.h"

namespace microtome::jpeg2000 {
namespace {

constexpr size_t kSizFixed = 36;
constexpr size_t kMaxBands = 97;    // of 32 decompositions
constexpr size_t kMaxChanges = 31;  // of the order of packets, as in the library

// A.5.1, but for the grid.
bool read_components(ByteSpan body, Coding& coding) {
  const size_t components = u16(body, 34);
  if (components < 1 || components > kMaxComponents || body.size() != kSizFixed + 3 * components)
    return false;
  coding.components = static_cast<uint8_t>(components);
  for (size_t i = 0; i < components; ++i) {
    const size_t at = kSizFixed + 3 * i;
    ComponentCoding& c = coding.component[i];
    c.bits = static_cast<uint8_t>((u8(body, at) & 0x7F) + 1);
    c.is_signed = (u8(body, at) & 0x80) != 0;
    c.dx = static_cast<uint8_t>(u8(body, at + 1));
    c.dy = static_cast<uint8_t>(u8(body, at + 2));
    if (c.bits > kMaxBits || c.dx < 1 || c.dx > kMaxSampling || c.dy < 1 || c.dy > kMaxSampling) return false;
  }
  return true;
}

bool read_precincts(ByteSpan body, ComponentCoding& component) {
  if (body.size() != size_t{component.levels} + 1) return false;
  for (size_t r = 0; r < body.size(); ++r) {
    PrecinctSize& p = component.precincts[r];
    p.w = static_cast<uint8_t>(u8(body, r) & 15);
    p.h = static_cast<uint8_t>(u8(body, r) >> 4);
    // From resolution 1 on a precinct is halved for the sub-bands.
    if (r > 0 && (p.w == 0 || p.h == 0)) return false;
  }
  return true;
}

// Tables A.15 and A.20: what COD has for all components, and COC for one.
bool read_component_style(ByteSpan body, bool has_precincts, Coding& coding, size_t of) {
  constexpr size_t kFixed = 5;
  if (body.size() < kFixed) return false;
  const unsigned style = u8(body, 3);
  if ((style & ~BlockStyle::kAll) != 0 || u8(body, 4) > 1) return false;
  if (u8(body, 0) > kMaxLevels || u8(body, 1) > 8 || u8(body, 2) > 8) return false;
  ComponentCoding& component = coding.component[of];
  component.levels = static_cast<uint8_t>(u8(body, 0));
  coding.least_levels = std::min(coding.least_levels, component.levels);
  component.block_w = static_cast<uint8_t>(u8(body, 1) + 2);
  component.block_h = static_cast<uint8_t>(u8(body, 2) + 2);
  if (component.block_w + component.block_h > 12) return false;
  component.style = BlockStyle::of(style);
  component.reversible = u8(body, 4) == 1;
  component.precincts = {};
  if (has_precincts) return read_precincts(body.subspan(kFixed), component);
  return body.size() == kFixed;
}

// A.6.1.
bool read_style(ByteSpan body, Coding& coding) {
  enum : unsigned { kPrecincts = 1, kSop = 2, kEph = 4 };
  if (body.size() < 5) return false;
  const unsigned flags = u8(body, 0);
  if ((flags & ~7u) != 0 || u8(body, 1) > 4 || u16(body, 2) == 0 || u8(body, 4) > 1) return false;
  coding.sop = (flags & kSop) != 0;
  coding.eph = (flags & kEph) != 0;
  coding.progression.assign(1, {});
  coding.progression[0].order = static_cast<Progression>(u8(body, 1));
  coding.layers = static_cast<uint16_t>(u16(body, 2));
  coding.colour_transform = u8(body, 4) == 1;
  for (size_t i = 0; i < coding.components; ++i) {
    if (!read_component_style(body.subspan(5), (flags & kPrecincts) != 0, coding, i)) return false;
  }
  return true;
}

// A.6.6. `first`: of all in the tile, which replaces what COD says.
bool read_progression(ByteSpan body, bool first, Coding& coding) {
  constexpr size_t kEntry = 7;
  if (body.empty() || body.size() % kEntry != 0) return false;
  if (first) coding.progression.clear();
  for (; !body.empty(); body = body.subspan(kEntry)) {
    ProgressionPart part;
    part.first_resolution = static_cast<uint8_t>(u8(body, 0));
    part.first_component = static_cast<uint8_t>(u8(body, 1));
    part.end_layer = static_cast<uint16_t>(u16(body, 2));
    part.end_resolution = static_cast<uint8_t>(u8(body, 4));
    part.end_component = static_cast<uint8_t>(u8(body, 5));
    if (part.first_resolution >= part.end_resolution || part.first_component >= part.end_component ||
        part.first_component >= coding.components || part.end_layer == 0 || u8(body, 6) > 4)
      return false;
    part.order = static_cast<Progression>(u8(body, 6));
    coding.progression.push_back(part);
  }
  return coding.progression.size() <= kMaxChanges;
}

enum QuantisationStyle : unsigned { kNone = 0, kDerived = 1, kExpounded = 2 };

// A.6.4: the parameters of QCD, and of QCC behind its component.
bool is_regular_quantisation(ByteSpan body) {
  if (body.empty()) return false;
  const size_t bytes = body.size() - 1;
  switch (u8(body, 0) & 31) {
    case kNone:
      return bytes <= kMaxBands;
    case kDerived:
      return bytes == 2;
    case kExpounded:
      return bytes % 2 == 0 && bytes / 2 <= kMaxBands;
    default:
      return false;
  }
}

// Of a regular one, once it is known how many sub-bands there are.
bool read_quantisation(ByteSpan body, ComponentCoding& component) {
  const unsigned style = u8(body, 0) & 31;
  component.guard_bits = static_cast<uint8_t>(u8(body, 0) >> 5);
  const size_t bands = 3 * size_t{component.levels} + 1;
  const auto scalar = [body](size_t at) {
    const unsigned word = u16(body, at);
    return StepSize{static_cast<uint8_t>(word >> 11), static_cast<uint16_t>(word & 0x7FF)};
  };
  if (component.reversible != (style == kNone)) return false;
  if (style == kDerived) {
    const StepSize low = scalar(1);
    for (size_t b = 0; b < bands; ++b) {
      const size_t halvings = b == 0 ? 0 : (b - 1) / 3;  // equation E-5
      if (low.exponent < halvings) return false;
      component.steps[b] = {static_cast<uint8_t>(low.exponent - halvings), low.mantissa};
    }
    return true;
  }
  if (body.size() < 1 + (style == kNone ? 1 : 2) * bands) return false;
  for (size_t b = 0; b < bands; ++b) {
    component.steps[b] =
        style == kNone ? StepSize{static_cast<uint8_t>(u8(body, 1 + b) >> 3), 0} : scalar(1 + 2 * b);
  }
  return true;
}

// Reads segments one after the other. Those that come twice in a header, or in an order in which readers
// differ, are declined: what is for one component comes behind what is for all.
class SegmentReader {
 public:
  explicit SegmentReader(Coding& coding) : coding_(coding) {}

  bool read(const Segment& segment) {
    switch (segment.marker) {
      case kSiz:
        return read_components(segment.body, coding_);
      case kCod:
        return first(here_.style) && here_.styles == 0 && !changed_ && read_style(segment.body, coding_);
      case kCoc:
        return has_style_ && of_component(segment.body, here_.styles) && read_component(segment.body);
      case kQcd:
        if (!first(here_.quantisation) || here_.quantisations != 0) return false;
        quantisation_.fill(segment.body);
        return is_regular_quantisation(segment.body);
      case kQcc:
        if (!has_quantisation_ || !of_component(segment.body, here_.quantisations)) return false;
        quantisation_[u8(segment.body, 0)] = segment.body.subspan(1);
        return is_regular_quantisation(segment.body.subspan(1));
      case kRgn:
        return of_component(segment.body, here_.regions) && read_region(segment.body);
      case kPoc:
        return has_style_ && read_progression(segment.body, !std::exchange(changed_, true), coding_);
      default:
        return false;
    }
  }

  /// Behind the main header.
  bool begin_tile() {
    here_ = {};
    return has_style_ && has_quantisation_;
  }

  /// Behind the last segment.
  bool finish() {
    for (size_t i = 0; i < coding_.components; ++i) {
      ComponentCoding& component = coding_.component[i];
      if (!read_quantisation(quantisation_[i], component)) return false;
      // The library counts the four bit planes before bypass from below the region.
      if (component.style.bypass && component.region_shift != 0) return false;
    }
    return true;
  }

 private:
  // What a header has had so far; of components a bit each.
  struct Met {
    bool style = false, quantisation = false;
    unsigned styles = 0, quantisations = 0, regions = 0;
  };

  bool first(bool& met) {
    (&met == &here_.style ? has_style_ : has_quantisation_) = true;
    return !std::exchange(met, true);
  }
  bool of_component(ByteSpan body, unsigned& met) const {
    if (body.empty() || u8(body, 0) >= coding_.components) return false;
    const unsigned bit = 1u << u8(body, 0), before = std::exchange(met, met | bit);
    return (before & bit) == 0;
  }
  // A.6.2.
  bool read_component(ByteSpan body) {
    if (body.size() < 2 || u8(body, 1) > 1) return false;
    return read_component_style(body.subspan(2), u8(body, 1) == 1, coding_, u8(body, 0));
  }
  // A.6.3. Shifts by more than a value's bits are the library's.
  bool read_region(ByteSpan body) {
    constexpr unsigned kMaxShift = 30;
    if (body.size() != 3 || u8(body, 1) != 0 || u8(body, 2) > kMaxShift) return false;
    coding_.component[u8(body, 0)].region_shift = static_cast<uint8_t>(u8(body, 2));
    return true;
  }

  Coding& coding_;
  Met here_;
  bool has_style_ = false, has_quantisation_ = false, changed_ = false;
  std::array<ByteSpan, kMaxComponents> quantisation_;
};

// G.2 and G.3 are over three components of one size, coded alike.
bool can_transform_colours(const Coding& coding) {
  const auto& c = coding.component;
  const auto like_first = [&c](const ComponentCoding& other) {
    return c[0].dx == other.dx && c[0].dy == other.dy && c[0].levels == other.levels &&
           c[0].reversible == other.reversible;
  };
  return coding.components >= 3 && like_first(c[1]) && like_first(c[2]);
}

}  // namespace

uint32_t Grid::across() const {
  return static_cast<uint32_t>(ceil_div(uint64_t{image.x1} - tile_x0, uint64_t{tile_w}));
}
uint32_t Grid::down() const {
  return static_cast<uint32_t>(ceil_div(uint64_t{image.y1} - tile_y0, uint64_t{tile_h}));
}

Area Grid::tile(size_t index) const {
  const uint64_t x0 = tile_x0 + uint64_t{index % across()} * tile_w,
                 y0 = tile_y0 + uint64_t{index / across()} * tile_h;
  return {static_cast<uint32_t>(std::max<uint64_t>(x0, image.x0)),
          static_cast<uint32_t>(std::max<uint64_t>(y0, image.y0)),
          static_cast<uint32_t>(std::min<uint64_t>(x0 + tile_w, image.x1)),
          static_cast<uint32_t>(std::min<uint64_t>(y0 + tile_h, image.y1))};
}

bool read_grid(ByteSpan siz_body, Grid& grid) {
  constexpr unsigned kLastProfile = 2;  // Rsiz: none, 0 or 1; others announce what Part 1 does not have
  constexpr uint32_t kMaxSide = 1 << 15, kMaxPlace = 1 << 24;
  if (siz_body.size() < kSizFixed || u16(siz_body, 0) > kLastProfile) return false;
  grid.image = {u32(siz_body, 10), u32(siz_body, 14), u32(siz_body, 2), u32(siz_body, 6)};
  grid.tile_w = u32(siz_body, 18);
  grid.tile_h = u32(siz_body, 22);
  grid.tile_x0 = u32(siz_body, 26);
  grid.tile_y0 = u32(siz_body, 30);
  const Area& image = grid.image;
  const auto regular = [](uint32_t begin, uint32_t end, uint32_t first_tile, uint32_t tile) {
    return begin < end && end - begin <= kMaxSide && end <= kMaxPlace && first_tile <= begin &&
           uint64_t{first_tile} + tile > begin;
  };
  return regular(image.x0, image.x1, grid.tile_x0, grid.tile_w) &&
         regular(image.y0, image.y1, grid.tile_y0, grid.tile_h);
}

bool read_coding(ByteSpan segments, const Area& tile, Coding& coding) {
  coding = {};
  coding.tile = tile;
  SegmentReader reader(coding);
  while (!segments.empty()) {
    if (u16(segments, 0) == kSot) {
      if (!reader.begin_tile()) return false;
      segments = segments.subspan(2);
      continue;
    }
    Segment segment;
    if (!next_segment(segments, segment) || !reader.read(segment)) return false;
  }
  return reader.finish() && (!coding.colour_transform || can_transform_colours(coding));
}

}  // namespace microtome::jpeg2000
