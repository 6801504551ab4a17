// What stored samples look like. Expected values are those of the note in rgb.h, by hand.
#include "microtome/codec/rgb.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

/// The RGB form of a tile of one row, whose samples are `stored` without packing.
template <class T>
Result<ByteVector> shown(TileFormat stored, const std::vector<T>& samples, Alpha alpha = Alpha::none,
                         std::vector<uint16_t> color_map = {}) {
  ByteVector packed(samples.size() * sizeof(T));
  std::memcpy(packed.data(), samples.data(), packed.size());
  stored.size = {static_cast<int64_t>(samples.size()) / stored.samples, 1};
  TileFormat format = stored;
  format.samples = 3;
  format.type = SampleType::u8;
  format.bits = 8;
  format.color = Color::rgb;
  format.rgb_form = std::make_shared<const RgbForm>(RgbForm{stored, alpha, std::move(color_map)});
  RgbDecoder decoder(make_decoder(stored));
  return decode(decoder, packed, format, whole(format));
}

TileFormat stored(Color color, uint16_t samples, SampleType type = SampleType::u8, uint16_t bits = 0) {
  TileFormat format = grey(Compression::none, 1, 1);
  format.color = color;
  format.samples = samples;
  format.type = type;
  format.bits = bits != 0 ? bits : static_cast<uint16_t>(8 * sample_bytes(type));
  return format;
}

TEST(Rgb, GreyGoesToAllThree) {
  EXPECT_EQ(*shown<uint8_t>(stored(Color::black_is_zero, 1), {0, 7, 255}),
            bytes({0, 0, 0, 7, 7, 7, 255, 255, 255}));
  EXPECT_EQ(*shown<uint8_t>(stored(Color::white_is_zero, 1), {0, 7}), bytes({255, 255, 255, 248, 248, 248}));
}

TEST(Rgb, MoreBitsAreScaledAndRounded) {
  using S = SampleType;
  EXPECT_EQ(*shown<uint16_t>(stored(Color::rgb, 3, S::u16), {0, 128, 129}), bytes({0, 0, 1}));
  EXPECT_EQ(*shown<uint16_t>(stored(Color::rgb, 3, S::u16), {65535, 65407, 65406}), bytes({255, 255, 254}));
  EXPECT_EQ(*shown<uint32_t>(stored(Color::rgb, 3, S::u32), {0, 0x80000000u, 0xFFFFFFFFu}),
            bytes({0, 128, 255}));
  EXPECT_EQ(*shown<uint64_t>(stored(Color::white_is_zero, 1, S::u64), {UINT64_MAX, 0}),
            bytes({0, 0, 0, 255, 255, 255}));
}

TEST(Rgb, FewerBitsReachWhiteToo) {
  TileFormat nibbles = stored(Color::black_is_zero, 1, SampleType::u8, 4);
  nibbles.samples = 1;
  const auto pixels = shown<uint8_t>(nibbles, {0xF1});
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, bytes({255, 255, 255}));  // the row has one pixel
  EXPECT_EQ(*shown<uint8_t>(stored(Color::mask, 1, SampleType::u8, 1), {0x80}), bytes({255, 255, 255}));
}

TEST(Rgb, PalettesAreLookedUp) {
  std::vector<uint16_t> map(3 * 256);
  map[9] = 65535;            // red of 9
  map[256 + 9] = 257 * 100;  // green
  map[512 + 9] = 128;        // blue
  EXPECT_EQ(*shown<uint8_t>(stored(Color::palette, 1), {9, 0}, Alpha::none, map),
            bytes({255, 100, 0, 0, 0, 0}));
  EXPECT_EQ(error_text(shown<uint8_t>(stored(Color::palette, 1), {9}, Alpha::none, {1, 2, 3})),
            "unsupported: palette indices of 8 bits as RGB: the color map has 3 values");
}

TEST(Rgb, AlphaIsComposedOverWhite) {
  EXPECT_EQ(*shown<uint8_t>(stored(Color::rgb, 4), {10, 100, 200, 0, 10, 100, 200, 51}, Alpha::straight),
            bytes({255, 255, 255, 206, 224, 244}));
  EXPECT_EQ(*shown<uint8_t>(stored(Color::rgb, 4), {10, 20, 51, 51, 0, 0, 255, 200}, Alpha::associated),
            bytes({214, 224, 255, 55, 55, 255}));
  EXPECT_EQ(*shown<uint8_t>(stored(Color::black_is_zero, 2), {0, 0, 0, 255, 100, 128}, Alpha::straight),
            bytes({255, 255, 255, 0, 0, 0, 177, 177, 177}));
  EXPECT_EQ(*shown<uint16_t>(stored(Color::rgb, 4, SampleType::u16), {0, 0, 65535, 32768}, Alpha::straight),
            bytes({127, 127, 255}));
}

TEST(Rgb, OtherExtraSamplesAreLeftOut) {
  EXPECT_EQ(*shown<uint8_t>(stored(Color::rgb, 5), {1, 2, 3, 4, 5}), bytes({1, 2, 3}));
}

TEST(Rgb, WhatHasNoSuchFormIsNamed) {
  EXPECT_EQ(error_text(shown<uint8_t>(stored(Color::cmyk, 4), {1, 2, 3, 4})),
            "unsupported: CMYK as RGB; channels=\"stored\" gives the samples");
  EXPECT_EQ(error_text(shown<float>(stored(Color::rgb, 3, SampleType::f32), {1, 2, 3})),
            "unsupported: samples of float32 as RGB of 8 bits; channels=\"stored\" gives the samples");
  EXPECT_EQ(error_text(shown<uint8_t>(stored(Color::rgb, 2), {1, 2})),
            "corrupt: RGB with 2 samples, expected at least 3");
}

}  // namespace
}  // namespace microtome::test
