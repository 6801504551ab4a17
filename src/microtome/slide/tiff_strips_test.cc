// Images of one large uncompressed strip.
#include "microtome/slide/tiff_strips.h"

#include <gtest/gtest.h>

#include <string>

#include "microtome/slide/slide.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

constexpr Size kSize{1000, 1001};  // 3,003,000 bytes of RGB, 87 rows to a strip
constexpr uint32_t kBytes = 3003000;

/// One strip at offset 8, in a file that has `stored` bytes behind that.
std::shared_ptr<const Slide> open_strip(TestDirectory directory, size_t stored = kBytes,
                                        uint32_t count = kBytes) {
  tiff::TiffBuilder builder;
  builder.append(std::string(stored, '\x55'));
  directory.set(u32(tag::kStripOffsets, {8}));
  if (count != 0) directory.set(u32(tag::kStripByteCounts, {count}));
  builder.directory(directory.tags);
  auto slide = Slide::open(builder.source());
  EXPECT_TRUE(slide.ok()) << slide.error().to_string();
  return slide.ok() ? *slide : nullptr;
}

TEST(CutStrips, CoverTheStripWithoutGaps) {
  const auto slide = open_strip(stripped(kSize, kSize.h));
  ASSERT_TRUE(slide);
  const TileGrid& grid = slide->image(0);
  EXPECT_EQ(grid.tile, (Size{1000, 87}));
  EXPECT_EQ(grid.rows, 12);
  uint64_t next = 8;
  for (int64_t row = 0; row < grid.rows; ++row) {
    const auto tile = slide->tile(0, 0, row);
    ASSERT_TRUE(tile.ok() && *tile);
    EXPECT_EQ((*tile)->bytes.offset, next);
    EXPECT_EQ((*tile)->bytes.size, static_cast<uint64_t>((*tile)->format->size.h) * 3000);
    next += (*tile)->bytes.size;
  }
  EXPECT_EQ(next, 8u + kBytes);
}

TEST(CutStrips, ByteCountsMayBeMissing) {
  const auto slide = open_strip(stripped(kSize, kSize.h).remove(tag::kStripByteCounts), kBytes, 0);
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->image(0).rows, 12);
}

TEST(CutStrips, RowsOfBitsEndAtAByte) {
  const Size size{1001, 9000};
  auto directory = stripped(size, size.h);
  directory.set(u16(tag::kSamplesPerPixel, {1}))
      .set(u16(tag::kBitsPerSample, {1}))
      .set(u16(tag::kPhotometric, {1}));
  const auto slide = open_strip(std::move(directory), 126 * 9000, 126 * 9000);
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->image(0).tile.h, (256 << 10) / 126);
  EXPECT_EQ((*slide->tile(0, 0, 1))->bytes.offset, 8u + 126 * ((256u << 10) / 126));
}

TEST(CutStrips, EachPlaneIsCut) {
  tiff::TiffBuilder builder;
  builder.append(std::string(4 << 20, '\x55'));
  builder.directory(stripped(kSize, kSize.h)
                        .set(u16(tag::kPlanarConfiguration, {2}))
                        .set(u16(tag::kBitsPerSample, {16, 16, 16}))
                        .set(u32(tag::kStripOffsets, {100, 200, 300}))
                        .set(u32(tag::kStripByteCounts, {2002000, 2002000, 2002000}))
                        .tags);
  const auto slide = Slide::open(builder.source()).value();
  const TileGrid& grid = slide->image(0);
  EXPECT_EQ(grid.tile.h, 131);
  ByteRange ranges[3];
  ASSERT_TRUE(slide->planes(0, 0, 2, ranges).ok());
  for (uint64_t plane = 0; plane < 3; ++plane) {
    EXPECT_EQ(ranges[plane].offset, 100 * (plane + 1) + 2 * 131 * 2000);
    EXPECT_EQ(ranges[plane].size, 131u * 2000);
  }
}

TEST(CutStrips, OthersStayWhole) {
  auto compressed = stripped(kSize, kSize.h);
  compressed.set(u16(tag::kCompression, {8}));
  EXPECT_EQ(open_strip(std::move(compressed))->image(0).rows, 1);
  EXPECT_EQ(open_strip(stripped({100, 100}, 100), 30000, 30000)->image(0).rows, 1);
  // Fewer bytes than the image takes, by the tag or by the file: reading says so.
  EXPECT_EQ(open_strip(stripped(kSize, kSize.h), kBytes, kBytes - 1)->image(0).rows, 1);
  EXPECT_EQ(open_strip(stripped(kSize, kSize.h), kBytes / 2)->image(0).rows, 1);
}

// What happened before: the error was "not found", as of a file. Found by fuzzing.
TEST(CutStrips, WithoutOffsetsThereIsNoImage) {
  TestTiff tiff;
  tiff.directory(stripped(kSize, kSize.h).remove(tag::kStripOffsets));
  const auto slide = Slide::open(tiff.source());
  ASSERT_FALSE(slide.ok());
  EXPECT_EQ(slide.error().to_string(),
            "corrupt: generic-tiff: directory 0: StripOffsets (tag 273) is missing");
}

// What happened before: the image was background.
TEST(Strips, AByteCountThatWasNeverFilledInReachesToTheEnd) {
  tiff::TiffBuilder builder;
  builder.append(std::string(300, '\x55'));
  builder.directory(stripped({10, 10}, 10)
                        .set(u32(tag::kStripOffsets, {8}))
                        .set(u32(tag::kStripByteCounts, {0}))
                        .set(u16(tag::kCompression, {8}))
                        .tags);
  const auto slide = Slide::open(builder.source()).value();
  const auto tile = slide->tile(0, 0, 0);
  ASSERT_TRUE(tile.ok() && *tile);
  EXPECT_EQ((*tile)->bytes.offset, 8u);
  EXPECT_EQ((*tile)->bytes.size, builder.size() - 8);
}

// What happened before: the error was "out of range", as of an argument. Found by fuzzing.
TEST(Strips, AByteCountWithoutAnOffsetIsCorrupt) {
  TestTiff tiff;
  tiff.directory(
      stripped({10, 10}, 10).set(u32(tag::kStripOffsets, {})).set(u32(tag::kStripByteCounts, {0})));
  const auto slide = Slide::open(tiff.source());
  ASSERT_FALSE(slide.ok());
  EXPECT_EQ(slide.error().to_string(), "corrupt: generic-tiff: directory 0: 0 tile offsets, expected 1");
}

}  // namespace
}  // namespace microtome
