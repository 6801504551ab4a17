#include "microtome/codec/jpeg/markers.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace microtome::jpeg {
namespace {

using Body = std::span<const std::byte>;

// T.81 table B.1.
enum : uint8_t {
  kSof0 = 0xC0,  // baseline
  kSof1 = 0xC1,  // extended sequential, Huffman
  kDht = 0xC4,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kDqt = 0xDB,
  kDri = 0xDD,
  kApp0 = 0xE0,
  kApp15 = 0xEF,
  kCom = 0xFE,
};

constexpr unsigned kMaxSide = 65500;  // libjpeg's limit, below the 65535 of T.81
constexpr unsigned kTables = 4;       // of each kind

unsigned u8(Body b, size_t at) {
  return std::to_integer<unsigned>(b[at]);
}

unsigned u16(Body b, size_t at) {
  return u8(b, at) << 8 | u8(b, at + 1);
}

// A marker and the parameters behind its length.
struct Segment {
  unsigned marker = 0;
  Body body;
};

// Walks the segments behind the start-of-image marker.
class Segments {
 public:
  explicit Segments(Body stream) : rest_(stream) {}

  bool start() {
    if (rest_.size() < 2 || u16(rest_, 0) != (0xFF00 | kSoi)) return false;
    rest_ = rest_.subspan(2);
    return true;
  }

  /// False: declined.
  bool next(Segment& segment) {
    if (rest_.size() < 2 || u8(rest_, 0) != 0xFF) return false;
    segment.marker = u8(rest_, 1);
    if (segment.marker == kEoi) return true;
    if (rest_.size() < 4) return false;
    const size_t length = u16(rest_, 2);
    if (length < 2 || length > rest_.size() - 2) return false;
    segment.body = rest_.subspan(4, length - 2);
    rest_ = rest_.subspan(2 + length);
    return true;
  }

  Body rest() const { return rest_; }

 private:
  Body rest_;
};

bool read_quant_tables(Body body, TableSet& tables) {
  while (!body.empty()) {
    const unsigned precision = u8(body, 0) >> 4, id = u8(body, 0) & 15;
    const size_t bytes = precision == 0 ? 1 : 2;
    if (precision > 1 || id >= kTables || body.size() < 1 + 64 * bytes) return false;
    QuantTable& table = tables.quant[id];
    for (size_t i = 0; i < 64; ++i) {
      const unsigned value = precision == 0 ? u8(body, 1 + i) : u16(body, 1 + 2 * i);
      table.natural[kNaturalOrder[i]] = static_cast<uint16_t>(value);
    }
    table.defined = true;
    body = body.subspan(1 + 64 * bytes);
  }
  return true;
}

bool read_huffman_tables(Body body, TableSet& tables) {
  constexpr size_t kHead = 17;  // class and identifier, 16 counts
  while (!body.empty()) {
    const unsigned kind = u8(body, 0) >> 4, id = u8(body, 0) & 15;
    if (kind > 1 || id >= kTables || body.size() < kHead) return false;
    HuffmanSpec spec;
    size_t size = 0;
    std::memcpy(&spec.counts[1], &body[1], 16);
    for (const uint8_t count : spec.counts) size += count;
    if (size > spec.symbols.size() || size > body.size() - kHead) return false;
    std::memcpy(spec.symbols.data(), body.data() + kHead, size);
    spec.size = static_cast<uint16_t>(size);
    spec.defined = true;
    (kind == 0 ? tables.dc : tables.ac)[id] = spec;
    body = body.subspan(kHead + size);
  }
  return true;
}

// What may stand in JPEGTables as well as in a tile; `interval` takes DRI's value.
bool read_misc(const Segment& segment, TableSet& tables, uint32_t& interval) {
  switch (segment.marker) {
    case kDqt:
      return read_quant_tables(segment.body, tables);
    case kDht:
      return read_huffman_tables(segment.body, tables);
    case kDri:
      if (segment.body.size() != 2) return false;
      interval = u16(segment.body, 0);
      return true;
    default:
      return segment.marker == kCom || (segment.marker >= kApp0 && segment.marker <= kApp15);
  }
}

bool find_sampling(Frame& frame) {
  const auto& c = frame.component;
  if (frame.components == 1) {
    frame.sampling = Sampling::grey;
    return c[0].h == 1 && c[0].v == 1;
  }
  if (c[1].h != 1 || c[1].v != 1 || c[2].h != 1 || c[2].v != 1) return false;
  if (c[0].h < 1 || c[0].h > 2 || c[0].v < 1 || c[0].v > 2) return false;
  constexpr Sampling kByFactors[2][2] = {{Sampling::s444, Sampling::s440}, {Sampling::s422, Sampling::s420}};
  frame.sampling = kByFactors[c[0].h - 1][c[0].v - 1];
  return true;
}

bool read_frame(Body body, Frame& frame) {
  constexpr size_t kHead = 6;
  if (body.size() < kHead || u8(body, 0) != 8) return false;
  frame.size = {u16(body, 3), u16(body, 1)};
  if (frame.size.empty() || std::max(frame.size.w, frame.size.h) > kMaxSide) return false;
  const unsigned count = u8(body, 5);
  if ((count != 1 && count != 3) || body.size() != kHead + 3 * count) return false;
  frame.components = static_cast<uint8_t>(count);
  for (unsigned i = 0; i < count; ++i) {
    const size_t at = kHead + 3 * i;
    Component& c = frame.component[i];
    c.id = static_cast<uint8_t>(u8(body, at));
    c.h = static_cast<uint8_t>(u8(body, at + 1) >> 4);
    c.v = static_cast<uint8_t>(u8(body, at + 1) & 15);
    c.quant = static_cast<uint8_t>(u8(body, at + 2));
    if (c.quant >= kTables) return false;
    for (unsigned j = 0; j < i; ++j) {
      if (frame.component[j].id == c.id) return false;
    }
  }
  return find_sampling(frame);
}

// All components in the frame's order, over the whole spectrum, at full precision.
bool read_scan(Body body, Frame& frame) {
  const unsigned count = frame.components;
  if (body.size() != 4 + 2 * count || u8(body, 0) != count) return false;
  for (unsigned i = 0; i < count; ++i) {
    Component& c = frame.component[i];
    if (u8(body, 1 + 2 * i) != c.id) return false;
    c.dc = static_cast<uint8_t>(u8(body, 2 + 2 * i) >> 4);
    c.ac = static_cast<uint8_t>(u8(body, 2 + 2 * i) & 15);
    if (c.dc >= kTables || c.ac >= kTables) return false;
    const TableSet& t = frame.tables;
    if (!t.dc[c.dc].defined || !t.ac[c.ac].defined || !t.quant[c.quant].defined) return false;
  }
  const size_t at = 1 + 2 * count;
  return u8(body, at) == 0 && u8(body, at + 1) == 63 && u8(body, at + 2) == 0;
}

bool read_header(Body packed, Frame& frame, bool& own_tables) {
  Segments segments(packed);
  if (!segments.start()) return false;
  bool have_frame = false;
  for (Segment segment; segments.next(segment);) {
    if (segment.marker == kSof0 || segment.marker == kSof1) {
      if (have_frame || !read_frame(segment.body, frame)) return false;
      have_frame = true;
    } else if (segment.marker == kSos) {
      frame.scan = segments.rest();
      return have_frame && read_scan(segment.body, frame);
    } else {
      own_tables = own_tables || segment.marker == kDqt || segment.marker == kDht;
      if (!read_misc(segment, frame.tables, frame.restart_interval)) return false;
    }
  }
  return false;
}

// The end marker may be missing, as the library has it; what follows it is ignored.
bool read_tables(Body stream, TableSet& tables) {
  Segments segments(stream);
  if (!segments.start()) return false;
  uint32_t interval = 0;  // the start of the tile's own image resets it
  while (!segments.rest().empty()) {
    Segment segment;
    if (!segments.next(segment)) return false;
    if (segment.marker == kEoi) return true;
    if (!read_misc(segment, tables, interval)) return false;
  }
  return true;
}

}  // namespace

bool Headers::keep(std::span<const std::byte> tables) {
  const bool same = tables.size() == kept_bytes_.size() &&
                    (tables.empty() || std::memcmp(tables.data(), kept_bytes_.data(), tables.size()) == 0);
  if (!same) {
    kept_ = {};
    kept_declined_ = false;
    kept_bytes_.clear();  // in step with `kept_` should the next line throw
    kept_bytes_.assign(tables.begin(), tables.end());
    kept_declined_ = !tables.empty() && !read_tables(tables, kept_);
    own_tables_ = true;
  }
  return !kept_declined_;
}

const Frame* Headers::read(std::span<const std::byte> packed, std::span<const std::byte> tables) {
  if (!keep(tables)) return nullptr;
  // The tables are 3 KB, and most tiles of a slide bring none.
  if (own_tables_) frame_.tables = kept_;
  own_tables_ = false;
  frame_.restart_interval = 0;
  return read_header(packed, frame_, own_tables_) ? &frame_ : nullptr;
}

}  // namespace microtome::jpeg
