#include "microtome/slide/channel_grid.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "microtome/base/error_for_test.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

TestDirectory grey_channel(Size size, Size tile, uint32_t first_offset) {
  TestDirectory directory = tiled(size, tile);
  const auto tiles = static_cast<size_t>(((size.w + tile.w - 1) / tile.w) * ((size.h + tile.h - 1) / tile.h));
  std::vector<uint32_t> offsets, counts;
  for (size_t i = 0; i < tiles; ++i) {
    offsets.push_back(first_offset + static_cast<uint32_t>(i));
    counts.push_back(1 + first_offset % 7);
  }
  return directory.set(u16(tag::kBitsPerSample, {8}))
      .set(u16(tag::kSamplesPerPixel, {1}))
      .set(u16(tag::kPhotometric, {1}))
      .set(u32(tag::kTileOffsets, offsets))
      .set(u32(tag::kTileByteCounts, counts));
}

/// make_channel_grid of a file's directories.
struct Made {
  explicit Made(const TestTiff& tiff) : file(tiff::parse(tiff.source()).value()) {
    for (const tiff::Directory& directory : file.directories)
      images.push_back(read_tiff_image(directory).value());
    std::vector<TiffPlane> planes;
    for (size_t i = 0; i < images.size(); ++i) planes.push_back({&file.directories[i], &images[i]});
    grid = make_channel_grid(planes);
  }
  std::string error() const { return error_text(grid); }

  tiff::File file;
  std::vector<TiffImage> images;
  Result<std::unique_ptr<TileGrid>> grid = Error{};
};

TEST(ChannelGrid, IsPlanar) {
  TestTiff tiff;
  for (const uint32_t offset : {100u, 200u, 300u})
    tiff.directory(grey_channel({500, 300}, {256, 256}, offset));
  const Made made(tiff);
  ASSERT_EQ(made.error(), "ok");
  const TileGrid& grid = **made.grid;
  EXPECT_EQ(grid.size, (Size{500, 300}));
  EXPECT_EQ(grid.cols * grid.rows, 4);
  EXPECT_EQ(grid.format.samples, 3);
  EXPECT_TRUE(grid.format.planar);
  ASSERT_EQ(grid.offsets.size(), 12u);
  for (uint64_t i = 0; i < 12; ++i) {
    EXPECT_EQ(grid.offsets.at(i).value(), 100 * (1 + i / 4) + i % 4);
    EXPECT_EQ(grid.byte_counts.at(i).value(), 1 + 100 * (1 + i / 4) % 7);
  }
  EXPECT_FALSE(grid.offsets.at(12).ok());
}

// Arrays may be longer than the image needs; the rest belongs to no channel.
TEST(ChannelGrid, TakesOfEachDirectoryWhatTheImageNeeds) {
  TestTiff tiff;
  tiff.directory(grey_channel({256, 256}, {256, 256}, 0)).set(u32(tag::kTileOffsets, {10, 11, 12}));
  tiff.directory(grey_channel({256, 256}, {256, 256}, 0)).set(u32(tag::kTileOffsets, {20, 21}));
  const Made made(tiff);
  ASSERT_EQ(made.error(), "ok");
  EXPECT_EQ((*made.grid)->offsets.size(), 2u);
  EXPECT_EQ((*made.grid)->offsets.at(1).value(), 20u);
}

TEST(ChannelGrid, OneDirectoryIsAsItIs) {
  TestTiff tiff;
  tiff.directory(tiled({500, 300}, {256, 256}));
  const Made made(tiff);
  ASSERT_EQ(made.error(), "ok");
  EXPECT_EQ((*made.grid)->format.samples, 3);
  EXPECT_FALSE((*made.grid)->format.planar);
}

TEST(ChannelGrid, PlanarDirectoriesCanBeJoined) {
  TestTiff tiff;
  for (int i = 0; i < 2; ++i)
    tiff.directory(tiled({256, 256}, {256, 256}))
        .set(u16(tag::kPlanarConfiguration, {2}))
        .set(u32(tag::kTileOffsets, {8, 9, 10}))
        .set(u32(tag::kTileByteCounts, {1, 2, 3}));
  const Made made(tiff);
  ASSERT_EQ(made.error(), "ok");
  EXPECT_EQ((*made.grid)->format.samples, 6);
  EXPECT_EQ((*made.grid)->byte_counts.at(4).value(), 2u);
}

TEST(ChannelGrid, WhatDiffersCannotBeJoined) {
  const TestDirectory base = grey_channel({256, 256}, {256, 256}, 8);
  const auto error_of = [&](const TestDirectory& second) {
    TestTiff tiff;
    tiff.directory(base);
    tiff.directory(second);
    return Made(tiff).error();
  };
  EXPECT_EQ(error_of(base), "ok");
  EXPECT_EQ(error_of(grey_channel({256, 255}, {256, 256}, 8)),
            "unsupported: channel 1 (256x255 uint8 in tiles of 256x256, uncompressed) is kept otherwise than "
            "channel 0 "
            "(256x256 uint8 in tiles of 256x256, uncompressed)");
  TestDirectory changed[] = {base, base, base, base, base, base};
  changed[0].set(u16(tag::kBitsPerSample, {16}));
  changed[1].set(u16(tag::kCompression, {5}));
  changed[2].set(u16(tag::kPhotometric, {0}));
  changed[3].set(u16(tag::kSampleFormat, {2}));
  changed[4].set(u16(tag::kFillOrder, {2}));
  changed[5] = grey_channel({256, 256}, {128, 256}, 8);
  for (const TestDirectory& second : changed)
    EXPECT_TRUE(error_of(second).starts_with("unsupported: channel 1 (")) << error_of(second);

  TestTiff tables;
  for (const char* text : {"one", "two"})
    tables.directory(base).set(u16(tag::kCompression, {7})).set(undefined(tag::kJpegTables, text));
  EXPECT_TRUE(Made(tables).error().starts_with("unsupported: channel 1 (")) << Made(tables).error();

  TestTiff rgb;
  for (int i = 0; i < 2; ++i) rgb.directory(tiled({256, 256}, {256, 256}));
  EXPECT_EQ(Made(rgb).error(),
            "unsupported: 2 channels of 3 samples in each tile; one of the channels can be read at a time");
}

}  // namespace
}  // namespace microtome
