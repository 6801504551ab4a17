// Planes as decoders give them, against pixels: where nothing is subsampled nor converted they are the same
// bytes. Subsampled ones are compared with the library in jpeg/tile_test.cc, and as pixels in read/gpu.
#include "microtome/codec/planes.h"

#include <gtest/gtest.h>

#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

/// Samples of planes that are all as large as the picture, interleaved.
ByteVector interleaved(const PlaneLayout& layout, const ByteVector& room) {
  ByteVector pixels;
  for (int64_t y = 0; y < layout.size.h; ++y)
    for (int64_t x = 0; x < layout.size.w; ++x)
      for (size_t i = 0; i < layout.planes; ++i)
        pixels.push_back(
            room[layout.offset(i) + static_cast<size_t>(y) * layout.pitch(i) + static_cast<size_t>(x)]);
  return pixels;
}

bool is_jpeg(const TileFormat& format) {
  return format.compression == Compression::jpeg || format.compression == Compression::old_jpeg;
}

TEST(Planes, OfWholeSamplesAreThePixels) {
  int compared = 0;
  for (const Fixture& each : fixtures()) {
    const auto decoder = make_decoder(each.format);
    const auto layout = decoder->plane_layout(each.packed, each.format);
    if (!layout) continue;
    EXPECT_TRUE(is_jpeg(each.format)) << each.name;
    EXPECT_EQ(layout->size, each.format.size) << each.name;
    EXPECT_EQ(layout->planes, each.format.samples) << each.name;
    ByteVector room(layout->bytes());
    const auto decoded = decoder->decode_planes(each.packed, each.format, room);
    ASSERT_TRUE(decoded) << each.name;
    EXPECT_EQ(decoded->bytes(), layout->bytes()) << each.name;
    EXPECT_EQ(decoder->decoded_by().own, 1u) << each.name;
    if (each.format.color == Color::ycbcr) continue;
    EXPECT_EQ(interleaved(*decoded, room), each.pixels) << each.name;
    ++compared;
  }
  EXPECT_GE(compared, 2);  // one component and three
}

TEST(Planes, NeedTheirRoom) {
  for (const Fixture& each : fixtures()) {
    const auto decoder = make_decoder(each.format);
    const auto layout = decoder->plane_layout(each.packed, each.format);
    if (!layout) continue;
    ByteVector room(layout->bytes() - 1, std::byte{0x5A});
    EXPECT_FALSE(decoder->decode_planes(each.packed, each.format, room)) << each.name;
    EXPECT_EQ(room, ByteVector(room.size(), std::byte{0x5A})) << each.name;
  }
}

TEST(Planes, AreDeclinedWhereAnotherDecoderHasTheSay) {
  const auto is_declined = [](const ByteVector& packed, const TileFormat& format) {
    const auto decoder = make_decoder(format);
    ByteVector room(1 << 20);
    return !decoder->plane_layout(packed, format) && !decoder->decode_planes(packed, format, room);
  };
  int seen = 0;
  for (const Fixture& each : fixtures()) {
    if (!make_decoder(each.format)->plane_layout(each.packed, each.format)) continue;
    ++seen;
    TileFormat larger = each.format;
    larger.size.w += 8;
    EXPECT_TRUE(is_declined(each.packed, larger)) << each.name;
    TileFormat deeper = each.format;
    deeper.bits = 12;
    EXPECT_TRUE(is_declined(each.packed, deeper)) << each.name;
    TileFormat more = each.format;
    ++more.samples;
    EXPECT_TRUE(is_declined(each.packed, more)) << each.name;
    EXPECT_TRUE(is_declined({each.packed.begin(), each.packed.begin() + 20}, each.format)) << each.name;
  }
  EXPECT_GE(seen, 2);
}

TEST(Planes, OfAStreamThatEndsEarlyAreDeclined) {
  for (const Fixture& each : fixtures()) {
    const auto decoder = make_decoder(each.format);
    const auto layout = decoder->plane_layout(each.packed, each.format);
    if (!layout) continue;
    ByteVector room(layout->bytes());
    const ByteVector cut(each.packed.begin(), each.packed.end() - static_cast<std::ptrdiff_t>(40));
    EXPECT_FALSE(decoder->decode_planes(cut, each.format, room)) << each.name;
    EXPECT_TRUE(decoder->decode_planes(each.packed, each.format, room)) << each.name;  // reusable after it
  }
}

}  // namespace
}  // namespace microtome::test
