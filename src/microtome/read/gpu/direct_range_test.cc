// Which tiles are their pixels, and where the pages around them are.
#include "microtome/read/gpu/direct_range.h"

#include <gtest/gtest.h>

namespace microtome::gpu {
namespace {

TileFormat plain(SampleType type = SampleType::u8, uint16_t samples = 3) {
  TileFormat format;
  format.type = type;
  format.samples = samples;
  format.bits = static_cast<uint16_t>(8 * sample_bytes(type));
  format.size = {256, 256};
  return format;
}

constexpr uint64_t kTile = uint64_t{3} * 256 * 256;

TEST(DirectRange, PagesAroundTheRowsOfAPart) {
  const auto whole = direct_range(plain(), {10000, kTile}, {0, 0, 256, 256}).value();
  EXPECT_EQ(whole.pages.offset, 8192u);
  EXPECT_EQ(whole.lead, 10000u - 8192);
  EXPECT_EQ(whole.bytes, kTile);
  EXPECT_EQ(whole.pitch, 768u);
  EXPECT_EQ(whole.pages.size % DirectRange::kPage, 0u);
  EXPECT_GE(whole.pages.size, whole.lead + whole.bytes);
  EXPECT_LT(whole.pages.size, whole.lead + whole.bytes + DirectRange::kPage);
  EXPECT_EQ(whole.slot_bytes(), whole.pages.size + DirectRange::kPage - 1);

  const auto rows = direct_range(plain(), {4096, kTile}, {0, 100, 256, 100}).value();
  EXPECT_EQ(rows.pages.offset + rows.lead, 4096u + 768 * 100);
  EXPECT_EQ(rows.bytes, 768u * 100);
  EXPECT_EQ(rows.first_row, 100);
  EXPECT_EQ(rows.rows, 100);
}

TEST(DirectRange, EveryTypeThatIsStoredAsItIs) {
  for (const SampleType type :
       {SampleType::u8, SampleType::u16, SampleType::i32, SampleType::f32, SampleType::f64}) {
    const TileFormat format = plain(type, 2);
    const uint64_t bytes = uint64_t{2} * 256 * 256 * sample_bytes(type);
    EXPECT_TRUE(direct_range(format, {4096, bytes}, {0, 0, 256, 256})) << static_cast<int>(type);
    EXPECT_EQ(direct_range(format, {4097, bytes}, {0, 0, 256, 256}).has_value(), sample_bytes(type) == 1);
  }
}

TEST(DirectRange, WhatHasToBeDecoded) {
  const ByteRange packed{4096, kTile};
  const Rect part{0, 0, 256, 256};
  const auto refused = [&](auto change) {
    TileFormat format = plain();
    change(format);
    return !direct_range(format, packed, part);
  };
  EXPECT_FALSE(refused([](TileFormat&) {}));
  EXPECT_TRUE(refused([](TileFormat& format) { format.compression = Compression::deflate; }));
  EXPECT_TRUE(refused([](TileFormat& format) { format.predictor = Predictor::horizontal; }));
  EXPECT_TRUE(refused([](TileFormat& format) { format.color = Color::ycbcr; }));
  EXPECT_TRUE(refused([](TileFormat& format) { format.bits = 7; }));
  EXPECT_TRUE(refused([](TileFormat& format) { format.planar = true; }));
  EXPECT_TRUE(refused([](TileFormat& format) { format.lsb_first = true; }));
  EXPECT_TRUE(refused([](TileFormat& format) { format.rgb_form = std::make_shared<RgbForm>(); }));
  EXPECT_FALSE(refused([](TileFormat& format) { format.big_endian = true; }));  // of bytes
  TileFormat wide = plain(SampleType::u16, 2);
  wide.big_endian = true;
  EXPECT_FALSE(direct_range(wide, {4096, 2 * kTile}, part));
}

TEST(DirectRange, WhatIsTooShortTooSmallOrTooWide) {
  EXPECT_FALSE(direct_range(plain(), {4096, kTile - 1}, {0, 0, 256, 256}));
  EXPECT_TRUE(direct_range(plain(), {4096, kTile - 1}, {0, 0, 256, 255}));
  EXPECT_FALSE(direct_range(plain(), {4096, kTile}, {0, 0, 256, 80}));  // 61 440 bytes
  EXPECT_FALSE(
      direct_range(plain(), {4096, kTile}, {0, 0, 200, 256}));  // rows are more than a sixteenth wider
  EXPECT_TRUE(direct_range(plain(), {4096, kTile}, {0, 0, 250, 256}));
  EXPECT_FALSE(direct_range(plain(), {UINT64_MAX - 100, kTile}, {0, 200, 256, 50}));
  EXPECT_FALSE(direct_range(plain(), {4096, kTile}, {0, 0, 0, 0}));
}

}  // namespace
}  // namespace microtome::gpu
