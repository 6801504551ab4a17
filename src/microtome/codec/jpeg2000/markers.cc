#include "microtome/codec/jpeg2000/markers.h"

#include <algorithm>
#include <cstdint>

namespace microtome::jpeg2000 {
namespace {

using Bytes = std::span<const std::byte>;

// Table A.2.
enum : unsigned {
  kSoc = 0xFF4F,
  kSiz = 0xFF51,
  kCod = 0xFF52,
  kQcd = 0xFF5C,
  kPlt = 0xFF58,
  kQcc = 0xFF5D,
  kCom = 0xFF64,
  kSot = 0xFF90,
  kSod = 0xFF93,
  kEoc = 0xFFD9,
};

unsigned u8(Bytes b, size_t at) {
  return std::to_integer<unsigned>(b[at]);
}
unsigned u16(Bytes b, size_t at) {
  return u8(b, at) << 8 | u8(b, at + 1);
}
uint32_t u32(Bytes b, size_t at) {
  return uint32_t{u16(b, at)} << 16 | u16(b, at + 2);
}

// A marker segment: `all` of it, and the parameters behind its length.
struct Segment {
  unsigned marker = 0;
  Bytes all, body;
};

// Takes the first segment off `rest`. False: cut short.
bool next_segment(Bytes& rest, Segment& segment) {
  if (rest.size() < 4) return false;
  segment.marker = u16(rest, 0);
  const size_t length = u16(rest, 2);
  if (length < 2 || length > rest.size() - 2) return false;
  segment.all = rest.first(2 + length);
  segment.body = segment.all.subspan(4);
  rest = rest.subspan(2 + length);
  return true;
}

void keep(std::vector<std::byte>& segments, Bytes bytes) {
  segments.insert(segments.end(), bytes.begin(), bytes.end());
}

// A.7.3: lengths of packets, which the packets say too. Each is some bytes with a bit on top that says that
// more follow.
bool is_regular_plt(const Segment& segment) {
  return !segment.body.empty() &&
         (segment.body.size() == 1 || (u8(segment.body, segment.body.size() - 1) & 0x80) == 0);
}

// A.4.2: part `index` of the one tile. `parts`: how many there are, if a part has said it.
bool read_tile_part(Bytes& rest, unsigned index, unsigned& parts, std::vector<std::byte>& segments,
                    Bytes& packets) {
  constexpr size_t kSotBytes = 12;
  if (rest.size() < kSotBytes || u16(rest, 0) != kSot || u16(rest, 2) != kSotBytes - 2) return false;
  const size_t length = u32(rest, 6);
  if (u16(rest, 4) != 0 || u8(rest, 10) != index || length < kSotBytes + 2 || length > rest.size())
    return false;
  if (const unsigned said = u8(rest, 11); said != 0) {
    if (said <= index || (parts != 0 && said != parts)) return false;
    parts = said;
  }
  if (index == 0) keep(segments, rest.first(2));  // the tile's own segments behind it override the others
  Bytes part = rest.first(length).subspan(kSotBytes);
  rest = rest.subspan(length);
  while (part.size() >= 2 && u16(part, 0) != kSod) {
    Segment segment;
    if (!next_segment(part, segment)) return false;
    if (segment.marker == kQcc && index == 0) {
      keep(segments, segment.all);
    } else if (segment.marker != kCom && !(segment.marker == kPlt && is_regular_plt(segment))) {
      return false;
    }
  }
  if (part.size() < 2) return false;
  packets = part.subspan(2);
  return true;
}

// All parts, behind which the end marker must stand.
bool read_tile_parts(Bytes rest, std::vector<std::byte>& segments, std::vector<std::byte>& joined,
                     Bytes& packets) {
  unsigned index = 0, parts = 0;
  if (!read_tile_part(rest, index, parts, segments, packets)) return false;
  joined.clear();
  for (++index; rest.size() >= 2 && u16(rest, 0) == kSot; ++index) {
    if (index == 1) keep(joined, packets);
    if (!read_tile_part(rest, index, parts, segments, packets)) return false;
    keep(joined, packets);
  }
  if (index > 1) packets = joined;
  return rest.size() >= 2 && u16(rest, 0) == kEoc && (parts == 0 || parts == index);
}

// A.5.1. Components with 9 bits and more, or signs, are the library's.
bool read_size(Bytes body, Coding& coding) {
  constexpr size_t kFixed = 36;
  constexpr unsigned kLastProfile = 2;  // Rsiz: none, 0 or 1; others announce what Part 1 does not have
  constexpr uint32_t kMaxSide = 1 << 15;
  if (body.size() < kFixed || u16(body, 0) > kLastProfile) return false;
  coding.width = u32(body, 2);
  coding.height = u32(body, 6);
  if (coding.width < 1 || coding.height < 1 || std::max(coding.width, coding.height) > kMaxSide) return false;
  const bool from_origin =
      u32(body, 10) == 0 && u32(body, 14) == 0 && u32(body, 26) == 0 && u32(body, 30) == 0;
  const bool one_tile = u32(body, 18) >= coding.width && u32(body, 22) >= coding.height;
  const size_t components = u16(body, 34);
  if (!from_origin || !one_tile || components < 1 || components > kMaxComponents) return false;
  if (body.size() != kFixed + 3 * components) return false;
  coding.components = static_cast<uint8_t>(components);
  for (size_t i = 0; i < components; ++i) {
    const size_t at = kFixed + 3 * i;
    ComponentCoding& c = coding.component[i];
    c.bits = static_cast<uint8_t>(u8(body, at) + 1);
    c.dx = static_cast<uint8_t>(u8(body, at + 1));
    c.dy = static_cast<uint8_t>(u8(body, at + 2));
    if (c.bits < 1 || c.bits > 8 || c.dx < 1 || c.dx > 2 || c.dy < 1 || c.dy > 2) return false;
  }
  return true;
}

bool read_precincts(Bytes body, Coding& coding) {
  if (body.size() != size_t{coding.levels} + 1) return false;
  for (size_t r = 0; r < body.size(); ++r) {
    PrecinctSize& p = coding.precincts[r];
    p.w = static_cast<uint8_t>(u8(body, r) & 15);
    p.h = static_cast<uint8_t>(u8(body, r) >> 4);
    // From resolution 1 on a precinct is halved for the sub-bands.
    if (r > 0 && (p.w == 0 || p.h == 0)) return false;
  }
  return true;
}

// A.6.1.
bool read_coding_style(Bytes body, Coding& coding) {
  constexpr size_t kFixed = 10;
  enum : unsigned { kPrecincts = 1, kSop = 2, kEph = 4 };
  if (body.size() < kFixed) return false;
  const unsigned flags = u8(body, 0), style = u8(body, 8);
  if ((flags & ~7u) != 0 || (style & ~BlockStyle::kAll) != 0) return false;
  if (u8(body, 1) > 4 || u16(body, 2) == 0 || u8(body, 4) > 1 || u8(body, 9) > 1) return false;
  coding.sop = (flags & kSop) != 0;
  coding.eph = (flags & kEph) != 0;
  coding.style = BlockStyle::of(style);
  coding.progression = static_cast<Progression>(u8(body, 1));
  coding.layers = static_cast<uint16_t>(u16(body, 2));
  coding.colour_transform = u8(body, 4) == 1;
  coding.reversible = u8(body, 9) == 1;
  if (u8(body, 5) > kMaxLevels || u8(body, 6) > 8 || u8(body, 7) > 8) return false;
  coding.levels = static_cast<uint8_t>(u8(body, 5));
  coding.block_w = static_cast<uint8_t>(u8(body, 6) + 2);
  coding.block_h = static_cast<uint8_t>(u8(body, 7) + 2);
  if (coding.block_w + coding.block_h > 12) return false;
  if ((flags & kPrecincts) != 0) return read_precincts(body.subspan(kFixed), coding);
  return body.size() == kFixed;
}

// A.6.4: the parameters of QCD, and of QCC behind its component.
bool read_quantisation(Bytes body, const Coding& coding, ComponentCoding& component) {
  enum : unsigned { kNone = 0, kDerived = 1, kExpounded = 2 };
  if (body.empty()) return false;
  const unsigned style = u8(body, 0) & 31;
  component.guard_bits = static_cast<uint8_t>(u8(body, 0) >> 5);
  const size_t bands = 3 * size_t{coding.levels} + 1;
  const auto scalar = [body](size_t at) {
    const unsigned word = u16(body, at);
    return StepSize{static_cast<uint8_t>(word >> 11), static_cast<uint16_t>(word & 0x7FF)};
  };
  if (coding.reversible != (style == kNone)) return false;
  switch (style) {
    case kNone:
      if (body.size() < 1 + bands) return false;
      for (size_t b = 0; b < bands; ++b) component.steps[b] = {static_cast<uint8_t>(u8(body, 1 + b) >> 3), 0};
      return true;
    case kDerived: {
      if (body.size() != 3) return false;
      const StepSize low = scalar(1);
      for (size_t b = 0; b < bands; ++b) {
        const size_t halvings = b == 0 ? 0 : (b - 1) / 3;  // equation E-5
        if (low.exponent < halvings) return false;
        component.steps[b] = {static_cast<uint8_t>(low.exponent - halvings), low.mantissa};
      }
      return true;
    }
    case kExpounded:
      if (body.size() < 1 + 2 * bands) return false;
      for (size_t b = 0; b < bands; ++b) component.steps[b] = scalar(1 + 2 * b);
      return true;
    default:
      return false;
  }
}

// What was met so far. Segments that come twice, or in an order in which readers differ, are declined.
struct Met {
  bool size = false, coding = false, quantisation = false, tile = false;
  std::array<bool, kMaxComponents> component{}, component_of_tile{};
};

bool read_component_quantisation(Bytes body, Coding& coding, Met& met) {
  if (!met.quantisation || body.empty() || u8(body, 0) >= coding.components) return false;
  const size_t index = u8(body, 0);
  bool& before = (met.tile ? met.component_of_tile : met.component)[index];
  if (before) return false;
  before = true;
  return read_quantisation(body.subspan(1), coding, coding.component[index]);
}

bool read_segment(const Segment& segment, Coding& coding, Met& met) {
  switch (segment.marker) {
    case kSiz:
      if (met.size) return false;
      met.size = true;
      return read_size(segment.body, coding);
    case kCod:
      if (!met.size || met.coding) return false;
      met.coding = true;
      return read_coding_style(segment.body, coding);
    case kQcd:
      if (!met.coding || met.quantisation) return false;
      met.quantisation = true;
      for (size_t i = 0; i < coding.components; ++i) {
        if (!read_quantisation(segment.body, coding, coding.component[i])) return false;
      }
      return true;
    default:
      return read_component_quantisation(segment.body, coding, met);
  }
}

// G.2 and G.3 are over three components of one size.
bool can_transform_colours(const Coding& coding) {
  const auto& c = coding.component;
  return coding.components >= 3 && c[0].dx == c[1].dx && c[0].dx == c[2].dx && c[0].dy == c[1].dy &&
         c[0].dy == c[2].dy;
}

}  // namespace

bool find_packets(Bytes codestream, std::vector<std::byte>& segments, std::vector<std::byte>& joined,
                  Bytes& packets) {
  segments.clear();
  if (codestream.size() < 2 || u16(codestream, 0) != kSoc) return false;
  Bytes rest = codestream.subspan(2);
  while (rest.size() >= 2 && u16(rest, 0) != kSot) {
    Segment segment;
    if (!next_segment(rest, segment)) return false;
    switch (segment.marker) {
      case kSiz:
      case kCod:
      case kQcd:
      case kQcc:
        keep(segments, segment.all);
        break;
      case kCom:
        break;
      default:
        return false;
    }
  }
  return read_tile_parts(rest, segments, joined, packets);
}

bool read_coding(Bytes segments, Coding& coding) {
  coding = {};
  Met met;
  while (!segments.empty()) {
    if (u16(segments, 0) == kSot) {
      met.tile = true;
      segments = segments.subspan(2);
      continue;
    }
    Segment segment;
    if (!next_segment(segments, segment) || !read_segment(segment, coding, met)) return false;
  }
  if (!met.size || !met.coding || !met.quantisation) return false;
  return !coding.colour_transform || can_transform_colours(coding);
}

}  // namespace microtome::jpeg2000
