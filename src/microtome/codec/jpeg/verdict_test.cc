// Who decodes a JPEG tile, and that it makes no difference. Pixels are compared with libjpeg-turbo in
// differential_test.cc.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

// Decoders that are made while it lives leave everything to the library.
class LibraryOnly {
 public:
  LibraryOnly() { setenv("MICROTOME_JPEG", "library", 1); }
  ~LibraryOnly() { unsetenv("MICROTOME_JPEG"); }
};

std::unique_ptr<Decoder> make_library_only(const TileFormat& format) {
  const LibraryOnly setting;
  return make_decoder(format);
}

std::vector<const Fixture*> jpeg_fixtures() {
  std::vector<const Fixture*> found;
  for (const Fixture& f : fixtures()) {
    if (f.format.compression == Compression::jpeg) found.push_back(&f);
  }
  return found;
}

TEST(JpegVerdict, OurDecoderTakesPlainTilesAndLeavesOthers) {
  for (const Fixture* f : jpeg_fixtures()) {
    const bool plain = f->name.find("progressive") == std::string::npos;
    const auto decoder = make_decoder(f->format);
    for (uint64_t i = 1; i <= 3; ++i) {
      const auto pixels = decode(*decoder, f->packed, f->format, whole(f->format));
      ASSERT_TRUE(pixels.ok()) << f->name;
      EXPECT_EQ(*pixels, f->pixels) << f->name;
      EXPECT_EQ(decoder->decoded_by().own, plain ? i : 0) << f->name;
      EXPECT_EQ(decoder->decoded_by().library, plain ? 0 : i) << f->name;
    }
  }
  EXPECT_GE(jpeg_fixtures().size(), 9u);
}

TEST(JpegVerdict, OurDecoderCanBeTurnedOff) {
  for (const Fixture* f : jpeg_fixtures()) {
    const auto decoder = make_library_only(f->format);
    const auto pixels = decode(*decoder, f->packed, f->format, whole(f->format));
    ASSERT_TRUE(pixels.ok()) << f->name;
    EXPECT_EQ(*pixels, f->pixels) << f->name;
    EXPECT_EQ(decoder->decoded_by().own, 0u) << f->name;
    EXPECT_EQ(decoder->decoded_by().library, 1u) << f->name;
  }
  const Codec& codec = *find_codec(jpeg_fixtures()[0]->format).value();
  EXPECT_NE(codec.version().find("built in"), std::string::npos) << codec.version();
  const LibraryOnly setting;
  EXPECT_EQ(codec.version().find("built in"), std::string::npos) << codec.version();
}

TEST(JpegVerdict, ErrorsAreTheLibrarys) {
  for (const Fixture* f : jpeg_fixtures()) {
    const auto decoder = make_decoder(f->format), library = make_library_only(f->format);
    for (size_t size = 0; size < f->packed.size(); size += 7) {
      const std::span<const std::byte> part = std::span(f->packed).first(size);
      const auto found = decode(*decoder, part, f->format, whole(f->format));
      const auto expected = decode(*library, part, f->format, whole(f->format));
      ASSERT_EQ(found.ok(), expected.ok()) << f->name << " " << size;
      if (!found.ok()) {
        EXPECT_EQ(found.error().to_string(), expected.error().to_string()) << f->name << " " << size;
      }
    }
    EXPECT_GT(decoder->decoded_by().library, f->packed.size() / 7 / 2) << f->name;
    // What broken tiles left behind harms none that follow.
    const auto pixels = decode(*decoder, f->packed, f->format, whole(f->format));
    ASSERT_TRUE(pixels.ok()) << f->name;
    EXPECT_EQ(*pixels, f->pixels) << f->name;
  }
}

TEST(JpegVerdict, ChangedBytesGiveTheLibrarysAnswer) {
  std::mt19937 random(5);
  uint64_t own = 0;
  for (const Fixture* f : jpeg_fixtures()) {
    const auto decoder = make_decoder(f->format), library = make_library_only(f->format);
    for (int round = 0; round < 500; ++round) {
      ByteVector changed = f->packed;
      changed[random() % changed.size()] = static_cast<std::byte>(random());
      const Size size = f->format.size;
      const auto side = [&](int64_t limit) { return 1 + static_cast<int64_t>(random()) % limit; };
      const Rect region = round % 2 == 0 ? whole(f->format) : Rect{0, 0, side(size.w), side(size.h)};
      const auto found = decode(*decoder, changed, f->format, region);
      const auto expected = decode(*library, changed, f->format, region);
      ASSERT_EQ(found.ok(), expected.ok()) << f->name << " round " << round;
      if (found.ok()) {
        EXPECT_EQ(*found, *expected) << f->name << " round " << round;
      } else {
        EXPECT_EQ(found.error().to_string(), expected.error().to_string()) << f->name << " round " << round;
      }
    }
    own += decoder->decoded_by().own;
  }
  EXPECT_GT(own, 500u);
}

// The picture may be larger than the tile says, and smaller where that part is not asked for.
TEST(JpegVerdict, SizesThatDifferFromTheTiles) {
  const Fixture& f = fixture("jpeg_ycbcr_420");
  const Size size = f.format.size;
  TileFormat smaller = f.format, larger = f.format;
  smaller.size = {size.w - 5, size.h - 3};
  larger.size = {size.w + 5, size.h + 3};
  const auto decoder = make_decoder(f.format);
  for (const TileFormat& format : {smaller, larger}) {
    const Rect region{1, 1, size.w - 7, size.h - 5};
    const auto pixels = decode(*decoder, f.packed, format, region);
    ASSERT_TRUE(pixels.ok());
    EXPECT_EQ(*pixels, crop(f.pixels, f.format, region));
  }
  EXPECT_EQ(decoder->decoded_by().own, 2u);
  const auto beyond = decode(*decoder, f.packed, larger, whole(larger));
  ASSERT_FALSE(beyond.ok());
  EXPECT_NE(beyond.error().message.find("do not cover"), std::string::npos) << beyond.error().message;
  EXPECT_EQ(decoder->decoded_by().library, 1u);
}

}  // namespace
}  // namespace microtome::test
