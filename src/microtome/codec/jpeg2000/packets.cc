#include "microtome/codec/jpeg2000/packets.h"

#include <algorithm>
#include <bit>

#include "microtome/codec/jpeg2000/block_memory.h"

namespace microtome::jpeg2000 {
namespace {

constexpr unsigned kMaxZeroPlanes = 80;   // more than any sub-band can have: 2^5 - 1 + 2^3 - 1 - 1
constexpr unsigned kMaxPasses = 109;      // of a block here, as of a segment in the library
constexpr unsigned kFirstLengthBits = 3;  // Lblock's initial value
constexpr uint16_t kUnknown = UINT16_MAX;

bool starts_with(std::span<const std::byte> bytes, uint8_t code) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0xFF} && bytes[1] == std::byte{code};
}

}  // namespace

// The bits of a packet header; behind a byte of all ones, one bit is stuffed (B.10.1).
class PacketReader::Bits {
 public:
  explicit Bits(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// 0 past the end.
  unsigned next() {
    if (left_ == 0) {
      if (at_ == bytes_.size()) {
        over_ = true;
        return 0;
      }
      left_ = byte_ == 0xFF ? 7 : 8;
      byte_ = std::to_integer<unsigned>(bytes_[at_++]);
    }
    return byte_ >> --left_ & 1;
  }
  unsigned next(unsigned count) {
    unsigned value = 0;
    while (count-- != 0) value = value << 1 | next();
    return value;
  }
  bool over() const { return over_; }

  /// What follows the header. A last byte of all ones has the stuffed one behind it.
  bool end(std::span<const std::byte>& rest) {
    if (byte_ == 0xFF && at_++ == bytes_.size()) over_ = true;
    if (over_) return false;
    rest = bytes_.subspan(at_);
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  unsigned byte_ = 0, left_ = 0;
  bool over_ = false;
};

// B.10.2: whether a leaf's value is below `threshold`. Each node's value is at least its parent's.
bool PacketReader::below(const TreeShape& tree, uint32_t x, uint32_t y, unsigned threshold, Bits& bits) {
  unsigned low = 0;
  for (int level = tree.height - 1;; --level) {
    const auto l = static_cast<size_t>(level);
    Node& node = nodes_[tree.first_node + tree.offset[l] + (y >> level) * tree.w[l] + (x >> level)];
    low = std::max<unsigned>(low, node.low);
    while (low < threshold && low < node.value) {
      if (bits.over()) return false;
      if (bits.next() != 0) {
        node.value = static_cast<uint16_t>(low);
      } else {
        ++low;
      }
    }
    node.low = static_cast<uint16_t>(low);
    if (level == 0) return node.value < threshold;
  }
}

bool PacketReader::read_zero_planes(const TreeShape& tree, uint32_t x, uint32_t y, Bits& bits,
                                    BlockData& block) {
  unsigned threshold = 1;
  while (!below(tree, x, y, threshold, bits)) {
    if (bits.over() || ++threshold > kMaxZeroPlanes) return false;
  }
  block.zero_planes = static_cast<uint8_t>(threshold - 1);
  return true;
}

namespace {

// Table B.4.
template <class Bits>
unsigned read_pass_count(Bits& bits) {
  if (bits.next() == 0) return 1;
  if (bits.next() == 0) return 2;
  if (const unsigned more = bits.next(2); more < 3) return 3 + more;
  if (const unsigned more = bits.next(5); more < 31) return 6 + more;
  return 37 + bits.next(7);
}

}  // namespace

// B.10.7: the bytes of each codeword segment that the passes are in.
bool PacketReader::read_lengths(uint32_t index, unsigned passes, const BlockStyle& style, Bits& bits) {
  BlockData& block = blocks_[index];
  while (bits.next() != 0) {
    if (++block.length_bits > 31) return false;
  }
  while (passes != 0) {
    const unsigned some = std::min(passes, style.passes_left(block.passes));
    const unsigned length_bits = block.length_bits + static_cast<unsigned>(std::bit_width(some)) - 1;
    if (some == 0 || length_bits > 31 || bits.over()) return false;
    contributions_.push_back({index, bits.next(length_bits), static_cast<uint16_t>(some)});
    block.passes = static_cast<uint16_t>(block.passes + some);
    passes -= some;
  }
  return block.passes <= kMaxPasses && !bits.over();
}

bool PacketReader::read_block(const PrecinctBand& part, uint32_t x, uint32_t y, uint16_t layer,
                              const BlockStyle& style, Bits& bits) {
  const uint32_t index = part.first_block + y * part.across + x;
  BlockData& block = blocks_[index];
  const bool first = block.length_bits == 0;
  const bool included = first ? below(part.inclusion, x, y, layer + 1u, bits) : bits.next() != 0;
  if (!included) return !bits.over();
  if (first) {
    if (!read_zero_planes(part.zero_planes, x, y, bits, block)) return false;
    block.length_bits = kFirstLengthBits;
    any_[part.band] = 1;
  }
  return read_lengths(index, read_pass_count(bits), style, bits);
}

bool PacketReader::read_header(const Layout& layout, const Packet& packet, Bits& bits) {
  if (bits.next() == 0) return !bits.over();  // an empty packet
  const Precinct& precinct = layout.precincts[packet.precinct];
  const BlockStyle& style = layout.coding.component[precinct.component].style;
  for (size_t b = 0; b < precinct.count; ++b) {
    const PrecinctBand& part = precinct.bands[b];
    for (uint32_t y = 0; y < part.down; ++y) {
      for (uint32_t x = 0; x < part.across; ++x) {
        if (!read_block(part, x, y, packet.layer, style, bits)) return false;
      }
    }
  }
  return true;
}

bool PacketReader::take_bytes(std::span<const std::byte>& rest) {
  for (const Contribution& c : contributions_) {
    if (c.bytes > rest.size()) return false;
    const auto piece = static_cast<uint32_t>(pieces_.size());
    pieces_.push_back({rest.first(c.bytes), BlockData::kNone, c.passes});
    rest = rest.subspan(c.bytes);
    BlockData& block = blocks_[c.block];
    (block.first_piece == BlockData::kNone ? block.first_piece : pieces_[block.last_piece].next) = piece;
    block.last_piece = piece;
    block.bytes += c.bytes;
  }
  return true;
}

// A.8: a marker may stand before the packet, and one stands behind its header, if the coding style says so.
// `headers` is `rest` unless they stand apart.
bool PacketReader::read_packet(const Layout& layout, const Packet& packet, std::span<const std::byte>& rest,
                               std::span<const std::byte>& headers) {
  constexpr uint8_t kSop = 0x91, kEph = 0x92;
  constexpr size_t kSopBytes = 6, kEphBytes = 2;
  if (layout.coding.sop && starts_with(rest, kSop)) {
    if (rest.size() < kSopBytes) return false;
    rest = rest.subspan(kSopBytes);
  }
  contributions_.clear();
  Bits bits(headers);
  if (!read_header(layout, packet, bits) || !bits.end(headers)) return false;
  if (layout.coding.eph) {
    if (!starts_with(headers, kEph)) return false;
    headers = headers.subspan(kEphBytes);
  }
  return take_bytes(rest);
}

bool PacketReader::read(const Layout& layout, const PacketBytes& bytes) {
  blocks_.assign(layout.blocks.size(), {});
  any_.assign(layout.bands.size(), 0);
  nodes_.assign(layout.nodes, {kUnknown, 0});
  pieces_.clear();
  std::span<const std::byte> packets = bytes.packets, apart = bytes.headers;
  for (const Packet& packet : layout.packets) {
    if (!read_packet(layout, packet, packets, bytes.headers_apart ? apart : packets)) return false;
  }
  return packets.empty() && apart.empty() && blocks_are_regular(layout);
}

// Of all blocks, also of those that are not needed: what a tile is declined for does not depend on the
// request. `most`: bit planes of a block.
bool PacketReader::band_is_regular(const Band& band, unsigned& most) {
  for (size_t i = band.first_block; i < size_t{band.first_block} + band.blocks; ++i) {
    const BlockData& block = blocks_[i];
    if (block.passes == 0) continue;
    if (block.zero_planes >= band.planes) return false;
    const unsigned planes = band.planes - block.zero_planes;
    if (planes > Wide::kMaxPlanes || block.passes > 3 * planes - 2) return false;
    most = std::max(most, planes);
  }
  return true;
}

// The 5/3 wavelet's filters add up to 1 at most for each of the four sub-bands that an image is made from:
// its samples are no larger than the largest values of all sub-bands together. Where those leave room in 32
// bits for sums of a few, the library has no overflow that ours would have to repeat.
bool PacketReader::blocks_are_regular(const Layout& layout) {
  constexpr uint64_t kMaxSum = uint64_t{1} << 28;
  most_planes_ = 0;
  for (size_t c = 0; c < layout.components.size(); ++c) {
    const ComponentCoding& coding = layout.coding.component[c];
    const size_t first = layout.resolution(c, 0).first_band;
    uint64_t sum = 0;
    for (size_t b = first; b < first + 3 * size_t{coding.levels} + 1; ++b) {
      unsigned most = 0;
      if (any_[b] != 0 && !band_is_regular(layout.bands[b], most)) return false;
      most_planes_ = std::max(most_planes_, most);
      sum += uint64_t{1} << most;
    }
    if (coding.reversible && sum > kMaxSum) return false;
  }
  return true;
}

// Pieces of one segment, which layers brought, are joined.
std::span<const CodeSegment> PacketReader::segments_of(const BlockData& block, const BlockStyle& style) {
  segments_.clear();
  joined_.clear();
  joined_.reserve(block.bytes);  // so that it stays where it is
  unsigned pass = 0, left = 0;   // `left`: passes that the last segment may still have
  for (uint32_t at = block.first_piece; at != BlockData::kNone; at = pieces_[at].next) {
    const Piece& piece = pieces_[at];
    if (left == 0) {
      left = style.passes_left(pass);
      segments_.push_back({piece.bytes, piece.passes});
    } else {
      CodeSegment& segment = segments_.back();
      segment.passes += piece.passes;
      const bool at_end =
          !joined_.empty() && segment.bytes.data() + segment.bytes.size() == joined_.data() + joined_.size();
      const size_t begin = at_end ? joined_.size() - segment.bytes.size() : joined_.size();
      if (!at_end) joined_.insert(joined_.end(), segment.bytes.begin(), segment.bytes.end());
      joined_.insert(joined_.end(), piece.bytes.begin(), piece.bytes.end());
      segment.bytes = std::span(joined_).subspan(begin);
    }
    pass += piece.passes;
    left -= piece.passes;
  }
  return segments_;
}

}  // namespace microtome::jpeg2000
