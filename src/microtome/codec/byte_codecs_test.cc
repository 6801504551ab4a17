// What is particular to the byte-oriented codecs. The LZW encoder here follows TIFF 6.0 section 13 to the
// letter.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "microtome/base/error_for_test.h"
#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

// Writes codes from the highest bit and widens them one entry early; the old style is from the lowest, and
// not early.
class LzwWriter {
 public:
  explicit LzwWriter(bool old_style) : old_style_(old_style) {}

  void put(uint32_t code, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
      const bool bit = code >> (old_style_ ? i : width - 1 - i) & 1;
      if (used_ % 8 == 0) bytes_.push_back(std::byte{0});
      const unsigned at = old_style_ ? used_ % 8 : 7 - used_ % 8;
      if (bit) bytes_.back() |= static_cast<std::byte>(1u << at);
      ++used_;
    }
  }
  ByteVector take() { return bytes_; }

 private:
  bool old_style_;
  unsigned used_ = 0;
  ByteVector bytes_;
};

ByteVector lzw_encode(const ByteVector& data, bool old_style = false, bool clear_when_full = true) {
  LzwWriter writer(old_style);
  std::map<std::string, uint32_t> table;
  uint32_t next = 258;
  unsigned width = 9;
  const auto code_of = [&](const std::string& s) {
    return s.size() == 1 ? static_cast<uint32_t>(static_cast<unsigned char>(s[0])) : table.at(s);
  };
  writer.put(256, width);
  std::string omega;
  for (const std::byte k : data) {
    const std::string longer = omega + std::to_integer<char>(k);
    if (omega.empty() || table.contains(longer)) {
      omega = longer;
      continue;
    }
    writer.put(code_of(omega), width);
    if (next < 4096) table[longer] = next++;
    const uint32_t limit = old_style ? (1u << width) + 1 : 1u << width;
    if (next == limit && width < 12) ++width;
    if (clear_when_full && next == 4094) {
      writer.put(256, width);
      table.clear();
      next = 258;
      width = 9;
    }
    omega = longer.substr(omega.size());
  }
  if (!omega.empty()) writer.put(code_of(omega), width);
  // The reader adds an entry for that last code too, and may widen by it.
  const uint32_t limit = old_style ? (1u << width) : (1u << width) - 1;
  if (next == limit && width < 12) ++width;
  writer.put(257, width);
  return writer.take();
}

TEST(Lzw, EveryCodeWidthAndManyClears) {
  for (const uint32_t values : {1u, 2u, 5u, 40u, 256u}) {
    for (const int64_t size : {1, 2, 3, 250, 253, 254, 255, 256, 700, 4000, 20000}) {
      const ByteVector data = noise(static_cast<size_t>(size), values);
      for (const bool old_style : {false, true}) {
        const auto pixels = decode(lzw_encode(data, old_style), grey(Compression::lzw, size, 1));
        ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
        ASSERT_EQ(*pixels, data) << values << " values, " << size << " bytes, old style " << old_style;
      }
    }
  }
}

TEST(Lzw, ATableThatStaysFullGoesOnBeingUsed) {
  const ByteVector data = noise(20000, 40);
  const auto pixels = decode(lzw_encode(data, false, false), grey(Compression::lzw, 20000, 1));
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, data);
}

TEST(Lzw, TheEndCodeMayBeMissingAndDataBehindItDoesNotMatter) {
  const ByteVector data = noise(300, 20);
  ByteVector packed = lzw_encode(data);
  packed.pop_back();
  EXPECT_EQ(error_text(decode(packed, grey(Compression::lzw, 300, 1))), "ok");
  packed = lzw_encode(data);
  packed.insert(packed.end(), 50, std::byte{0xFF});
  const auto pixels = decode(packed, grey(Compression::lzw, 300, 1));
  ASSERT_TRUE(pixels.ok());
  EXPECT_EQ(*pixels, data);
  EXPECT_EQ(error_text(decode(packed, grey(Compression::lzw, 100, 4))),
            "corrupt: lzw: premature end: 300 bytes, expected 400 (4 rows of 100)");
}

TEST(Lzw, CodesBeyondTheTableAreCorrupt) {
  LzwWriter writer(false);
  for (const uint32_t code : {256u, 65u, 300u}) writer.put(code, 9);
  EXPECT_EQ(error_text(decode(writer.take(), grey(Compression::lzw, 4, 1))),
            "corrupt: lzw: code 300 after 1 bytes, where the table ends at 257");
  LzwWriter first(false);
  for (const uint32_t code : {256u, 258u}) first.put(code, 9);
  EXPECT_EQ(error_text(decode(first.take(), grey(Compression::lzw, 4, 1))),
            "corrupt: lzw: code 258 after 0 bytes, where the table ends at 257");
}

TEST(Raw, TooFewBytesComeWithNumbersAndMoreDoNotMatter) {
  const ByteVector data = noise(25, 256);
  EXPECT_EQ(error_text(decode(data, grey(Compression::none, 10, 3))),
            "corrupt: raw: 25 bytes cannot hold the 3 rows of 10 bytes that are needed");
  const auto pixels = decode(data, grey(Compression::none, 10, 2));
  ASSERT_TRUE(pixels.ok());
  EXPECT_EQ(*pixels, ByteVector(data.begin(), data.begin() + 20));
  // Rows that are all there can be read of a tile that is not.
  const TileFormat format = grey(Compression::none, 10, 3);
  EXPECT_TRUE(decode(*make_decoder(format), data, format, {0, 0, 10, 2}).ok());
}

TEST(Deflate, AStreamLongerThanTheTileGivesItsFirstRows) {
  const Fixture& f = fixture("deflate_rgb");
  TileFormat format = f.format;
  format.size.h = 2;
  const auto pixels = decode(f.packed, format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  EXPECT_EQ(*pixels, crop(f.pixels, f.format, {0, 0, f.format.size.w, 2}));
}

TEST(Deflate, AWrongChecksumIsCorrupt) {
  const Fixture& f = fixture("deflate_rgb");
  ByteVector packed = f.packed;
  packed.back() ^= std::byte{1};
  EXPECT_EQ(error_text(decode(packed, f.format)),
            "corrupt: deflate: invalid data, or an end before the stream's (" +
                std::to_string(packed.size()) + " bytes packed)");
}

TEST(ByteCodecs, WhatIsNotDecodedIsNamed) {
  const ByteVector data(64);
  for (const Compression compression : {Compression::none, Compression::deflate, Compression::lzw}) {
    const auto message = [&](const auto& change) {
      TileFormat format = grey(compression, 4, 4);
      change(format);
      const auto pixels = decode(data, format);
      EXPECT_TRUE(!pixels.ok() && pixels.error().code == Errc::unsupported);
      return error_text(pixels);
    };
    const auto says = [](const std::string& text, const char* part) {
      return text.find(part) != std::string::npos;
    };
    EXPECT_TRUE(says(message([](auto& f) { f.predictor = Predictor::floating_point; }),
                     "the floating-point predictor with 8-bit samples of uint8"));
    EXPECT_TRUE(
        says(message([](auto& f) { f.predictor = static_cast<Predictor>(9); }), "predictor 9 (unknown)"));
    const auto packed_and_predicted = [](auto& f) {
      f.bits = 4;
      f.predictor = Predictor::horizontal;
    };
    EXPECT_TRUE(says(message(packed_and_predicted), "the horizontal predictor with 4-bit samples"));
    const auto few_bits_of_a_float = [](auto& f) {
      f.bits = 12;
      f.type = SampleType::f16;
    };
    EXPECT_TRUE(says(message(few_bits_of_a_float), "samples of float16 in 12 bits"));
    EXPECT_TRUE(says(message([](auto& f) { f.color = Color::ycbcr; }), "YCbCr of 1 samples of 8 bits"));
    EXPECT_TRUE(says(message([](auto& f) { f.planar = true; }), "planar"));
  }
}

// Three bytes each, in the file's byte order: what libtiff makes of them.
TEST(ByteCodecs, SamplesOf24BitsAreNumbers) {
  ByteVector data(12);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i + 1);
  TileFormat format = grey(Compression::none, 2, 2);
  format.type = SampleType::u32;
  format.bits = 24;
  for (const bool big_endian : {false, true}) {
    format.big_endian = big_endian;
    const auto pixels = decode(data, format);
    ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
    const uint32_t expected = big_endian ? 0x070809 : 0x090807;
    EXPECT_EQ(std::memcmp(pixels->data() + 8, &expected, 4), 0);
  }
}

// Two's complement, whose highest bit is the sign.
TEST(ByteCodecs, PackedSamplesMayBeSigned) {
  TileFormat format = grey(Compression::none, 4, 1);
  format.type = SampleType::i16;
  format.bits = 12;
  const auto pixels = decode(bytes({0x7F, 0xF8, 0x00, 0xFF, 0xF0, 0x01}), format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  int16_t values[4];
  std::memcpy(values, pixels->data(), sizeof values);
  EXPECT_EQ(values[0], 2047);
  EXPECT_EQ(values[1], -2048);
  EXPECT_EQ(values[2], -1);
  EXPECT_EQ(values[3], 1);

  format.type = SampleType::i32;
  format.bits = 24;
  format.size = {1, 1};
  const auto lowest = decode(bytes({0x00, 0x00, 0x80}), format);
  int32_t value = 0;
  std::memcpy(&value, lowest->data(), sizeof value);
  EXPECT_EQ(value, -(1 << 23));
}

// A sign, 7 bits of exponent around 63, 16 of fraction.
TEST(ByteCodecs, FloatsOf24BitsAreWidened) {
  TileFormat format = grey(Compression::none, 1, 1);
  format.type = SampleType::f32;
  format.bits = 24;
  format.big_endian = true;
  const auto value_of = [&](int high, int middle, int low) {
    const auto pixels = decode(bytes({high, middle, low}), format);
    EXPECT_TRUE(pixels.ok());
    float value = 0;
    std::memcpy(&value, pixels->data(), sizeof value);
    return value;
  };
  EXPECT_EQ(value_of(0x3F, 0, 0), 1.0F);
  EXPECT_EQ(value_of(0xC0, 0x80, 0), -3.0F);
  EXPECT_EQ(value_of(0x7E, 0xFF, 0xFF), std::ldexp(2.0F - std::ldexp(1.0F, -16), 63));
  EXPECT_EQ(value_of(0x01, 0, 0), std::ldexp(1.0F, -62));
  EXPECT_EQ(value_of(0x00, 0x80, 0), std::ldexp(1.0F, -63));
  EXPECT_EQ(value_of(0x00, 0, 1), std::ldexp(1.0F, -78));
  EXPECT_EQ(value_of(0x80, 0, 3), -3 * std::ldexp(1.0F, -78));
  EXPECT_EQ(value_of(0x00, 0, 0), 0.0F);
  EXPECT_EQ(value_of(0x7F, 0, 0), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(value_of(0x7F, 0, 1)));
}

// 1 and -3: 3F0000 and C08000. Their bytes from the highest on are 3F C0, 00 80, 00 00, and stored are
// differences.
TEST(ByteCodecs, FloatsOf24BitsMayBePredicted) {
  TileFormat format = grey(Compression::none, 2, 1);
  format.type = SampleType::f32;
  format.bits = 24;
  format.predictor = Predictor::floating_point;
  const auto pixels = decode(bytes({0x3F, 0x81, 0x40, 0x80, 0x80, 0x00}), format);
  ASSERT_TRUE(pixels.ok()) << pixels.error().to_string();
  float values[2];
  std::memcpy(values, pixels->data(), sizeof values);
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_EQ(values[1], -3.0F);
}

// As tifffile does: what is no colour we know is given as it is stored.
TEST(ByteCodecs, SamplesOfOtherColorsAreGivenAsStored) {
  const ByteVector data = noise(48, 256);
  for (const Color color :
       {Color::white_is_zero, Color::palette, Color::cmyk, Color::cielab, static_cast<Color>(999)}) {
    TileFormat format = grey(Compression::none, 4, 3);
    format.color = color;
    format.samples = 4;
    const auto pixels = decode(data, format);
    ASSERT_TRUE(pixels.ok()) << color_name(color);
    EXPECT_EQ(*pixels, data);
  }
}

TEST(ByteCodecs, TinyStreamsAllocateNoHugeTiles) {
  const Fixture& f = fixture("deflate_rgb");
  TileFormat format = f.format;
  format.size = {20000, 20000};
  ByteVector pixel(3);
  const auto one = decode(*make_decoder(format), f.packed, format, {19999, 19999, 1, 1});
  ASSERT_FALSE(one.ok());
  EXPECT_NE(one.error().message.find("cannot hold the 20000 rows of 60000 bytes"), std::string::npos)
      << one.error().message;
  format.size = {60000, 60000};
  const auto large = decode(*make_decoder(format), f.packed, format, {0, 0, 1, 1});
  EXPECT_EQ(
      error_text(large),
      "unsupported: deflate: a tile of 60000x60000 pixels with 3 samples of uint8 is larger than 2 GiB");
  format.size = {INT64_MAX, INT64_MAX};
  EXPECT_FALSE(decode(*make_decoder(format), f.packed, format, {0, 0, 1, 1}).ok());
}

}  // namespace
}  // namespace microtome::test
