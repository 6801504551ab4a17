// Reads packets: which code-blocks have how many coding passes, and where their bytes are.
//
// Called by tile.h once per tile. Keeps its memory between tiles. Takes complete, regular packets only and
// declines the rest. Not thread-safe. Source: ITU-T T.800 annexes B.9 and B.10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "microtome/codec/jpeg2000/codestream.h"
#include "microtome/codec/jpeg2000/layout.h"

namespace microtome::jpeg2000 {

/// What a tile has for one code-block.
struct BlockData {
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t bytes = 0;
  uint32_t first_piece = kNone, last_piece = kNone;  ///< Layers bring a piece each.
  uint16_t passes = 0;                               ///< 0: nothing was coded.
  uint8_t zero_planes = 0;                           ///< Most significant bit planes that are not coded.
  uint8_t length_bits = 0;                           ///< Lblock of B.10.7; 0 until the first pass.
};

struct Piece {
  std::span<const std::byte> bytes;
  uint32_t next = BlockData::kNone;
  uint16_t passes = 0;
};

/// A codeword segment: coding passes and the bytes that they are coded in.
struct CodeSegment {
  std::span<const std::byte> bytes;
  unsigned passes = 0;
};

class PacketReader {
 public:
  /// False: declined. All packets must be there, and nothing behind them; code-blocks have no more bit planes
  /// than their sub-band and this decoder can have, and no more passes than those take.
  bool read(const Layout& layout, const PacketBytes& bytes);

  const BlockData& block(size_t index) const { return blocks_[index]; }
  /// The most bit planes that a code-block has.
  unsigned most_planes() const { return most_planes_; }
  /// Whether any code-block of a sub-band has passes.
  bool any_in(size_t band) const { return any_[band] != 0; }
  /// A block's codeword segments, each without gaps; valid until the next call.
  std::span<const CodeSegment> segments_of(const BlockData& block, const BlockStyle& style);

 private:
  // A node of a tag tree: its value, once that is known, which is not below `low`.
  struct Node {
    uint16_t value, low;
  };
  struct Contribution {
    uint32_t block, bytes;
    uint16_t passes;
  };
  class Bits;

  bool read_packet(const Layout& layout, const Packet& packet, std::span<const std::byte>& rest,
                   std::span<const std::byte>& headers);
  bool read_header(const Layout& layout, const Packet& packet, Bits& bits);
  bool read_block(const PrecinctBand& part, uint32_t x, uint32_t y, uint16_t layer, const BlockStyle& style,
                  Bits& bits);
  bool read_lengths(uint32_t index, unsigned passes, const BlockStyle& style, Bits& bits);
  bool read_zero_planes(const TreeShape& tree, uint32_t x, uint32_t y, Bits& bits, BlockData& block);
  bool blocks_are_regular(const Layout& layout);
  bool band_is_regular(const Band& band, unsigned& most);
  bool take_bytes(std::span<const std::byte>& rest);
  bool below(const TreeShape& tree, uint32_t x, uint32_t y, unsigned threshold, Bits& bits);

  std::vector<BlockData> blocks_;
  std::vector<uint8_t> any_;
  unsigned most_planes_ = 0;
  std::vector<Node> nodes_;
  std::vector<Piece> pieces_;
  std::vector<Contribution> contributions_;  // of the packet being read
  std::vector<CodeSegment> segments_;
  std::vector<std::byte> joined_;
};

}  // namespace microtome::jpeg2000
