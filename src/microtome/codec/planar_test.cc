// Samples stored apart. Each sample's tile is a fixture of one sample, whose pixels are known.
#include "microtome/codec/planar.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

ByteVector joined(std::initializer_list<ByteVector> planes) {
  ByteVector packed(plane_bytes::head(planes.size()));
  size_t number = 0;
  for (const ByteVector& plane : planes) {
    plane_bytes::write_size(packed, number++, plane.size());
    packed.insert(packed.end(), plane.begin(), plane.end());
  }
  return packed;
}

TileFormat planar_format(const Fixture& one, uint16_t samples) {
  TileFormat format = one.format;
  format.samples = samples;
  format.planar = true;
  return format;
}

// The same plane as every sample.
ByteVector expected_pixels(const Fixture& one, size_t samples) {
  const size_t width = sample_bytes(one.format.type), count = one.pixels.size() / width;
  ByteVector pixels(one.pixels.size() * samples);
  for (size_t i = 0; i < count; ++i) {
    for (size_t s = 0; s < samples; ++s)
      std::memcpy(pixels.data() + (i * samples + s) * width, one.pixels.data() + i * width, width);
  }
  return pixels;
}

TEST(Planar, SamplesOfEveryCodecAndTypeArePutTogether) {
  size_t count = 0;
  for (const Fixture& one : fixtures()) {
    if (one.format.samples != 1 || one.tolerance != 0) continue;
    ++count;
    const TileFormat format = planar_format(one, 3);
    PlanarDecoder decoder(make_decoder(one.format));
    const ByteVector packed = joined({one.packed, one.packed, one.packed});
    const ByteVector all = expected_pixels(one, 3);
    const Size size = format.size;
    for (const Rect& r :
         {whole(format), Rect{1, 1, size.w - 2, size.h - 2}, Rect{size.w - 1, size.h - 1, 1, 1}}) {
      const auto pixels = decode(decoder, packed, format, r);
      ASSERT_TRUE(pixels.ok()) << one.name << ": " << pixels.error().to_string();
      EXPECT_EQ(*pixels, crop(all, format, r)) << one.name;
    }
  }
  EXPECT_GT(count, 15u);
}

TEST(Planar, EachSampleIsItsOwn) {
  TileFormat raw = fixture("jpeg_grey").format;
  raw.compression = Compression::none;
  raw.size = {2, 1};
  raw.samples = 2;
  raw.planar = true;
  const ByteVector first{std::byte{1}, std::byte{2}}, second{std::byte{3}, std::byte{4}};
  PlanarDecoder decoder(make_decoder(raw));
  const auto pixels = decode(decoder, joined({first, second}), raw, whole(raw));
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, (ByteVector{std::byte{1}, std::byte{3}, std::byte{2}, std::byte{4}}));
}

TEST(Planar, ASamplesErrorIsTheTiles) {
  const Fixture& one = fixture("deflate_old");
  const TileFormat format = planar_format(one, 2);
  PlanarDecoder decoder(make_decoder(one.format));
  const ByteVector half(one.packed.begin(), one.packed.begin() + 9);
  const auto pixels = decode(decoder, joined({one.packed, half}), format, whole(format));
  ASSERT_FALSE(pixels.ok());
  EXPECT_EQ(pixels.error().code, Errc::corrupt);
  EXPECT_EQ(pixels.error().message.find("deflate: "), 0u) << pixels.error().message;
  EXPECT_TRUE(decode(decoder, joined({one.packed, one.packed}), format, whole(format)).ok());
}

TEST(Planar, BytesThatAreNoPlanesAreRefused) {
  const Fixture& one = fixture("deflate_old");
  const TileFormat format = planar_format(one, 2);
  PlanarDecoder decoder(make_decoder(one.format));
  EXPECT_EQ(decode(decoder, ByteVector(15), format, whole(format)).error().code, Errc::internal);
  ByteVector packed = joined({one.packed, one.packed});
  packed.pop_back();
  EXPECT_EQ(decode(decoder, packed, format, whole(format)).error().code, Errc::internal);
  TileFormat ycbcr = format;
  ycbcr.color = Color::ycbcr;
  EXPECT_EQ(decode(decoder, packed, ycbcr, whole(format)).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace microtome::test
