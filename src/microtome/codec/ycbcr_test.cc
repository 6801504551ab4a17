// YCbCr without a codec that knows of it. What libtiff makes of such files stands in
// tests/python/test_ycbcr.py.
#include "microtome/codec/ycbcr.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

TileFormat ycbcr(int64_t w, int64_t h, uint8_t across, uint8_t down) {
  TileFormat format = grey(Compression::none, w, h);
  format.color = Color::ycbcr;
  format.samples = 3;
  format.ycbcr.across = across;
  format.ycbcr.down = down;
  return format;
}

std::array<int, 3> pixel(const ByteVector& pixels, size_t number) {
  const auto at = [&](size_t i) { return std::to_integer<int>(pixels[3 * number + i]); };
  return {at(0), at(1), at(2)};
}

TEST(YCbCr, IsWithinOneOfTheSpecificationsFormula) {
  const TileFormat format = ycbcr(1, 1, 1, 1);
  const auto decoder = make_decoder(format);
  for (int y = 0; y < 256; y += 15) {
    for (int cb = 0; cb < 256; cb += 17) {
      for (int cr = 0; cr < 256; cr += 17) {
        const auto pixels = decode(*decoder, bytes({y, cb, cr}), format, whole(format));
        ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
        const double red = y + (cr - 128) * (2 - 2 * 0.299), blue = y + (cb - 128) * (2 - 2 * 0.114);
        const double green = (y - 0.299 * red - 0.114 * blue) / 0.587;
        const double expected[] = {red, green, blue};
        for (size_t c = 0; c < 3; ++c)
          ASSERT_NEAR(pixel(*pixels, 0)[c], std::clamp(expected[c], 0.0, 255.0), 0.51)
              << y << " " << cb << " " << cr;
      }
    }
  }
}

// Section 21's order: the luma of a unit row by row, then its chroma; units are whole at the edges.
TEST(YCbCr, DataUnitsAreAcrossThenDown) {
  const TileFormat format = ycbcr(3, 3, 2, 2);
  const auto packed = bytes({10, 20, 40, 50, 128, 128, 30, 0, 60, 0, 128, 128,  //
                             70, 80, 0,  0,  128, 128, 90, 0, 0,  0, 128, 128});
  const auto pixels = decode(packed, format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  for (size_t i = 0; i < 9; ++i) {
    const int grey = 10 * (static_cast<int>(i) + 1);
    EXPECT_EQ(pixel(*pixels, i), (std::array{grey, grey, grey})) << i;
  }
}

TEST(YCbCr, ChromaIsRepeatedOverItsUnit) {
  const TileFormat format = ycbcr(4, 1, 4, 1);
  const auto pixels = decode(bytes({100, 100, 100, 100, 128, 228}), format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(pixel(*pixels, i), (std::array{240, 29, 100}));
}

TEST(YCbCr, ReferenceCodesAreBlackAndWhite) {
  TileFormat format = ycbcr(3, 1, 1, 1);
  format.ycbcr.reference = {16, 235, 128, 240, 128, 240};
  const auto pixels = decode(bytes({16, 128, 128, 235, 128, 128, 0, 128, 128}), format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(pixel(*pixels, 0), (std::array{0, 0, 0}));
  EXPECT_EQ(pixel(*pixels, 1), (std::array{255, 255, 255}));
  EXPECT_EQ(pixel(*pixels, 2), (std::array{0, 0, 0}));
}

TEST(YCbCr, TheHorizontalPredictorIsUndoneWithoutSubsampling) {
  TileFormat format = ycbcr(3, 1, 1, 1);
  format.predictor = Predictor::horizontal;
  const auto pixels = decode(bytes({10, 128, 128, 5, 0, 0, 5, 0, 0}), format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(pixel(*pixels, 2), (std::array{20, 20, 20}));
  const auto part =
      decode(*make_decoder(format), bytes({10, 128, 128, 5, 0, 0, 5, 0, 0}), format, {1, 0, 1, 1});
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(pixel(*part, 0), (std::array{15, 15, 15}));
}

TEST(YCbCr, WhatIsNotDecodedIsNamed) {
  const auto message = [](const auto& change) {
    TileFormat format = ycbcr(2, 2, 2, 2);
    change(format);
    return error_text(decode(ByteVector(64), format));
  };
  using F = TileFormat;
  EXPECT_EQ(message([](F& f) { f.ycbcr.across = 3; }),
            "unsupported: raw: YCbCrSubSampling 3, 2, expected 1, 2 or 4");
  EXPECT_EQ(message([](F& f) { f.samples = 4; }),
            "unsupported: raw: YCbCr of 4 samples of 8 bits without JPEG, expected 3 of 8");
  EXPECT_EQ(message([](F& f) { f.predictor = Predictor::horizontal; }),
            "unsupported: raw: a predictor with subsampled YCbCr");
  EXPECT_EQ(message([](F& f) {
              f.ycbcr.luma = {0.5F, 0, 0.5F};
            }),
            "corrupt: raw: YCbCrCoefficients 0.5, 0, 0.5, expected shares of red, green and blue");
  EXPECT_EQ(message([](F& f) { f.ycbcr.reference[2] = std::numeric_limits<float>::quiet_NaN(); }),
            "corrupt: raw: ReferenceBlackWhite with a value that is no code");
}

TEST(YCbCr, CutUnitsAreAnErrorWithNumbers) {
  EXPECT_EQ(error_text(decode(ByteVector(11), ycbcr(3, 2, 2, 2))),
            "corrupt: raw: 11 bytes cannot hold the 2 rows of 6 bytes that are needed");
}

}  // namespace
}  // namespace microtome::test
