// How formats are told apart, and generic TIFF on made files; the others have tests beside them.
// What real files give stands in real_slides_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "microtome/slide/format.h"
#include "microtome/slide/formats/formats_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;
constexpr std::string_view kPhilips =
    "<DataObject ObjectType='DPUfsImport'><Attribute "
    "Name='PIM_DP_SCANNED_IMAGES'><Array><DataObject><Attribute "
    "Name='PIM_DP_IMAGE_TYPE'>WSI</Attribute><Attribute "
    "Name='PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE'><Array>"
    "<DataObject ObjectType='PixelDataRepresentation'><Attribute Name='DICOM_PIXEL_SPACING'>1 1</Attribute>"
    "</DataObject></Array></Attribute></DataObject></Array></Attribute></DataObject>";
constexpr std::string_view kQptiff =
    "<PerkinElmer-QPI-ImageDescription><ImageType>FullResolution</ImageType></"
    "PerkinElmer-QPI-ImageDescription>";

// A new format is a row here.
TEST(Formats, AreFoundByContentSpecificFirst) {
  TestTiff aperio, plain, stripped_aperio, philips, ome, qptiff;
  aperio.directory(described(tiled({512, 512}, {256, 256}), "Aperio Image Library v1"));
  plain.directory(tiled({512, 512}, {256, 256}));
  stripped_aperio.directory(described(stripped({512, 512}, 16), "Aperio Image Library v1"));
  philips.directory(described(tiled({512, 512}, {256, 256}), kPhilips)).set(ascii(tag::kSoftware, "Philips"));
  ome.directory(
      described(tiled({512, 512}, {256, 256}), "<OME><Image><Pixels><TiffData/></Pixels></Image></OME>"));
  qptiff.directory(described(tiled({512, 512}, {256, 256}), kQptiff));
  const struct {
    const TestTiff& tiff;
    const char *format, *openslide_vendor;
  } rows[] = {{aperio, "aperio", "aperio"},
              {philips, "philips-tiff", "philips"},
              {ome, "ome-tiff", "generic-tiff"},
              {qptiff, "qptiff", "generic-tiff"},
              {plain, "generic-tiff", "generic-tiff"},
              {stripped_aperio, "generic-tiff", "generic-tiff"}};
  for (const auto& row : rows) {
    const auto slide = opened(row.tiff);
    ASSERT_TRUE(slide);
    EXPECT_EQ(slide->format(), row.format);
    EXPECT_EQ(property(*slide, "openslide.vendor"), row.openslide_vendor);
  }
  ASSERT_EQ(formats().size(), 5u);
  EXPECT_EQ(formats().back()->name, "generic-tiff");
}

TEST(GenericTiff, MarkedReducedImagesAreLevelsLargestFirst) {
  TestTiff tiff;
  tiff.directory(stripped({512, 384}, 64));
  tiff.directory(reduced(tiled({128, 96}, {64, 64})));
  tiff.directory(reduced(tiled({256, 192}, {64, 64})));
  tiff.directory(reduced(stripped({64, 48}, 16)));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "512x384 256x192 128x96 64x48 ");
  EXPECT_EQ(property(*slide, "microtome.other-images"), "(none)");
}

TEST(GenericTiff, UnmarkedImagesAreLevelsWhenTheyCanBeNothingElse) {
  TestTiff tiff;
  tiff.directory(tiled({1001, 667}, {256, 256}));
  tiff.directory(tiled({500, 333}, {256, 256}));  // rounded down twice
  tiff.directory(tiled({251, 167}, {256, 256}));  // rounded up twice
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "1001x667 500x333 251x167 ");
}

TEST(GenericTiff, OtherImagesAreNotLevelsAndAreSaid) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {256, 256}));
  tiff.directory(tiled({512, 512}, {256, 256}));
  tiff.directory(reduced(tiled({256, 256}, {256, 256})).set(u32(tag::kNewSubfileType, {5})));
  tiff.directory(tiled({256, 256}, {256, 256}).set(u16(tag::kPhotometric, {4})));
  tiff.directory(tiled({256, 200}, {256, 256}));
  tiff.directory(stripped({256, 256}, 16));
  tiff.directory(tiled({256, 256}, {256, 256}).set(u32(tag::kNewSubfileType, {2})));
  tiff.directory(reduced(tiled({256, 256}, {256, 256}).set(u16(tag::kSamplesPerPixel, {4}))));
  tiff.directory(reduced(stripped({256, 200}, 16)));
  tiff.directory(tiled({256, 256}, {256, 256}).remove(tag::kImageLength));
  tiff.directory(reduced(tiled({256, 256}, {256, 256})));
  tiff.directory(reduced(tiled({256, 256}, {256, 256})));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "512x512 256x256 ");
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "directory 1: 512x512, not smaller than the first\n"
            "directory 2: 256x256, a mask\n"
            "directory 3: 256x256, a mask\n"
            "directory 4: 256x200, a shape unlike the first's\n"
            "directory 5: 256x256, not marked as a reduced image, and kept otherwise than the first\n"
            "directory 6: 256x256, a page\n"
            "directory 7: 256x256, samples unlike the first's\n"
            "directory 8: 256x200, a shape unlike the first's\n"
            "directory 9: corrupt: ImageLength (tag 257) is missing\n"
            "directory 11: 256x256, not smaller than another level");
}

TEST(GenericTiff, ManyOtherImagesAreCounted) {
  TestTiff tiff;
  for (int i = 0; i < 20; ++i) tiff.directory(tiled({8, 8}, {16, 16}));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  const std::string text = property(*slide, "microtome.other-images");
  EXPECT_TRUE(text.ends_with("directory 16: 8x8, not smaller than the first\nand 3 more")) << text;
}

TEST(GenericTiff, SubIfdsOfTheFirstDirectoryAreLevels) {
  TestTiff tiff;
  TestDirectory& first = tiff.directory(tiled({512, 512}, {256, 256}));
  first.subs.push_back(reduced(tiled({256, 256}, {256, 256})));
  first.subs.push_back(reduced(tiled({64, 64}, {256, 256})));
  TestDirectory& second = tiff.directory(reduced(tiled({128, 128}, {256, 256})));
  second.subs.push_back(reduced(tiled({32, 32}, {256, 256})));  // of another image: none of ours
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "512x512 256x256 128x128 64x64 ");
}

TEST(GenericTiff, ResolutionGivesTheMpp) {
  const struct {
    uint16_t unit;
    uint32_t x, y;
    std::optional<Mpp> mpp;
  } rows[] = {{2, 25400, 50800, Mpp{1, 0.5}},
              {3, 40000, 40000, Mpp{0.25, 0.25}},
              {1, 40000, 40000, {}},
              {7, 40000, 40000, {}},
              {3, 0, 40000, {}},
              {3, 40000, 0, {}}};
  for (const auto& row : rows) {
    TestTiff tiff;
    tiff.directory(tiled({512, 512}, {256, 256}))
        .set(u16(tag::kResolutionUnit, {row.unit}))
        .set(rational(tag::kXResolution, row.x, 1))
        .set(rational(tag::kYResolution, row.y, 1));
    tiff.directory(reduced(tiled({128, 128}, {256, 256})));
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide);
    ASSERT_EQ(slide->mpp().has_value(), row.mpp.has_value()) << row.unit << " " << row.x;
    if (!row.mpp) {
      EXPECT_EQ(property(*slide, "openslide.mpp-x"), "(none)");
      EXPECT_FALSE(slide->levels()[0].mpp);
      continue;
    }
    EXPECT_EQ(slide->mpp()->x, row.mpp->x);
    EXPECT_EQ(slide->mpp()->y, row.mpp->y);
    EXPECT_EQ(slide->levels()[1].mpp->x, 4 * row.mpp->x);
    EXPECT_EQ(slide->levels()[1].mpp->y, 4 * row.mpp->y);
  }
}

TEST(GenericTiff, ResolutionThatIsNoNumberIsLeftOut) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {256, 256}))
      .set(rational(tag::kXResolution, 1, 0))
      .set(rational(tag::kYResolution, 72, 1));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_FALSE(slide->mpp());
  EXPECT_EQ(property(*slide, "tiff.XResolution"), "(none)");
  EXPECT_EQ(property(*slide, "tiff.YResolution"), "72");
  EXPECT_EQ(property(*slide, "tiff.ResolutionUnit"), "inch");
}

TEST(GenericTiff, TextTagsAreProperties) {
  TestTiff tiff;
  TestDirectory& first = tiff.directory(tiled({512, 512}, {256, 256}));
  const std::pair<uint16_t, const char*> rows[] = {
      {270, "tiff.ImageDescription"}, {271, "tiff.Make"},        {272, "tiff.Model"},
      {305, "tiff.Software"},         {306, "tiff.DateTime"},    {315, "tiff.Artist"},
      {316, "tiff.HostComputer"},     {33432, "tiff.Copyright"}, {269, "tiff.DocumentName"},
  };
  for (const auto& [number, name] : rows) first.set(ascii(number, "the " + std::string(name)));
  first.set(rational(286, 3, 2)).set(rational(287, 1, 4)).set(u16(tag::kResolutionUnit, {9}));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  for (const auto& [number, name] : rows) EXPECT_EQ(property(*slide, name), "the " + std::string(name));
  EXPECT_EQ(property(*slide, "openslide.comment"), "the tiff.ImageDescription");
  EXPECT_EQ(slide->raw_description(), "the tiff.ImageDescription");
  EXPECT_EQ(property(*slide, "tiff.XPosition"), "1.5");
  EXPECT_EQ(property(*slide, "tiff.YPosition"), "0.25");
  EXPECT_EQ(property(*slide, "tiff.ResolutionUnit"), "unknown");
}

// What happened elsewhere: one byte that is not UTF-8 in any text tag kept the whole slide from opening.
TEST(GenericTiff, TextThatIsNotUtf8IsLatin1) {
  TestTiff tiff;
  tiff.directory(described(tiled({512, 512}, {256, 256}), "0.5 \xB5m"))
      .set(ascii(tag::kArtist, std::string_view("M\xFCller\0behind", 13)));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->raw_description(), "0.5 \xC2\xB5m");
  EXPECT_EQ(property(*slide, "tiff.Artist"), "M\xC3\xBCller");
}

TEST(GenericTiff, TextThatCannotBeReadIsLeftOut) {
  TestTiff tiff;
  TestDirectory& first = tiff.directory(tiled({512, 512}, {256, 256}));
  first.set(u16(tag::kSoftware, {1}));                                     // not text
  first.set(tiff::TiffBuilder().elsewhere(tag::kArtist, 2, 1u << 20, 8));  // beyond the end
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(property(*slide, "tiff.Software"), "(none)");
  EXPECT_EQ(property(*slide, "tiff.Artist"), "(none)");
}

TEST(GenericTiff, IccProfileIsThatOfTheFirstDirectory) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {256, 256})).set(undefined(tag::kIccProfile, "profile"));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  ASSERT_TRUE(slide->icc_profile());
  EXPECT_EQ(slide->icc_profile()->data.size(), 7u);
  EXPECT_EQ(property(*slide, "openslide.icc-size"), "7");

  TestTiff absurd;
  absurd.directory(tiled({512, 512}, {256, 256}))
      .set(tiff::TiffBuilder().elsewhere(tag::kIccProfile, 7, (16u << 20) + 1, 8));
  EXPECT_EQ(error_of(absurd),
            "corrupt: generic-tiff: directory 0: ICC profile of 16777217 bytes, expected at most 16777216");
}

TEST(GenericTiff, ErrorsNameTheDirectory) {
  TestTiff first, second;
  first.directory(tiled({512, 512}, {256, 256}).set(u32(tag::kTileWidth, {0})));
  EXPECT_EQ(error_of(first),
            "corrupt: generic-tiff: directory 0: tile size 0x256, expected 1 to 2147483647 each way");
  second.directory(tiled({512, 512}, {256, 256}));
  second.directory(reduced(tiled({256, 256}, {64, 64}).set(u32(tag::kTileOffsets, {8}))));
  EXPECT_EQ(error_of(second), "corrupt: generic-tiff: directory 1: 1 tile offsets, expected 16");
}

}  // namespace
}  // namespace microtome
