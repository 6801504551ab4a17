#include "microtome/codec/jpeg2000/codestream.h"

#include <algorithm>
#include <cstdint>

#include "microtome/codec/jpeg2000/segments.h"

namespace microtome::jpeg2000 {
namespace {

// Of what one image may have; a slide's tile is one codestream tile.
constexpr uint64_t kMaxTiles = 4096;

void keep(std::vector<std::byte>& to, ByteSpan bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// A.7.3: lengths of packets, which the packets say too. Each is some bytes with a bit on top that says that
// more follow.
bool is_regular_plt(const Segment& segment) {
  return !segment.body.empty() &&
         (segment.body.size() == 1 || (u8(segment.body, segment.body.size() - 1) & 0x80) == 0);
}

}  // namespace

bool Codestream::find(ByteSpan codestream) {
  if (codestream.size() < 2 || u16(codestream, 0) != kSoc) return false;
  ByteSpan rest = codestream.subspan(2);
  if (!read_main_header(rest)) return false;
  while (rest.size() >= 2 && u16(rest, 0) == kSot) {
    if (!read_tile_part(rest)) return false;
  }
  if (rest.size() < 2 || u16(rest, 0) != kEoc) return false;
  for (size_t t = 0; t < count_; ++t) {
    const Tile& tile = tiles_[t];
    if (tile.parts == 0 || (tile.parts_said != 0 && tile.parts_said != tile.parts)) return false;
    if (bytes_of(t).packets.empty()) return false;  // which the library refuses, whatever PPM or PPT say
  }
  return lengths_are_right();
}

PacketBytes Codestream::bytes_of(size_t index) const {
  const Tile& tile = tiles_[index];
  PacketBytes bytes;
  bytes.packets = tile.parts > 1 ? ByteSpan(tile.joined) : tile.packets;
  bytes.headers_apart = last_headers_ >= 0 || tile.last_headers >= 0;
  bytes.headers = last_headers_ >= 0 ? headers_ : tile.headers;
  return bytes;
}

void Codestream::segments_of(size_t tile, std::vector<std::byte>& segments) const {
  segments.assign(main_.begin(), main_.end());
  keep(segments, tiles_[tile].segments);
}

// A.4.2, then A.5 to A.9 in the order of table A.1. SIZ comes first.
bool Codestream::read_main_header(ByteSpan& rest) {
  main_.clear();
  headers_.clear();
  lengths_said_.clear();
  lengths_.clear();
  last_headers_ = -1;
  headers_left_ = 0;
  has_progression_ = false;
  Segment segment;
  if (!next_segment(rest, segment) || segment.marker != kSiz || !read_grid(segment.body, grid_)) return false;
  keep(main_, segment.all);
  components_ = u16(segment.body, 34);
  const uint64_t tiles = uint64_t{grid_.across()} * grid_.down();
  if (tiles > kMaxTiles) return false;
  count_ = static_cast<size_t>(tiles);
  if (tiles_.size() < count_) tiles_.resize(count_);
  for (size_t t = 0; t < count_; ++t) {
    Tile& tile = tiles_[t];
    tile.segments.clear();
    tile.joined.clear();
    tile.headers.clear();
    tile.parts = tile.parts_said = 0;
    tile.last_headers = -1;
    tile.has_progression = false;
  }
  while (rest.size() >= 2 && u16(rest, 0) != kSot) {
    if (!next_segment(rest, segment)) return false;
    switch (segment.marker) {
      case kPoc:
        has_progression_ = true;
        [[fallthrough]];
      case kCod:
      case kCoc:
      case kQcd:
      case kQcc:
      case kRgn:
        keep(main_, segment.all);
        break;
      case kTlm:
        if (!read_lengths_of_parts(segment.body)) return false;
        break;
      case kPpm:
        if (!read_packed_headers(segment.body)) return false;
        break;
      case kPlm:
        if (segment.body.empty()) return false;
        break;
      case kCrg:
        if (segment.body.size() != 4 * components_) return false;
        break;
      case kCom:
        break;
      default:
        return false;
    }
  }
  return headers_left_ == 0;
}

// A.7.1.
bool Codestream::read_lengths_of_parts(ByteSpan body) {
  if (body.size() < 2) return false;
  const size_t tile_bytes = u8(body, 1) >> 4 & 3, length_bytes = (u8(body, 1) & 0x40) != 0 ? 4 : 2;
  const size_t entry = tile_bytes + length_bytes;
  body = body.subspan(2);
  if (tile_bytes == 3 || body.size() % entry != 0) return false;
  for (; !body.empty(); body = body.subspan(entry)) {
    PartLength part;
    part.tile = tile_bytes == 0   ? static_cast<uint32_t>(lengths_said_.size())
                : tile_bytes == 1 ? u8(body, 0)
                                  : u16(body, 0);
    part.length = length_bytes == 2 ? u16(body, tile_bytes) : u32(body, tile_bytes);
    if (part.tile >= count_) return false;
    lengths_said_.push_back(part);
  }
  return true;
}

// The library finds tiles by what TLM says, if it says anything: then it must be right. Of a single tile it
// looks at nothing but that there are entries, and as many as tile-parts are said to be.
bool Codestream::lengths_are_right() const {
  if (lengths_said_.empty()) return true;
  if (count_ == 1) return lengths_said_.size() >= tiles_[0].parts_said;
  return std::equal(
      lengths_.begin(), lengths_.end(), lengths_said_.begin(), lengths_said_.end(),
      [](const PartLength& a, const PartLength& b) { return a.tile == b.tile && a.length == b.length; });
}

// A.7.4: the headers of all tile-parts, each part's behind their length. Which tile-part they are of is not
// looked at: with more than one tile the library would have to, and does not.
bool Codestream::read_packed_headers(ByteSpan body) {
  if (count_ != 1 || body.size() < 2 || static_cast<int>(u8(body, 0)) <= last_headers_) return false;
  last_headers_ = static_cast<int>(u8(body, 0));
  body = body.subspan(1);
  while (!body.empty()) {
    if (headers_left_ == 0) {
      if (body.size() < 4) return false;
      headers_left_ = u32(body, 0);
      body = body.subspan(4);
    }
    const size_t some = std::min<size_t>(headers_left_, body.size());
    keep(headers_, body.first(some));
    headers_left_ -= static_cast<uint32_t>(some);
    body = body.subspan(some);
  }
  return true;
}

// A.4.2. A tile's parts come in order, maybe with other tiles' between them. The last one's length may be
// left open: up to the end marker, which readers take to be the last two bytes.
bool Codestream::read_tile_part(ByteSpan& rest) {
  constexpr size_t kSotBytes = 12;
  if (rest.size() < kSotBytes || u16(rest, 2) != kSotBytes - 2 || u16(rest, 4) >= count_) return false;
  Tile& tile = tiles_[u16(rest, 4)];
  uint32_t length = u32(rest, 6);
  if (length == 0 && count_ == 1)
    length = static_cast<uint32_t>(std::min<size_t>(rest.size() - 2, UINT32_MAX));
  if (u8(rest, 10) != tile.parts || length < kSotBytes + 2 || length > rest.size()) return false;
  if (const unsigned said = u8(rest, 11); said != 0) {
    if (said <= tile.parts || (tile.parts_said != 0 && said != tile.parts_said)) return false;
    tile.parts_said = said;
  }
  lengths_.push_back({u16(rest, 4), length});
  if (tile.parts == 0) keep(tile.segments, rest.first(2));  // what follows overrides the main header
  ByteSpan part = rest.first(length).subspan(kSotBytes);
  rest = rest.subspan(length);
  if (!read_tile_header(part, tile)) return false;
  if (tile.parts == 1) keep(tile.joined, tile.packets);
  if (tile.parts > 0) keep(tile.joined, part);
  tile.packets = part;
  ++tile.parts;
  return true;
}

// Up to SOD and behind it. Only a tile's first part says how it is coded; but for the order of packets, which
// may go on changing.
bool Codestream::read_tile_header(ByteSpan& part, Tile& tile) {
  while (part.size() >= 2 && u16(part, 0) != kSod) {
    Segment segment;
    if (!next_segment(part, segment)) return false;
    switch (segment.marker) {
      case kCod:
      case kCoc:
      case kQcd:
      case kQcc:
      case kRgn:
        if (tile.parts > 0) return false;
        keep(tile.segments, segment.all);
        break;
      case kPoc:
        // The library adds a tile's changes to those of the main header, rather than to replace them.
        if (has_progression_ || (tile.parts > 0 && !tile.has_progression)) return false;
        tile.has_progression = true;
        keep(tile.segments, segment.all);
        break;
      case kPpt:
        if (segment.body.size() < 2 || last_headers_ >= 0) return false;
        if (static_cast<int>(u8(segment.body, 0)) <= tile.last_headers) return false;
        tile.last_headers = static_cast<int>(u8(segment.body, 0));
        keep(tile.headers, segment.body.subspan(1));
        break;
      case kPlt:
        if (!is_regular_plt(segment)) return false;
        break;
      case kCom:
        break;
      default:
        return false;
    }
  }
  if (part.size() < 2) return false;
  part = part.subspan(2);
  return true;
}

}  // namespace microtome::jpeg2000
