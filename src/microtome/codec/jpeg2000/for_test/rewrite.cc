#include "microtome/codec/jpeg2000/for_test/rewrite.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "microtome/codec/jpeg2000/coding.h"
#include "microtome/codec/jpeg2000/layout.h"

namespace microtome::jpeg2000::test {
namespace {

enum : uint8_t {
  kSiz = 0x51,
  kCod = 0x52,
  kCoc = 0x53,
  kTlm = 0x55,
  kPlm = 0x57,
  kPlt = 0x58,
  kQcd = 0x5C,
  kQcc = 0x5D,
  kRgn = 0x5E,
  kPoc = 0x5F,
  kPpm = 0x60,
  kPpt = 0x61,
  kCrg = 0x63,
  kCom = 0x64,
  kSot = 0x90,
  kSop = 0x91,
  kEph = 0x92,
  kSod = 0x93,
  kEoc = 0xD9,
};
constexpr size_t kSotBytes = 12, kSopBytes = 6;

unsigned at(const Stream& stream, size_t i) {
  return i < stream.size() ? std::to_integer<unsigned>(stream[i]) : 0;
}
bool marker_at(const Stream& stream, size_t i, uint8_t code) {
  return at(stream, i) == 0xFF && at(stream, i + 1) == code;
}
Stream slice(const Stream& stream, size_t from, size_t to) {
  return {stream.begin() + static_cast<ptrdiff_t>(from), stream.begin() + static_cast<ptrdiff_t>(to)};
}
void append(Stream& to, const Stream& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void number(Stream& to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}
void put(Stream& to, const Pieces::Segment& segment) {
  number(to, 0xFF00u | segment.code, 2);
  number(to, segment.body.size() + 2, 2);
  append(to, segment.body);
}

// Segments from `i` up to the marker `end`.
std::optional<std::vector<Pieces::Segment>> segments_to(const Stream& stream, size_t& i, uint8_t end) {
  std::vector<Pieces::Segment> segments;
  while (!marker_at(stream, i, end)) {
    const size_t length = at(stream, i + 2) << 8 | at(stream, i + 3);
    if (length < 2 || i + 2 + length > stream.size()) return std::nullopt;
    segments.push_back({static_cast<uint8_t>(at(stream, i + 1)), slice(stream, i + 4, i + 2 + length)});
    i += 2 + length;
  }
  return segments;
}

// In pieces that a segment has room for, each behind its number.
std::vector<Pieces::Segment> numbered(uint8_t code, const Stream& bytes, Random& random) {
  std::vector<Pieces::Segment> segments;
  const size_t most = random.one_in(2) ? 60000 : 5 + random.index(200);
  int index = 0;
  for (size_t from = 0; from < bytes.size() && index < 256;) {
    const size_t end = index == 255 ? bytes.size() : std::min(bytes.size(), from + most);
    Stream body;
    number(body, static_cast<unsigned>(index++), 1);
    append(body, slice(bytes, from, end));
    segments.push_back({code, std::move(body)});
    from = end;
  }
  return segments;
}

// Each with SOP before it. Neither headers nor bodies have such a marker in them.
std::vector<Stream> packets_of(const Pieces& pieces) {
  std::vector<Stream> packets;
  const Stream& all = pieces.packets;
  for (size_t i = 0; marker_at(all, i, kSop);) {
    size_t next = i + kSopBytes;
    while (next < all.size() && !marker_at(all, next, kSop)) ++next;
    packets.push_back(slice(all, i, next));
    i = next;
  }
  return packets;
}

void insert_anywhere(std::vector<Pieces::Segment>& into, size_t first, Pieces::Segment segment,
                     Random& random) {
  const size_t place = first + random.index(into.size() - first + 1);
  into.insert(into.begin() + static_cast<ptrdiff_t>(place), std::move(segment));
}

}  // namespace

Pieces::Segment& Pieces::segment(uint8_t code) {
  return *std::find_if(main.begin(), main.end(), [code](const Segment& s) { return s.code == code; });
}

std::optional<Pieces> take_apart(const Stream& stream) {
  Pieces pieces;
  size_t i = 2;
  auto main = segments_to(stream, i, kSot);
  if (!main) return std::nullopt;
  const size_t part =
      size_t{at(stream, i + 6)} << 24 | at(stream, i + 7) << 16 | at(stream, i + 8) << 8 | at(stream, i + 9);
  const size_t end = i + part;
  i += kSotBytes;
  auto tile = segments_to(stream, i, kSod);
  if (!tile || end + 2 != stream.size() || !marker_at(stream, end, kEoc)) return std::nullopt;
  return Pieces{std::move(*main), std::move(*tile), slice(stream, i + 2, end)};
}

Stream put_together(const Pieces& pieces) {
  Stream stream;
  number(stream, 0xFF4F, 2);
  for (const Pieces::Segment& segment : pieces.main) put(stream, segment);
  Stream header;
  for (const Pieces::Segment& segment : pieces.tile) put(header, segment);
  number(stream, 0xFF00u | kSot, 2);
  number(stream, kSotBytes - 2, 2);
  number(stream, 0, 2);
  number(stream, kSotBytes + header.size() + 2 + pieces.packets.size(), 4);
  number(stream, 0, 1);
  number(stream, 1, 1);
  append(stream, header);
  number(stream, 0xFF00u | kSod, 2);
  append(stream, pieces.packets);
  number(stream, 0xFF00u | kEoc, 2);
  return stream;
}

Pieces join_components(const std::vector<Pieces>& components) {
  Pieces all = components[0];
  constexpr size_t kCount = 34, kFirst = 36, kEach = 3, kStyle = 5;  // places in SIZ and COD
  all.segment(kSiz).body[kCount + 1] = static_cast<std::byte>(components.size());
  for (size_t c = 1; c < components.size(); ++c) {
    Pieces pieces = components[c];
    append(all.segment(kSiz).body, slice(pieces.segment(kSiz).body, kFirst, kFirst + kEach));
    const Stream &cod = pieces.segment(kCod).body, &qcd = pieces.segment(kQcd).body;
    Pieces::Segment coc{kCoc, {}}, qcc{kQcc, {}};
    number(coc.body, c, 1);
    coc.body.push_back(cod[0] & std::byte{1});
    append(coc.body, slice(cod, kStyle, cod.size()));
    number(qcc.body, c, 1);
    append(qcc.body, qcd);
    all.main.push_back(std::move(coc));
    all.main.push_back(std::move(qcc));
    append(all.packets, pieces.packets);
  }
  return all;
}

void pack_headers(Pieces& pieces, bool in_main_header, bool keep_markers, Random& random) {
  Stream headers, bodies;
  for (const Stream& packet : packets_of(pieces)) {
    size_t eph = kSopBytes;
    while (!marker_at(packet, eph, kEph)) ++eph;
    if (keep_markers) append(bodies, slice(packet, 0, kSopBytes));
    append(headers, slice(packet, kSopBytes, eph + (keep_markers ? 2 : 0)));
    append(bodies, slice(packet, eph + 2, packet.size()));
  }
  if (!keep_markers) pieces.segment(kCod).body[0] &= std::byte{1};
  Stream counted;
  if (in_main_header) number(counted, headers.size(), 4);
  append(counted, headers);
  auto& to = in_main_header ? pieces.main : pieces.tile;
  for (Pieces::Segment& segment : numbered(in_main_header ? kPpm : kPpt, counted, random)) {
    to.push_back(std::move(segment));
  }
  pieces.packets = std::move(bodies);
}

bool reorder_packets(Pieces& pieces, const std::vector<Change>& changes) {
  const std::vector<Stream> packets = packets_of(pieces);
  const auto order_of = [](const Pieces& from) -> std::optional<Layout> {
    Stream segments;
    for (const Pieces::Segment& segment : from.main) {
      if (segment.code != kCom && segment.code != kTlm) put(segments, segment);
    }
    Grid grid;
    Coding coding;
    Layout layout;
    const bool made = read_grid(from.main[0].body, grid) && read_coding(segments, grid.tile(0), coding) &&
                      make_layout(coding, layout);
    return made ? std::optional(std::move(layout)) : std::nullopt;
  };
  const auto before = order_of(pieces);
  Pieces::Segment poc{kPoc, {}};
  for (const Change& change : changes) {
    number(poc.body, change.first_resolution, 1);
    number(poc.body, change.first_component, 1);
    number(poc.body, change.end_layer, 2);
    number(poc.body, change.end_resolution, 1);
    number(poc.body, change.end_component, 1);
    number(poc.body, change.progression, 1);
  }
  Pieces changed = pieces;
  changed.main.push_back(std::move(poc));
  const auto after = order_of(changed);
  if (!before || !after || before->packets.size() != packets.size()) return false;
  std::map<std::pair<uint32_t, uint16_t>, size_t> places;
  for (size_t i = 0; i < packets.size(); ++i) {
    places[{before->packets[i].precinct, before->packets[i].layer}] = i;
  }
  changed.packets.clear();
  for (const Packet& packet : after->packets) {
    append(changed.packets, packets[places.at({packet.precinct, packet.layer})]);
  }
  pieces = std::move(changed);
  return true;
}

void interleave_parts(Stream& stream, Random& random) {
  size_t i = 2;
  const auto main = segments_to(stream, i, kSot);
  if (!main ||
      std::any_of(main->begin(), main->end(), [](const Pieces::Segment& s) { return s.code == kTlm; }))
    return;
  const size_t first = i;
  std::map<unsigned, std::vector<Stream>> parts;  // of each tile
  while (marker_at(stream, i, kSot)) {
    const size_t length = size_t{at(stream, i + 6)} << 24 | at(stream, i + 7) << 16 | at(stream, i + 8) << 8 |
                          at(stream, i + 9);
    if (length < kSotBytes || length > stream.size() - i) return;
    parts[at(stream, i + 4) << 8 | at(stream, i + 5)].push_back(slice(stream, i, i + length));
    i += length;
  }
  const Stream end = slice(stream, i, stream.size());
  stream.resize(first);
  std::map<unsigned, size_t> next;
  while (!parts.empty()) {
    const auto tile = std::next(parts.begin(), random.below(static_cast<int64_t>(parts.size())));
    size_t& part = next[tile->first];
    append(stream, tile->second[part]);
    if (++part == tile->second.size()) parts.erase(tile);
  }
  append(stream, end);
}

void move_to_tile_header(Pieces& pieces, bool other_levels, Random& random) {
  std::vector<Pieces::Segment> stay, go;
  const bool style = random.one_in(2), quantisation = random.one_in(2);
  for (const Pieces::Segment& s : pieces.main) {
    const bool of_style = s.code == kCod || s.code == kCoc, of_steps = s.code == kQcd || s.code == kQcc;
    const bool goes = of_style ? style : of_steps ? quantisation : s.code == kRgn || s.code == kPoc;
    (goes ? go : stay).push_back(s);
    if (!goes || s.code == kRgn || s.code == kPoc) continue;
    // Something else that stands in its place, of the same length.
    Pieces::Segment other = s;
    constexpr size_t kOrderOfCod = 1, kLevelsOfCod = 5, kStyleOfCod = 8, kStyleOfCoc = 5;
    constexpr std::byte kPrecincts{1}, kReset{2}, kExponent{8};
    if (s.code == kCod) {
      other.body[kOrderOfCod] = static_cast<std::byte>(random.below(5));
      other.body[kStyleOfCod] ^= kReset;
      std::byte& levels = other.body[kLevelsOfCod];
      if (other_levels && (other.body[0] & kPrecincts) == std::byte{})
        levels = static_cast<std::byte>(random.below(std::to_integer<int>(levels) + 1));
    }
    if (s.code == kCoc) other.body[kStyleOfCoc] ^= kReset;
    if (of_steps) other.body.back() ^= kExponent;
    stay.push_back(std::move(other));
  }
  pieces.main = std::move(stay);
  pieces.tile.insert(pieces.tile.end(), go.begin(), go.end());
}

void add_segments(Pieces& pieces, Random& random) {
  const auto bytes = [&random](size_t count) {
    Stream made;
    for (size_t i = 0; i < count; ++i) made.push_back(static_cast<std::byte>(random.byte()));
    return made;
  };
  for (int n = random.between(1, 3); n > 0; --n) {
    switch (random.below(5)) {
      case 0: {
        if (std::any_of(pieces.main.begin(), pieces.main.end(),
                        [](const Pieces::Segment& s) { return s.code == kTlm; }))
          break;  // the tile has one part
        Stream tlm = bytes(1);
        const bool with_tile = random.one_in(2), wide = random.one_in(2);
        number(tlm, (with_tile ? 0x10u : 0u) | (wide ? 0x40u : 0u), 1);
        if (with_tile) number(tlm, 0, 1);
        append(tlm, bytes(wide ? 4 : 2));
        insert_anywhere(pieces.main, 1, {kTlm, tlm}, random);
        break;
      }
      case 1:
        insert_anywhere(pieces.main, 1, {kPlm, bytes(1 + random.index(20))}, random);
        break;
      case 2: {
        Stream plt = bytes(1 + random.index(20));
        if (plt.size() > 1) plt.back() &= std::byte{0x7F};
        insert_anywhere(pieces.tile, 0, {kPlt, plt}, random);
        break;
      }
      case 3: {
        const size_t components = at(pieces.segment(kSiz).body, 35);
        insert_anywhere(pieces.main, 1, {kCrg, bytes(4 * components)}, random);
        break;
      }
      default:
        if (random.one_in(2)) {
          insert_anywhere(pieces.tile, 0, {kCom, bytes(random.index(9))}, random);
        } else {
          insert_anywhere(pieces.main, 1, {kCom, bytes(random.index(9))}, random);
        }
    }
  }
}

}  // namespace microtome::jpeg2000::test
