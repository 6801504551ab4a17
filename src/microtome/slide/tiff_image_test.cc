#include "microtome/slide/tiff_image.h"

#include <gtest/gtest.h>

#include <string>

#include "microtome/base/error_for_test.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

struct Read {
  TiffImage image;
  std::unique_ptr<TileGrid> grid;
};

/// Directory 0 of a TIFF with this one directory, as image and grid.
Result<Read> read(const TestDirectory& directory) {
  TestTiff tiff;
  tiff.directory(directory);
  MICROTOME_ASSIGN(const tiff::File file, tiff::parse(tiff.source()));
  Read result;
  MICROTOME_ASSIGN(result.image, read_tiff_image(file.directories.at(0)));
  MICROTOME_ASSIGN(result.grid, make_tiff_grid(file.directories[0], result.image));
  return result;
}

std::string error_of(const TestDirectory& directory) {
  return error_text(read(directory));
}

TestDirectory tiles() {
  return tiled({500, 300}, {256, 256});
}
TestDirectory strips() {
  return stripped({500, 300}, 128);
}

TEST(TiffImage, TilesCoverTheImage) {
  const auto result = read(tiles());
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  const TileGrid& grid = *result->grid;
  EXPECT_TRUE(result->image.tiled);
  EXPECT_EQ(grid.size, (Size{500, 300}));
  EXPECT_EQ(grid.cols, 2);
  EXPECT_EQ(grid.rows, 2);
  EXPECT_FALSE(grid.last_row_is_short);
  EXPECT_EQ(grid.format.size, (Size{256, 256}));
  EXPECT_EQ(grid.shown(0, 0), (Rect{0, 0, 256, 256}));
  EXPECT_EQ(grid.shown(1, 1), (Rect{0, 0, 244, 44}));
}

TEST(TiffImage, StripsAreOneColumnWithAShortLastRow) {
  const auto result = read(strips());
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  const TileGrid& grid = *result->grid;
  EXPECT_EQ(grid.tile, (Size{500, 128}));
  EXPECT_EQ(grid.cols, 1);
  EXPECT_EQ(grid.rows, 3);
  EXPECT_TRUE(grid.last_row_is_short);
  EXPECT_EQ(grid.shown(0, 2), (Rect{0, 0, 500, 44}));
}

TEST(TiffImage, RowsPerStripIsTheImageUnlessItSaysLess) {
  for (auto directory : {stripped({500, 300}, 300).remove(tag::kRowsPerStrip),
                         stripped({500, 300}, 300).set(u32(tag::kRowsPerStrip, {4294967295})),
                         stripped({500, 300}, 300).set(u32(tag::kRowsPerStrip, {301}))}) {
    const auto result = read(directory);
    ASSERT_TRUE(result.ok()) << result.error().to_string();
    EXPECT_EQ(result->grid->tile, (Size{500, 300}));
  }
}

TEST(TiffImage, FormatComesFromTheTags) {
  const auto result = read(tiles()
                               .set(u16(tag::kBitsPerSample, {16, 16, 16}))
                               .set(u16(tag::kCompression, {5}))
                               .set(u16(tag::kPredictor, {2}))
                               .set(u16(tag::kPhotometric, {6}))
                               .set(u16(tag::kSampleFormat, {2, 2, 2}))
                               .set(u16(tag::kFillOrder, {2}))
                               .set(u32(tag::kNewSubfileType, {1})));
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  const TileFormat& format = result->grid->format;
  EXPECT_EQ(format.compression, Compression::lzw);
  EXPECT_EQ(format.color, Color::ycbcr);
  EXPECT_EQ(format.predictor, Predictor::horizontal);
  EXPECT_EQ(format.type, SampleType::i16);
  EXPECT_EQ(format.samples, 3);
  EXPECT_EQ(format.bits, 16);
  EXPECT_FALSE(format.planar);
  EXPECT_FALSE(format.big_endian);
  EXPECT_TRUE(format.lsb_first);
  EXPECT_TRUE(result->image.is_reduced());
  EXPECT_FALSE(result->image.is_mask());
}

TEST(TiffImage, DefaultsAreThoseOfTiff) {
  const auto result = read(tiles()
                               .remove(tag::kBitsPerSample)
                               .remove(tag::kSamplesPerPixel)
                               .remove(tag::kCompression)
                               .set(u16(tag::kPhotometric, {1})));
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  const TileFormat& format = result->grid->format;
  EXPECT_EQ(format.compression, Compression::none);
  EXPECT_EQ(format.samples, 1);
  EXPECT_EQ(format.bits, 1);  // packed: no codec of ours, and still a slide
  EXPECT_EQ(format.type, SampleType::u8);
  EXPECT_EQ(format.predictor, Predictor::none);
  EXPECT_EQ(result->image.subfile_type, 0u);
}

TEST(TiffImage, SampleTypeIsTheSmallestThatHoldsTheBits) {
  const struct {
    uint16_t format, bits;
    SampleType type;
  } rows[] = {{1, 8, SampleType::u8},   {1, 12, SampleType::u16}, {1, 24, SampleType::u32},
              {1, 64, SampleType::u64}, {2, 8, SampleType::i8},   {2, 32, SampleType::i32},
              {3, 16, SampleType::f16}, {3, 32, SampleType::f32}, {3, 64, SampleType::f64},
              {4, 16, SampleType::u16}};
  for (const auto& row : rows) {
    // One value stands for all samples.
    const auto result =
        read(tiles().set(u16(tag::kBitsPerSample, {row.bits})).set(u16(tag::kSampleFormat, {row.format})));
    ASSERT_TRUE(result.ok()) << result.error().to_string();
    EXPECT_EQ(result->image.format.type, row.type) << row.format << " " << row.bits;
    EXPECT_EQ(result->image.format.bits, row.bits);
  }
}

TEST(TiffImage, MissingPhotometricIsWhatTheSamplesSuggest) {
  EXPECT_EQ(read(tiles().remove(tag::kPhotometric))->image.format.color, Color::rgb);
  EXPECT_EQ(read(tiles().remove(tag::kPhotometric).set(u16(tag::kSamplesPerPixel, {1})))->image.format.color,
            Color::black_is_zero);
  EXPECT_EQ(error_of(tiles().remove(tag::kPhotometric).set(u16(tag::kSamplesPerPixel, {2}))),
            "corrupt: PhotometricInterpretation (tag 262) is missing");
}

TEST(TiffImage, PredictorIsIgnoredWhereTheCodecHasNone) {
  const auto jpeg = read(tiles().set(u16(tag::kCompression, {7})).set(u16(tag::kPredictor, {2})));
  ASSERT_TRUE(jpeg.ok()) << jpeg.error().to_string();
  EXPECT_EQ(jpeg->image.format.predictor, Predictor::none);
  EXPECT_EQ(error_of(tiles().set(u16(tag::kCompression, {8})).set(u16(tag::kPredictor, {4}))),
            "unsupported: Predictor 4, expected 1 to 3");
}

TEST(TiffImage, MasksAreKnownByEitherTag) {
  EXPECT_TRUE(read(tiles().set(u32(tag::kNewSubfileType, {4})))->image.is_mask());
  EXPECT_TRUE(read(tiles().set(u16(tag::kPhotometric, {4})))->image.is_mask());
}

TEST(TiffImage, JpegTablesAreKept) {
  const auto result = read(
      tiles().set(u16(tag::kCompression, {7})).set(undefined(tag::kJpegTables, "\xFF\xD8tables\xFF\xD9")));
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  const auto tables = result->grid->format.tables.data;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(tables.data()), tables.size()),
            "\xFF\xD8tables\xFF\xD9");
  EXPECT_EQ(
      error_of(
          tiles().set(u16(tag::kCompression, {7})).set(undefined(tag::kJpegTables, std::string(65537, 'x')))),
      "corrupt: JPEGTables of 65537 bytes, expected at most 65536");
}

TEST(TiffImage, ByteOrderIsTheFiles) {
  for (const bool big_endian : {false, true}) {
    tiff::TiffBuilder builder(big_endian);
    std::vector<tiff::Field> fields;
    for (const uint16_t one : {tag::kImageWidth, tag::kImageLength, tag::kTileWidth, tag::kTileLength,
                               tag::kTileOffsets, tag::kTileByteCounts})
      fields.push_back(builder.field<uint32_t>(one, 4, {16}));
    builder.directory(fields);
    const auto file = tiff::parse(builder.source());
    ASSERT_TRUE(file.ok()) << file.error().to_string();
    const auto image = read_tiff_image(file->directories.at(0));
    ASSERT_TRUE(image.ok()) << image.error().to_string();
    EXPECT_EQ(image->format.big_endian, big_endian);
  }
}

TEST(TiffImage, PlanarSamplesHaveTilesOfTheirOwn) {
  const auto planar = tiles().set(u16(tag::kPlanarConfiguration, {2}));
  EXPECT_EQ(error_of(planar), "corrupt: 4 tile offsets, expected 12");
  TestDirectory whole = planar;
  whole.set(u32(tag::kTileOffsets, std::vector<uint32_t>(12, 8)))
      .set(u32(tag::kTileByteCounts, std::vector<uint32_t>(12, 1)));
  const auto result = read(whole);
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  EXPECT_TRUE(result->grid->format.planar);
}

TEST(TiffImage, OneUncompressedStripNeedsNoByteCount) {
  const auto result = read(stripped({5, 3}, 3).remove(tag::kStripByteCounts));
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  EXPECT_EQ(*result->grid->byte_counts.at(0), 45u);  // 5 * 3 pixels of 3 bytes
  EXPECT_EQ(error_of(stripped({5, 3}, 2).remove(tag::kStripByteCounts)),
            "corrupt: StripByteCounts (tag 279) is missing");
  EXPECT_EQ(error_of(stripped({5, 3}, 3).remove(tag::kStripByteCounts).set(u16(tag::kCompression, {5}))),
            "corrupt: StripByteCounts (tag 279) is missing");
}

TEST(TiffImage, LongerArraysAreFine) {
  EXPECT_EQ(error_of(tiles().set(u32(tag::kTileOffsets, std::vector<uint32_t>(9, 8)))), "ok");
}

TEST(TiffImage, SaysWhatIsWrong) {
  const struct {
    TestDirectory directory;
    const char* error;
  } rows[] = {
      {tiles().remove(tag::kImageWidth), "corrupt: ImageWidth (tag 256) is missing"},
      {tiles().remove(tag::kImageLength), "corrupt: ImageLength (tag 257) is missing"},
      {tiles().remove(tag::kTileLength), "corrupt: TileLength (tag 323) is missing"},
      {tiles().remove(tag::kTileOffsets), "corrupt: TileOffsets (tag 324) is missing"},
      {tiles().remove(tag::kTileByteCounts), "corrupt: TileByteCounts (tag 325) is missing"},
      {strips().remove(tag::kStripOffsets), "corrupt: StripOffsets (tag 273) is missing"},
      {strips().remove(tag::kStripOffsets).set(u16(tag::kCompression, {6})),
       "unsupported: old-style JPEG outside strips"},
      {tiles().set(u32(tag::kImageWidth, {0})),
       "corrupt: image size 0x300, expected 1 to 2147483647 each way"},
      {tiles().set(u32(tag::kImageLength, {4294967295})),
       "corrupt: image size 500x4294967295, expected 1 to 2147483647 each way"},
      {tiles().set(u32(tag::kTileWidth, {0})), "corrupt: tile size 0x256, expected 1 to 2147483647 each way"},
      {tiles().set(u32(tag::kTileLength, {2147483648})),
       "corrupt: tile size 256x2147483648, expected 1 to 2147483647 each way"},
      {tiles().set(u32(tag::kTileWidth, {1u << 22})),
       "unsupported: a tile of 4194304x256 pixels of 3 uint8 samples; a tile may decode to at most "
       "2147483648 "
       "bytes"},
      {strips().set(u32(tag::kRowsPerStrip, {0})), "corrupt: RowsPerStrip 0, expected at least 1"},
      {tiles().set(u32(tag::kTileOffsets, {8, 8, 8})), "corrupt: 3 tile offsets, expected 4"},
      {tiles().set(u32(tag::kTileByteCounts, {1, 1, 1})), "corrupt: 3 tile byte counts, expected 4"},
      {tiles().set(u16(tag::kBitsPerSample, {5, 6, 5})),
       "unsupported: BitsPerSample 5, 6, 5: samples that differ from each other"},
      {tiles().set(u16(tag::kSampleFormat, {1, 1, 3})),
       "unsupported: SampleFormat 1, 1, 3: samples that differ from each other"},
      {tiles().set(u16(tag::kBitsPerSample, {0})), "corrupt: BitsPerSample 0, expected 1 to 64"},
      {tiles().set(u16(tag::kBitsPerSample, {65})), "unsupported: BitsPerSample 65, expected 1 to 64"},
      {tiles().set(u16(tag::kSampleFormat, {3})), "unsupported: floating-point samples of 8 bits"},
      {tiles().set(u16(tag::kSampleFormat, {6})), "unsupported: complex samples (SampleFormat 6)"},
      {tiles().set(u16(tag::kSampleFormat, {9})), "corrupt: SampleFormat 9, expected 1 to 6"},
      {tiles().set(u16(tag::kSamplesPerPixel, {0})), "corrupt: 0 samples per pixel, expected at least 1"},
      {tiles().set(u32(tag::kSamplesPerPixel, {65536})),
       "corrupt: SamplesPerPixel 65536, expected at most 65535"},
      {tiles().set(u16(tag::kPlanarConfiguration, {3})), "corrupt: PlanarConfiguration 3, expected 1 or 2"},
      {tiles().set(u32(tag::kImageDepth, {5})), "unsupported: ImageDepth 5: volumes"},
  };
  for (const auto& row : rows) EXPECT_EQ(error_of(row.directory), row.error);
}

}  // namespace
}  // namespace microtome
