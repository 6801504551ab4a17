#include "microtome/read/constant_tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace microtome {
namespace {

const std::vector<std::byte> kPixel{std::byte{1}, std::byte{2}, std::byte{3}};

std::vector<std::byte> stream(size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

class ConstantTilesTest : public ::testing::Test {
 protected:
  ConstantTilesTest() : pixels_(16 * 16 * 3) {
    for (size_t i = 0; i < pixels_.size(); ++i) pixels_[i] = kPixel[i % 3];
    format_.size = {16, 16};
    format_.tables.data = tables_;
  }
  ImageView view(Size size) { return {pixels_.data(), size, 16 * 3, 3, SampleType::u8}; }
  void note(const std::vector<std::byte>& packed, const Rect& region = kWhole) {
    const TilePart part{region, view(region.size())};
    tiles_.note(packed, format_, {&part, 1});
  }
  bool knows(const std::vector<std::byte>& packed, const TileFormat& format, const Rect& region = kWhole) {
    const auto found = tiles_.find(packed, format, region);
    return std::equal(found.begin(), found.end(), kPixel.begin(), kPixel.end());
  }

  static constexpr Rect kWhole{0, 0, 16, 16};
  ConstantTiles tiles_;
  std::vector<std::byte> pixels_, tables_ = stream(20, 7);
  TileFormat format_;
};

TEST_F(ConstantTilesTest, KnowsTheSameBytesInTheSameFormat) {
  note(stream(100, 5));
  EXPECT_TRUE(knows(stream(100, 5), format_));
  EXPECT_TRUE(knows(stream(100, 5), format_, {3, 4, 5, 6}));
  EXPECT_FALSE(knows(stream(100, 6), format_));
  EXPECT_FALSE(knows(stream(99, 5), format_));
}

TEST_F(ConstantTilesTest, EveryPartOfTheFormatCounts) {
  note(stream(100, 5));
  const std::vector<std::byte> equal_tables = stream(20, 7), other_tables = stream(20, 8);
  TileFormat same = format_;
  same.tables.data = equal_tables;
  EXPECT_TRUE(knows(stream(100, 5), same)) << "tables at another address";
  EXPECT_TRUE(same_encoding(format_, same));
  std::vector<TileFormat> others(11, format_);
  others[0].tables.data = other_tables;
  others[1].compression = Compression::jpeg;
  others[2].color = Color::ycbcr;
  others[3].predictor = Predictor::horizontal;
  others[4].type = SampleType::i8;
  others[5].samples = 4;
  others[6].bits = 7;
  others[7].planar = true;
  others[8].big_endian = true;
  others[9].lsb_first = true;
  others[10].size = {16, 32};
  for (size_t i = 0; i < others.size(); ++i) {
    EXPECT_FALSE(knows(stream(100, 5), others[i])) << i;
    EXPECT_FALSE(same_encoding(format_, others[i])) << i;
  }
}

TEST_F(ConstantTilesTest, EveryPixelCounts) {
  for (const size_t at : {size_t{0}, size_t{5}, size_t{47}, size_t{48}, pixels_.size() - 1}) {
    const std::byte before = std::exchange(pixels_[at], std::byte{99});
    note(stream(100, 5));
    EXPECT_EQ(tiles_.size(), 0u) << at;
    pixels_[at] = before;
  }
}

TEST_F(ConstantTilesTest, KnowsNoMoreThanItSaw) {
  const Rect part{2, 2, 8, 8}, larger{1, 1, 12, 12};
  note(stream(100, 5), part);
  EXPECT_TRUE(knows(stream(100, 5), format_, {4, 4, 2, 2}));
  EXPECT_FALSE(knows(stream(100, 5), format_, larger));
  note(stream(100, 5), larger);
  EXPECT_TRUE(knows(stream(100, 5), format_, larger));
  note(stream(100, 5), part);
  EXPECT_TRUE(knows(stream(100, 5), format_, larger)) << "what it knew already";
  EXPECT_EQ(tiles_.size(), 1u);
}

TEST_F(ConstantTilesTest, SeveralPartsCountWithoutGaps) {
  const auto part = [this](const Rect& src) { return TilePart{src, view(src.size())}; };
  const std::vector<TilePart> quarters{part({0, 0, 9, 7}), part({9, 0, 7, 7}), part({0, 7, 9, 9}),
                                       part({8, 6, 8, 10})};
  tiles_.note(stream(100, 5), format_, quarters);
  EXPECT_TRUE(knows(stream(100, 5), format_));
  // A gap of one pixel in the middle, and one at a corner.
  tiles_.note(stream(100, 6), format_,
              std::vector{quarters[0], quarters[1], quarters[2], part({9, 8, 7, 8})});
  tiles_.note(stream(100, 7), format_, std::vector{quarters[0], quarters[1], quarters[2]});
  EXPECT_EQ(tiles_.size(), 1u);
  // Each part is one colour, but not the same.
  std::vector<std::byte> other(9 * 9 * 3, std::byte{99});
  tiles_.note(stream(100, 8), format_,
              std::vector{quarters[0], quarters[1], quarters[3],
                          TilePart{{0, 7, 9, 9}, {other.data(), {9, 9}, 27, 3, SampleType::u8}}});
  EXPECT_EQ(tiles_.size(), 1u);
}

TEST_F(ConstantTilesTest, KeepsThoseAskedForLast) {
  for (int i = 0; i < static_cast<int>(ConstantTiles::kMaxEntries); ++i) note(stream(10, i));
  EXPECT_TRUE(knows(stream(10, 0), format_));
  note(stream(10, 100));
  EXPECT_EQ(tiles_.size(), ConstantTiles::kMaxEntries);
  EXPECT_TRUE(knows(stream(10, 0), format_));
  EXPECT_FALSE(knows(stream(10, 1), format_));
  EXPECT_TRUE(knows(stream(10, 100), format_));
}

TEST_F(ConstantTilesTest, KeepsNoLongStream) {
  note(stream(ConstantTiles::kMaxPackedBytes + 1, 5));
  EXPECT_EQ(tiles_.size(), 0u);
  note(stream(ConstantTiles::kMaxPackedBytes, 5));
  EXPECT_EQ(tiles_.size(), 1u);
}

}  // namespace
}  // namespace microtome
