#include "microtome/codec/fixtures_for_test.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace microtome::test {
namespace {

ByteVector from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  ByteVector bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::byte>(bits >> count));
    }
  }
  return bytes;
}

struct Row {
  const char* name;
  Compression compression;
  Color color;
  Predictor predictor;
  SampleType type;
  uint16_t samples;
  uint16_t bits;  // 0: all that the type has
  bool big_endian, lsb_first;
  Size size;
  int tolerance;
  std::string_view tables, packed, pixels;
  uint8_t across = 1, down = 1;  // of YCbCr whose codec knows nothing of it
};

constexpr Row kRows[] = {
#include "microtome/codec/conformance_fixtures.inc"
};

}  // namespace

const std::vector<Fixture>& fixtures() {
  static const std::vector<Fixture> all = [] {
    std::vector<Fixture> result;
    for (const Row& row : kRows) {
      const auto tables = std::make_shared<const ByteVector>(from_base64(row.tables));
      TileFormat format;
      format.compression = row.compression;
      format.color = row.color;
      format.predictor = row.predictor;
      format.type = row.type;
      format.samples = row.samples;
      format.bits = row.bits > 0 ? row.bits : static_cast<uint16_t>(8 * sample_bytes(row.type));
      format.lsb_first = row.lsb_first;
      format.big_endian = row.big_endian;
      format.size = row.size;
      format.ycbcr.across = row.across;
      format.ycbcr.down = row.down;
      format.tables = {*tables, tables};
      result.push_back({row.name, format, row.tolerance, from_base64(row.packed), from_base64(row.pixels)});
    }
    return result;
  }();
  return all;
}

const Fixture& fixture(std::string_view name) {
  const auto& all = fixtures();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Fixture& f) { return f.name == name; });
  if (found == all.end()) {
    std::fprintf(stderr, "no fixture named %.*s\n", static_cast<int>(name.size()), name.data());
    std::abort();
  }
  return *found;
}

std::unique_ptr<Decoder> make_decoder(const TileFormat& format) {
  return (*find_codec(format).value()->make)().value();
}

Result<ByteVector> decode(Decoder& decoder, std::span<const std::byte> packed, const TileFormat& format,
                          const Rect& region, int reduce) {
  ImageView view{nullptr, region.size(), 0, format.samples, format.type};
  view.row_stride = static_cast<int64_t>(view.row_bytes());
  ByteVector pixels(view.row_bytes() * static_cast<size_t>(region.h), std::byte{0xA5});
  view.data = pixels.data();
  const TilePart part{region, view};
  const Want want{{&part, 1}, Stores::cached, static_cast<uint8_t>(reduce)};
  if (Status status = decoder.decode(packed, format, want); !status.ok()) return status.error();
  return pixels;
}

Result<ByteVector> decode(std::span<const std::byte> packed, const TileFormat& format) {
  return decode(*make_decoder(format), packed, format, whole(format));
}

TileFormat grey(Compression compression, int64_t width, int64_t height) {
  TileFormat format;
  format.compression = compression;
  format.color = Color::black_is_zero;
  format.samples = 1;
  format.size = {width, height};
  return format;
}

ByteVector bytes(std::initializer_list<int> values) {
  ByteVector result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

ByteVector noise(size_t size, uint32_t values) {
  std::mt19937 random(5);
  ByteVector result(size);
  for (std::byte& b : result) b = static_cast<std::byte>(random() % values);
  return result;
}

ByteVector crop(const ByteVector& pixels, const TileFormat& format, const Rect& region) {
  const size_t pixel = format.samples * sample_bytes(format.type),
               row = static_cast<size_t>(format.size.w) * pixel;
  ByteVector part;
  for (int64_t y = region.y; y < region.bottom(); ++y) {
    const auto first = pixels.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(y) * row +
                                                               static_cast<size_t>(region.x) * pixel);
    part.insert(part.end(), first, first + static_cast<ptrdiff_t>(static_cast<size_t>(region.w) * pixel));
  }
  return part;
}

}  // namespace microtome::test
