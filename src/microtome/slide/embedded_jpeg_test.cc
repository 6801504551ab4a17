#include "microtome/slide/embedded_jpeg.h"

#include <gtest/gtest.h>

#include <string>

#include "microtome/base/error_for_test.h"

namespace microtome {
namespace {

std::string decoded(std::string_view text) {
  const auto bytes = decode_base64(text);
  if (!bytes.ok()) return bytes.error().to_string();
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

// RFC 4648 section 10.
TEST(Base64, KnownAnswers) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("Zg=="), "f");
  EXPECT_EQ(decoded("Zm8="), "fo");
  EXPECT_EQ(decoded("Zm9v"), "foo");
  EXPECT_EQ(decoded("Zm9vYg=="), "foob");
  EXPECT_EQ(decoded("Zm9vYmE="), "fooba");
  EXPECT_EQ(decoded("\n Zm9v\r\n\tYmFy "), "foobar");
  EXPECT_EQ(decoded("!!Zm9v-"), "foo");
  EXPECT_EQ(decoded("+/+/"), "\xFB\xFF\xBF");
}

TEST(Base64, WhatIsNoneIsCorrupt) {
  EXPECT_EQ(decoded("Zm9"), "corrupt: base64: it ends within a group of four");
  EXPECT_EQ(decoded("Zg==Zg=="), "corrupt: base64: it goes on behind its padding");
  EXPECT_EQ(decoded("Z==="), "corrupt: base64: 3 characters of padding, expected at most 2");
  EXPECT_EQ(decoded("===="), "corrupt: base64: 4 characters of padding, expected at most 2");
}

std::string segment(int marker, std::string_view body) {
  const size_t length = body.size() + 2;
  return std::string{'\xFF', static_cast<char>(marker), static_cast<char>(length >> 8),
                     static_cast<char>(length)} +
         std::string(body);
}

std::string frame(int h, int w, std::string_view ids, int bits = 8) {
  std::string body{static_cast<char>(bits),   static_cast<char>(h >> 8), static_cast<char>(h),
                   static_cast<char>(w >> 8), static_cast<char>(w),      static_cast<char>(ids.size())};
  for (const char id : ids) body += std::string{id, 0x11, 0};
  return body;
}

Result<std::unique_ptr<TileGrid>> grid_of(const std::string& stream, uint64_t offset = 9) {
  return make_jpeg_grid(std::as_bytes(std::span(stream)), offset);
}

std::string stream_error(const std::string& stream) {
  return error_text(grid_of(stream));
}

const std::string kStart = "\xFF\xD8";
const std::string kJfif = segment(0xE0, std::string_view("JFIF\0\1\1\0\0\1\0\1\0\0", 14));
std::string adobe(char transform) {
  return segment(0xEE, std::string("Adobe\0\x64\0\0\0\0", 11) + transform);
}

TEST(EmbeddedJpeg, IsOneTile) {
  const auto grid =
      grid_of(kStart + kJfif + segment(0xDB, "tables") + segment(0xC0, frame(300, 515, "\1\2\3")));
  ASSERT_TRUE(grid.ok()) << grid.error().to_string();
  const TileGrid& g = **grid;
  EXPECT_EQ(g.size, (Size{515, 300}));
  EXPECT_EQ(g.tile, g.size);
  EXPECT_EQ(g.cols * g.rows, 1);
  EXPECT_EQ(g.format.compression, Compression::jpeg);
  EXPECT_EQ(g.format.samples, 3);
  EXPECT_EQ(g.offsets.at(0).value(), 9u);
  EXPECT_EQ(g.byte_counts.at(0).value(), kStart.size() + kJfif.size() + (4 + 6) + (4 + 15));
}

// libjpeg.txt, "Special color spaces".
TEST(EmbeddedJpeg, ColoursAreThoseThatLibjpegWouldTake) {
  const struct {
    std::string markers, ids;
    Color color;
  } rows[] = {
      {kJfif, "\1\2\3", Color::ycbcr},
      {kJfif + adobe(0), "\1\2\3", Color::ycbcr},
      {adobe(0), "\1\2\3", Color::rgb},
      {adobe(1), "\1\2\3", Color::ycbcr},
      {"", "\1\2\3", Color::ycbcr},
      {"", "RGB", Color::rgb},
      {kJfif, "RGB", Color::ycbcr},
      {"", "abc", Color::ycbcr},
      {segment(0xEE, "Adobe"), "RGB", Color::rgb},
      {kJfif, "\1", Color::black_is_zero},
  };
  for (const auto& row : rows) {
    for (const int sof : {0xC0, 0xC1, 0xC2}) {
      const auto grid = grid_of(kStart + row.markers + segment(sof, frame(4, 4, row.ids)));
      ASSERT_TRUE(grid.ok()) << grid.error().to_string();
      EXPECT_EQ((*grid)->format.color, row.color) << (&row - rows);
      EXPECT_EQ((*grid)->format.samples, row.ids.size());
    }
  }
}

TEST(EmbeddedJpeg, WhatIsNoneIsRefused) {
  EXPECT_EQ(stream_error(""), "corrupt: not a JPEG stream");
  EXPECT_EQ(stream_error("\x89PNG"), "corrupt: not a JPEG stream");
  EXPECT_EQ(stream_error(kStart + "text"), "corrupt: jpeg: expected a marker before the frame header");
  EXPECT_EQ(stream_error(kStart + segment(0xC0, frame(4, 4, "\1\2\3\4"))),
            "unsupported: jpeg: 4 components of 8 bits, expected 1 or 3 of 8");
  EXPECT_EQ(stream_error(kStart + segment(0xC1, frame(4, 4, "\1", 12))),
            "unsupported: jpeg: 1 components of 12 bits, expected 1 or 3 of 8");
  EXPECT_EQ(stream_error(kStart + segment(0xC0, frame(0, 4, "\1"))),
            "corrupt: image size 4x0, expected 1 to 2147483647 each way");
  EXPECT_EQ(stream_error(kStart + segment(0xC0, frame(65535, 65535, "\1\2\3"))),
            "unsupported: a tile of 65535x65535 pixels of 3 uint8 samples; a tile may decode to at most "
            "2147483648 bytes");
  EXPECT_EQ(stream_error(kStart + segment(0xC0, frame(4, 4, "\1\2\3").substr(0, 8))),
            "corrupt: jpeg: a frame header of 8 bytes");
}

TEST(EmbeddedJpeg, CutAnywhereBeforeTheEndOfItsFrameHeaderItIsCorrupt) {
  const std::string whole =
      kStart + kJfif + "\xFF" + segment(0xC4, "t") + segment(0xC2, frame(4, 4, "\1\2\3"));
  EXPECT_EQ(stream_error(whole), "ok");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(stream_error(whole.substr(0, size)).substr(0, 8), "corrupt:") << size;
}

}  // namespace
}  // namespace microtome
