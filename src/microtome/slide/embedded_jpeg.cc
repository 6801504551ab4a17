#include "microtome/slide/embedded_jpeg.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/slide/grid.h"

namespace microtome {
namespace {

constexpr uint8_t kNoDigit = 64;

constexpr std::array<uint8_t, 256> kDigits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return digits;
}();

/// Where a JPEG stream is being read; every step is checked against its end.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool has(size_t count) const noexcept { return bytes_.size() - at_ >= count; }
  uint8_t u8() noexcept { return std::to_integer<uint8_t>(bytes_[at_++]); }
  uint16_t u16() noexcept {
    const uint8_t high = u8();
    return static_cast<uint16_t>(high << 8 | u8());
  }
  std::span<const std::byte> take(size_t count) noexcept {
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

/// What the segments before the frame say about colours.
struct Markers {
  bool jfif = false;
  std::optional<uint8_t> adobe_transform;
};

bool begins(std::span<const std::byte> segment, std::string_view with) noexcept {
  if (segment.size() < with.size()) return false;
  for (size_t i = 0; i < with.size(); ++i)
    if (std::to_integer<char>(segment[i]) != with[i]) return false;
  return true;
}

void note_application(uint8_t marker, std::span<const std::byte> segment, Markers& markers) {
  constexpr size_t kAdobeTransform = 11;
  if (marker == 0xE0 && begins(segment, std::string_view("JFIF\0", 5))) markers.jfif = true;
  if (marker == 0xEE && begins(segment, "Adobe") && segment.size() > kAdobeTransform)
    markers.adobe_transform = std::to_integer<uint8_t>(segment[kAdobeTransform]);
}

/// Of three components: RGB where the stream says so, YCbCr otherwise.
Color color_of(const Markers& markers, const std::array<uint8_t, 3>& ids) {
  if (markers.jfif) return Color::ycbcr;
  if (markers.adobe_transform) return *markers.adobe_transform == 0 ? Color::rgb : Color::ycbcr;
  return ids == std::array<uint8_t, 3>{'R', 'G', 'B'} ? Color::rgb : Color::ycbcr;
}

/// `frame`: a frame header (T.81 B.2.2) behind its length.
Result<std::unique_ptr<TileGrid>> make_grid(std::span<const std::byte> frame, const Markers& markers) {
  constexpr size_t kFixed = 6, kPerComponent = 3;
  Reader reader(frame);
  if (!reader.has(kFixed)) return corrupt("jpeg: a frame header of {} bytes", frame.size());
  const uint8_t bits = reader.u8();
  const int64_t h = reader.u16(), w = reader.u16();
  const uint8_t components = reader.u8();
  if (bits != 8 || (components != 1 && components != 3))
    return unsupported("jpeg: {} components of {} bits, expected 1 or 3 of 8", components, bits);
  if (!reader.has(components * kPerComponent))
    return corrupt("jpeg: a frame header of {} bytes", frame.size());
  auto grid = std::make_unique<TileGrid>();
  grid->format.compression = Compression::jpeg;
  grid->format.samples = components;
  grid->format.color = Color::black_is_zero;
  if (components == 3) {
    std::array<uint8_t, 3> ids{};
    for (uint8_t& id : ids) id = std::to_integer<uint8_t>(reader.take(kPerComponent)[0]);
    grid->format.color = color_of(markers, ids);
  }
  MICROTOME_TRY(set_geometry(*grid, {w, h}, {w, h}));
  return grid;
}

/// Reads segments up to the frame header.
Result<std::unique_ptr<TileGrid>> read_header(std::span<const std::byte> stream) {
  Reader reader(stream);
  if (!reader.has(2) || reader.u16() != 0xFFD8) return corrupt("not a JPEG stream");
  Markers markers;
  while (reader.has(4)) {
    if (reader.u8() != 0xFF) return corrupt("jpeg: expected a marker before the frame header");
    uint8_t marker = reader.u8();
    while (marker == 0xFF && reader.has(3)) marker = reader.u8();  // fill bytes
    const size_t length = reader.u16();
    if (length < 2 || !reader.has(length - 2)) break;
    const auto segment = reader.take(length - 2);
    const bool is_frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame) return make_grid(segment, markers);
    note_application(marker, segment, markers);
  }
  return corrupt("jpeg: it ends before its frame header");
}

}  // namespace

Result<std::vector<std::byte>> decode_base64(std::string_view text) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t group = 0;
  int digits = 0, padding = 0;
  for (const char c : text) {
    const uint8_t digit = c == '=' ? 0 : kDigits[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) continue;
    if (c != '=' && padding > 0) return corrupt("base64: it goes on behind its padding");
    padding += c == '=';
    group = group << 6 | digit;
    if (++digits < 4) continue;
    if (padding > 2) return corrupt("base64: {} characters of padding, expected at most 2", padding);
    for (int i = 0; i < 3 - padding; ++i) bytes.push_back(static_cast<std::byte>(group >> (16 - 8 * i)));
    group = 0;
    digits = 0;
  }
  if (digits != 0) return corrupt("base64: it ends within a group of four");
  return bytes;
}

Result<std::unique_ptr<TileGrid>> make_jpeg_grid(std::span<const std::byte> stream, uint64_t offset) {
  MICROTOME_ASSIGN(auto grid, read_header(stream));
  grid->offsets = tiff::LazyArray::of({offset});
  grid->byte_counts = tiff::LazyArray::of({stream.size()});
  return grid;
}

}  // namespace microtome
