#include "microtome/codec/jpeg2000/header.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome::jpeg2000 {
namespace {

constexpr uint32_t kStartAndSize = 0xFF4FFF51;  // the SOC marker and SIZ's, which must follow it
constexpr uint32_t box_type(const char (&name)[5]) {
  return static_cast<uint32_t>(name[0]) << 24 | static_cast<uint32_t>(name[1]) << 16 |
         static_cast<uint32_t>(name[2]) << 8 | static_cast<uint32_t>(name[3]);
}

// A big-endian number of `width` bytes; the caller has checked that they are there.
uint64_t number(std::span<const std::byte> bytes, size_t at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | std::to_integer<uint64_t>(bytes[at + i]);
  return value;
}

uint32_t u32(std::span<const std::byte> bytes, size_t at) {
  return static_cast<uint32_t>(number(bytes, at, 4));
}

struct Box {
  uint32_t type;
  std::span<const std::byte> content;
  bool cut;  ///< Its length passes the end.
};

// Takes the first box off `bytes`. Lengths: 0 is "to the end", 1 is "in the eight bytes that follow".
Result<Box> take_box(std::span<const std::byte>& bytes) {
  if (bytes.size() < 8) return corrupt("{} bytes, where a JP2 box header has 8", bytes.size());
  uint64_t length = u32(bytes, 0);
  size_t header = 8;
  if (length == 1) {
    if (bytes.size() < 16) return corrupt("{} bytes, where a long JP2 box header has 16", bytes.size());
    length = number(bytes, 8, 8);
    header = 16;
  } else if (length == 0) {
    length = bytes.size();
  }
  // A length past the end is left to the codestream to complain about, if anything of it is missing.
  if (length < header) return corrupt("JP2 box of {} bytes, expected {} or more", length, header);
  const size_t size = static_cast<size_t>(std::min<uint64_t>(length, bytes.size()));
  const Box box{u32(bytes, 4), bytes.subspan(header, size - header), length > bytes.size()};
  bytes = bytes.subspan(size);
  return box;
}

// The palette box: the number of entries (2 bytes) and of columns (1 byte), each of which makes a channel.
Status read_header_boxes(std::span<const std::byte> boxes, Stream& found) {
  while (!boxes.empty()) {
    MICROTOME_ASSIGN(const Box box, take_box(boxes));
    // Of a palette or channel definition behind it nothing would be known.
    if (box.cut) return corrupt("a JP2 header box that passes the end of the header");
    if (box.type == box_type("cdef")) found.has_channel_boxes = true;
    if (box.type != box_type("pclr")) continue;
    if (box.content.size() < 3) return corrupt("a palette of {} bytes", box.content.size());
    found.has_channel_boxes = true;
    found.palette_channels = std::to_integer<uint16_t>(box.content[2]);
    if (found.palette_channels == 0) return corrupt("a palette without columns");
  }
  return ok_status();
}

}  // namespace

Result<Stream> find_codestream(std::span<const std::byte> stream) {
  Stream found;
  if (stream.size() >= 4 && u32(stream, 0) == kStartAndSize) {
    found.codestream = stream;
    return found;
  }
  if (stream.size() < 12 || u32(stream, 4) != box_type("jP  ")) {
    return corrupt("neither a JPEG 2000 codestream nor a JP2 file ({} bytes)", stream.size());
  }
  while (!stream.empty()) {
    MICROTOME_ASSIGN(const Box box, take_box(stream));
    if (box.type == box_type("jp2h")) MICROTOME_TRY(read_header_boxes(box.content, found));
    if (box.type == box_type("jp2c")) {
      found.codestream = box.content;
      return found;
    }
  }
  return corrupt("a JP2 file without a codestream");
}

Result<Header> read_header(std::span<const std::byte> codestream) {
  constexpr size_t kFixed = 42;  // both markers and SIZ up to the components
  if (codestream.size() < kFixed) {
    return corrupt("premature end: {} bytes, where the header has {} or more", codestream.size(), kFixed);
  }
  if (u32(codestream, 0) != kStartAndSize)
    return corrupt("a codestream that does not begin with SOC and SIZ");
  Header header;
  header.x1 = u32(codestream, 8);
  header.y1 = u32(codestream, 12);
  header.x0 = u32(codestream, 16);
  header.y0 = u32(codestream, 20);
  header.tile_w = u32(codestream, 24);
  header.tile_h = u32(codestream, 28);
  header.tile_x0 = u32(codestream, 32);
  header.tile_y0 = u32(codestream, 36);
  const uint64_t tile_w = header.tile_w, tile_h = header.tile_h;
  const uint64_t tile_x0 = header.tile_x0, tile_y0 = header.tile_y0;
  const auto components = static_cast<size_t>(number(codestream, 40, 2));

  if (header.x0 >= header.x1 || header.y0 >= header.y1) {
    return corrupt("an image from {},{} to {},{}", header.x0, header.y0, header.x1, header.y1);
  }
  if (tile_w == 0 || tile_h == 0 || tile_x0 > header.x0 || tile_y0 > header.y0 ||
      tile_x0 + tile_w <= header.x0 || tile_y0 + tile_h <= header.y0) {
    return corrupt("codestream tiles of {}x{} from {},{} do not hold the image's corner {},{}", tile_w,
                   tile_h, tile_x0, tile_y0, header.x0, header.y0);
  }
  // Below 2^64: each factor is at most 2^32 - 1.
  header.tiles = ceil_div(header.x1 - tile_x0, tile_w) * ceil_div(header.y1 - tile_y0, tile_h);
  if (components == 0 || codestream.size() - kFixed < 3 * components) {
    return corrupt("premature end: {} bytes, too few for {} components", codestream.size(), components);
  }
  for (size_t i = 0; i < components; ++i) {
    const size_t at = kFixed + 3 * i;
    const auto depth = static_cast<uint8_t>(codestream[at]);
    HeaderComponent component;
    component.bits = static_cast<uint8_t>((depth & 0x7F) + 1);
    component.is_signed = (depth & 0x80) != 0;
    component.dx = static_cast<uint8_t>(codestream[at + 1]);
    component.dy = static_cast<uint8_t>(codestream[at + 2]);
    if (component.dx == 0 || component.dy == 0) {
      return corrupt("component {} has a subsampling of {}x{}", i, component.dx, component.dy);
    }
    header.components.push_back(component);
  }
  return header;
}

Status check_tile_parts(std::span<const std::byte> codestream, uint64_t tiles) {
  constexpr uint16_t kStartOfTile = 0xFF90, kEnd = 0xFFD9;
  constexpr size_t kTileHeader = 12;  // the SOT marker segment
  const auto marker = [&codestream](size_t at) {
    return at + 2 <= codestream.size() ? static_cast<uint16_t>(number(codestream, at, 2)) : uint16_t{0};
  };
  size_t at = 2;
  while (marker(at) != kStartOfTile) {
    if (codestream.size() < at + 4)
      return corrupt("premature end in the main header ({} bytes)", codestream.size());
    at += 2 + static_cast<size_t>(number(codestream, at + 2, 2));
  }
  struct Parts {
    unsigned found = 0, expected = 0;  // expected: 0 where no part says it
  };
  std::vector<Parts> found(static_cast<size_t>(tiles));
  while (marker(at) == kStartOfTile && codestream.size() - at >= kTileHeader) {
    const uint64_t length = u32(codestream, at + 6), left = codestream.size() - at;
    if (length > left)
      return corrupt("premature end: a tile part of {} bytes, where {} are left", length, left);
    const uint64_t tile = number(codestream, at + 4, 2);
    if (tile >= tiles) return corrupt("a part of codestream tile {}, of which there are {}", tile, tiles);
    Parts& parts = found[static_cast<size_t>(tile)];
    ++parts.found;
    if (const auto expected = std::to_integer<unsigned>(codestream[at + 11]); expected > 0)
      parts.expected = expected;
    // Length 0: up to the end of the codestream, which the library then looks for itself.
    if (length == 0) {
      parts.expected = parts.found;
      break;
    }
    if (length < kTileHeader + 2) return corrupt("a tile part of {} bytes", length);
    at += static_cast<size_t>(length);
  }
  const bool ended = marker(at) == kEnd;
  for (uint64_t tile = 0; tile < tiles; ++tile) {
    const auto [count, expected] = found[static_cast<size_t>(tile)];
    if (count == 0) return corrupt("codestream tile {} of {} is missing", tile, tiles);
    if (count < expected)
      return corrupt("codestream tile {} has {} parts, expected {}", tile, count, expected);
    if (expected == 0 && !ended)
      return corrupt("no end marker behind tile {}, whose number of parts is not known", tile);
  }
  return ok_status();
}

}  // namespace microtome::jpeg2000
