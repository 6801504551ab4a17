// TIFF's LZW (TIFF 6.0 section 13), and the bit order of its first writers.
//
// Every string in the table is a run of bytes already written: the string of one code, plus the first byte of
// the next. So the table holds positions in the output and a code is one copy; there are no links to follow.
#include <algorithm>
#include <array>
#include <cstring>

#include "microtome/base/fail.h"
#include "microtome/codec/byte_decoder.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

constexpr uint32_t kClear = 256, kEnd = 257, kFirst = 258, kTableSize = 4096;
// The longest string has one byte more than there are codes, and a code is at least nine bits.
constexpr size_t kMaxExpansion = kTableSize;

// Codes from the highest bit of each byte, as the specification has it, or from the lowest.
class CodeReader {
 public:
  CodeReader(std::span<const std::byte> packed, bool lsb_first)
      : next_(packed.data()), end_(packed.data() + packed.size()), lsb_first_(lsb_first) {}

  /// False when fewer than `width` bits are left.
  bool read(unsigned width, uint32_t& code) {
    while (count_ < width) {
      if (next_ == end_) return false;
      const auto byte = std::to_integer<uint64_t>(*next_++);
      bits_ = lsb_first_ ? bits_ | byte << count_ : bits_ << 8 | byte;
      count_ += 8;
    }
    count_ -= width;
    const uint64_t mask = (uint64_t{1} << width) - 1;
    if (lsb_first_) {
      code = static_cast<uint32_t>(bits_ & mask);
      bits_ >>= width;
    } else {
      code = static_cast<uint32_t>(bits_ >> count_ & mask);
    }
    return true;
  }

 private:
  const std::byte* next_;
  const std::byte* end_;
  bool lsb_first_;
  uint64_t bits_ = 0;
  unsigned count_ = 0;
};

class LzwDecoder final : public ByteDecoder {
 public:
  LzwDecoder() : ByteDecoder("lzw", kMaxExpansion) {}

 protected:
  Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed, std::span<std::byte> room,
                                            size_t need) override;

 private:
  struct String {
    uint32_t at, size;
  };
  std::array<String, kTableSize> table_;
};

// A stream begins with the clear code: 1000 0000 0... from the highest bit, 0000 0000 .......1 from the
// lowest.
bool is_lsb_first(std::span<const std::byte> packed) {
  return packed.size() >= 2 && packed[0] == std::byte{0} && (packed[1] & std::byte{1}) != std::byte{0};
}

// Copies a string of earlier output to `to`. The two may overlap, when a code is used as it is made. Strings
// are short: whole chunks are quicker than an exact size, where both the distance and the room behind `to`
// allow them.
void copy_string(std::byte* to, const std::byte* from, size_t size, size_t room) {
  constexpr size_t kChunk = 16;
  if (size + kChunk <= room && static_cast<size_t>(to - from) >= kChunk) {
    for (size_t i = 0; i < size; i += kChunk) std::memcpy(to + i, from + i, kChunk);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

Result<std::span<const std::byte>> LzwDecoder::unpack(std::span<const std::byte> packed,
                                                      std::span<std::byte> room, size_t need) {
  const bool lsb_first = is_lsb_first(packed);
  const uint32_t early = lsb_first ? 0 : 1;  // the specification's writers widen codes one entry early
  CodeReader reader(packed, lsb_first);
  uint32_t next = kFirst, code = 0;
  unsigned width = 9;
  String last{0, 0};  // size 0: none since the last clear
  size_t done = 0;
  while (done < need && reader.read(width, code)) {
    if (code == kEnd) break;
    if (code == kClear) {
      next = kFirst;
      width = 9;
      last.size = 0;
      continue;
    }
    if (code >= kFirst && (last.size == 0 || code > next || code >= kTableSize)) {
      return corrupt("code {} after {} bytes, where the table ends at {}", code, done, next - 1);
    }
    // The new string is the last one and the byte behind it, which is being written now.
    if (last.size > 0 && next < kTableSize) table_[next++] = {last.at, last.size + 1};
    const String string{static_cast<uint32_t>(done), code < kFirst ? 1 : table_[code].size};
    const size_t left = room.size() - done, size = std::min<size_t>(string.size, left);
    if (code < kFirst) {
      room[done] = static_cast<std::byte>(code);
    } else {
      copy_string(room.data() + done, room.data() + table_[code].at, size, left);
    }
    done += size;
    last = string;
    if (next + early >= (1u << width) && width < 12) ++width;
  }
  return std::span<const std::byte>(room.first(std::min(done, need)));
}

}  // namespace

const Codec lzw_codec{
    "lzw",
    [](const TileFormat& format) { return format.compression == Compression::lzw; },
    make_decoder<LzwDecoder>,
    []() -> std::string { return "built in"; },
};

}  // namespace microtome
