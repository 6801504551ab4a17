#include "microtome/tiff/header.h"

#include <algorithm>
#include <array>

#include "microtome/base/fail.h"
#include "microtome/tiff/byte_order.h"

namespace microtome::tiff {
namespace {

constexpr uint16_t kClassicVersion = 42, kBigVersion = 43;
constexpr size_t kClassicSize = 8, kBigSize = 16;

bool order_mark_is(std::span<const std::byte> head, char mark) noexcept {
  return head[0] == std::byte(mark) && head[1] == std::byte(mark);
}

}  // namespace

bool is_tiff(std::span<const std::byte> head) noexcept {
  if (head.size() < kClassicSize) return false;
  const bool big_endian = order_mark_is(head, 'M');
  if (!big_endian && !order_mark_is(head, 'I')) return false;
  const auto version = load<uint16_t>(head.data() + 2, big_endian);
  return version == kClassicVersion || version == kBigVersion;
}

Result<Header> read_header(const ByteSource& source) {
  std::array<std::byte, kBigSize> buffer{};
  const auto head = std::span(buffer).first(static_cast<size_t>(std::min<uint64_t>(source.size(), kBigSize)));
  if (head.size() < kClassicSize) {
    return corrupt("not a TIFF: {} bytes, expected a header of at least {}", head.size(), kClassicSize);
  }
  MICROTOME_TRY(source.read_at(0, head));
  if (!is_tiff(head)) {
    return corrupt(
        "not a TIFF: begins with {:02x} {:02x} {:02x} {:02x}, expected II or MM and the number 42 or 43",
        head[0], head[1], head[2], head[3]);
  }

  Header header;
  header.big_endian = order_mark_is(head, 'M');
  header.big_tiff = load<uint16_t>(head.data() + 2, header.big_endian) == kBigVersion;
  if (!header.big_tiff) {
    header.first_directory = load<uint32_t>(head.data() + 4, header.big_endian);
    return header;
  }
  // The BigTIFF extension: bytes 4-5 the size of offsets, 6-7 zero, 8-15 the first directory.
  const auto offset_size = load<uint16_t>(head.data() + 4, header.big_endian);
  const auto zero = load<uint16_t>(head.data() + 6, header.big_endian);
  if (offset_size != 8 || zero != 0) {
    return corrupt("BigTIFF header has an offset size of {} followed by {}, expected 8 followed by 0",
                   offset_size, zero);
  }
  if (head.size() < kBigSize) {
    return corrupt("BigTIFF header is cut: {} bytes, expected {}", head.size(), kBigSize);
  }
  header.first_directory = load<uint64_t>(head.data() + 8, header.big_endian);
  return header;
}

}  // namespace microtome::tiff
