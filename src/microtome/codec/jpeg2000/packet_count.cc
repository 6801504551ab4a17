#include "microtome/codec/jpeg2000/packet_count.h"

#include <algorithm>

#include "microtome/base/fail.h"
#include "microtome/codec/jpeg2000/segments.h"

namespace microtome::jpeg2000 {
namespace {

constexpr unsigned kMostLevels = 32;

class PacketCounter {
 public:
  PacketCounter(const Grid& grid, size_t components) : grid_(grid), components_(components) {}

  void meet(const Segment& segment) {
    constexpr size_t kCodFixed = 5, kPocEntry = 7;
    const ByteSpan body = segment.body;
    if (segment.marker == kCod && body.size() > kCodFixed) {
      layers_ = std::max<uint64_t>(layers_, u16(body, 2));
      meet_style(body.subspan(kCodFixed), (u8(body, 0) & 1) != 0);
    } else if (segment.marker == kCoc) {
      const size_t index = components_ < 257 ? 1 : 2;
      if (body.size() > index) meet_style(body.subspan(index + 1), (u8(body, index) & 1) != 0);
    } else if (segment.marker == kPoc) {
      changes_ += body.size() / kPocEntry;
    }
  }

  /// Saturates.
  uint64_t most() const {
    uint64_t most = 0;
    const bool fits = !__builtin_mul_overflow(layers_ * changes_, precincts_, &most) &&
                      !__builtin_mul_overflow(most, uint64_t{components_}, &most);
    return fits ? most : UINT64_MAX;
  }

 private:
  // Each tile may begin and end in the middle of a precinct: one more of them, in each direction.
  static uint64_t along(uint64_t samples, unsigned log2_size, uint64_t tiles) {
    return (samples >> log2_size) + 2 * tiles;
  }
  void meet_style(ByteSpan style, bool has_precincts) {
    constexpr size_t kFixed = 5;
    if (style.size() < kFixed) return;
    const unsigned levels = std::min(u8(style, 0), kMostLevels);
    uint64_t precincts = 0;
    for (unsigned r = 0; r <= levels; ++r) {
      const bool said = has_precincts && kFixed + r < style.size();
      const unsigned size = said ? u8(style, kFixed + r) : 0xFF, halvings = levels - r;
      precincts += along(uint64_t{grid_.image.w()} >> halvings, size & 15, grid_.across()) *
                   along(uint64_t{grid_.image.h()} >> halvings, size >> 4, grid_.down());
    }
    precincts_ = std::max(precincts_, precincts);
  }

  const Grid& grid_;
  size_t components_;
  uint64_t layers_ = 1, changes_ = 1, precincts_ = 0;
};

// Takes the segments off `rest` up to the marker that ends a header.
void meet_header(ByteSpan& rest, Marker end, PacketCounter& counter) {
  Segment segment;
  while (rest.size() >= 2 && u16(rest, 0) != end && next_segment(rest, segment)) counter.meet(segment);
}

}  // namespace

Status check_packet_count(std::span<const std::byte> codestream, const Grid& grid, size_t components) {
  constexpr size_t kStart = 2, kSotBytes = 12, kLength = 6;
  PacketCounter counter(grid, components);
  ByteSpan rest = codestream.subspan(kStart);
  meet_header(rest, kSot, counter);
  while (rest.size() >= kSotBytes && u16(rest, 0) == kSot) {
    ByteSpan part = rest.subspan(kSotBytes);
    meet_header(part, kSod, counter);
    const uint32_t length = u32(rest, kLength);
    if (length < kSotBytes || length > rest.size()) break;  // of the last one: open
    rest = rest.subspan(length);
  }
  const uint64_t most = counter.most();
  if (most <= kMostPackets) return ok_status();
  return unsupported("headers that allow for {} packets are not supported, {} at most", most, kMostPackets);
}

}  // namespace microtome::jpeg2000
