// OME-TIFF on made files. What the XML alone says stands in ome_xml_test.cc; real files in
// real_slides_test.cc; pixels are compared in Python.
#include <gtest/gtest.h>

#include <string>

#include "microtome/slide/formats/formats_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

std::string ome(const std::string& images, const std::string& uuid = "urn:uuid:1") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME UUID='" + uuid + "'>" + images + "</OME>";
}

std::string image(const std::string& name, const std::string& pixels, const std::string& inside) {
  return "<Image Name='" + name + "'><Pixels " + pixels + ">" + inside + "</Pixels></Image>";
}

std::string names(const Slide& slide) {
  std::string text;
  for (const FileImage& each : slide.file_images()) text += each.name + "; ";
  return text;
}

/// Two channels, z planes, each a directory of its own with one SubIFD; channel varies fastest.
TestTiff stack(int z, const std::string& inside =
                          "<Channel Name='a' Color='-16776961'/><Channel Name='b'/><TiffData/>") {
  TestTiff tiff;
  const std::string xml =
      ome(image("liver", "DimensionOrder='XYCZT' SizeC='2' SizeZ='" + std::to_string(z) + "'", inside));
  for (int i = 0; i < 2 * z; ++i) {
    TestDirectory& plane = tiff.directory(grey({512, 400}, {256, 256}, 8 + static_cast<uint32_t>(i)));
    plane.subs.push_back(reduced(grey({256, 200}, {256, 256}, 8 + static_cast<uint32_t>(i))));
    plane.subs.push_back(reduced(grey({128, 100}, {256, 256}, 8 + static_cast<uint32_t>(i))));
    if (i == 0) plane.set(ascii(tag::kImageDescription, xml));
  }
  return tiff;
}

TEST(OmeTiff, ChannelsAreSamplesAndSubIfdsLevels) {
  const auto slide = opened(stack(1));
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->format(), "ome-tiff");
  EXPECT_EQ(property(*slide, "openslide.vendor"), "generic-tiff");
  EXPECT_EQ(sizes(*slide), "512x400 256x200 128x100 ");
  EXPECT_EQ(first_offsets(*slide, 0), "8 9 ");
  EXPECT_EQ(first_offsets(*slide, 2), "8 9 ");
  ASSERT_EQ(slide->channels().size(), 2u);
  EXPECT_EQ(slide->channels()[0].name, "a");
  EXPECT_EQ(slide->channels()[0].color, (std::array<uint8_t, 3>{255, 0, 0}));
  EXPECT_EQ(names(*slide), "liver; ");
  EXPECT_EQ(property(*slide, "ome.Image.Name"), "liver");
  EXPECT_EQ(property(*slide, "microtome.other-images"), "(none)");
}

// What happened before: where the first channel had no tile, the others' were taken for absent too.
TEST(OmeTiff, ATileThatOnlySomeChannelsHaveIsRefused) {
  for (const int absent : {0, 1}) {
    TestTiff tiff;
    const std::string xml = ome(image("x", "SizeC='2'", "<TiffData PlaneCount='2'/>"));
    for (int channel = 0; channel < 2; ++channel) {
      const uint32_t here = channel == absent ? 0 : 1;
      TestDirectory& plane = tiff.directory(grey({512, 256}, {256, 256}));
      plane.set(u32(tag::kTileByteCounts, {here, 0}));
      if (channel == 0) plane.set(ascii(tag::kImageDescription, xml));
    }
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide);
    const auto tile = slide->tile(0, 0, 0);
    const std::string error =
        "unsupported: a tile that is there for some of its samples only (sample 1 differs)";
    if (absent == 0) {
      ASSERT_FALSE(tile.ok());
      EXPECT_EQ(tile.error().to_string(), error);
    } else {
      ASSERT_TRUE(tile.ok());  // a read asks for the planes then
      EXPECT_EQ(first_offsets(*slide), error);
    }
    EXPECT_FALSE(slide->tile(0, 1, 0).value()) << "absent in both";
  }
}

TEST(OmeTiff, EveryZAndTIsAnImageOfTheFile) {
  const TestTiff tiff = stack(3);
  for (size_t z = 0; z < 3; ++z) {
    const auto slide = opened(tiff, {.image = z});
    ASSERT_TRUE(slide);
    EXPECT_EQ(names(*slide), "liver, z 0; liver, z 1; liver, z 2; ");
    EXPECT_EQ(first_offsets(*slide), std::to_string(8 + 2 * z) + " " + std::to_string(9 + 2 * z) + " ");
    EXPECT_EQ(slide->file_images()[z].size, (Size{512, 400}));
    EXPECT_EQ(slide->file_images()[z].levels, 3u);
    EXPECT_EQ(slide->file_images()[z].samples, 2);
  }
  EXPECT_EQ(error_of(tiff, {.image = 3}), "out of range: image 3: the file has 3 images");
}

TEST(OmeTiff, ImagesComeInTheXmlsOrderAndPhotographsAreAssociated) {
  TestTiff tiff;
  tiff.directory(
      described(tiled({512, 400}, {256, 256}),
                ome(image("scan", "SizeC='3'", "<Channel SamplesPerPixel='3'/><TiffData IFD='0'/>") +
                    image("Label image", "SizeC='3'", "<Channel SamplesPerPixel='3'/><TiffData IFD='2'/>") +
                    image("macro", "", "<TiffData IFD='1'/>"))));
  tiff.directory(grey({100, 50}, {64, 64}));
  tiff.directory(stripped({60, 70}, 16));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(names(*slide), "scan; Label image; macro; ");
  EXPECT_TRUE(slide->channels().empty());
  ASSERT_EQ(slide->associated().size(), 2u);
  EXPECT_EQ(slide->find_associated("label")->size, (Size{60, 70}));
  EXPECT_EQ(slide->find_associated("macro")->size, (Size{100, 50}));
  const auto macro = opened(tiff, {.image = 2});
  EXPECT_EQ(sizes(*macro), "100x50 ");
  EXPECT_EQ(macro->find_associated("macro"), nullptr);
}

TEST(OmeTiff, ChannelsThatCannotBeJoinedAreImagesOfTheirOwn) {
  TestTiff tiff;
  const std::string rgb = "<Channel SamplesPerPixel='3'/>";
  tiff.directory(
      described(tiled({512, 400}, {256, 256}), ome(image("x", "SizeC='6'", rgb + rgb + "<TiffData/>"))));
  tiff.directory(tiled({512, 400}, {256, 256}));
  const auto slide = opened(tiff, {.image = 1});
  ASSERT_TRUE(slide);
  EXPECT_EQ(names(*slide), "x, channel 0; x, channel 1; ");
  EXPECT_EQ(slide->image(0).format.samples, 3);
}

TEST(OmeTiff, APlaneUnlikeTheFirstFailsAlone) {
  TestTiff tiff;
  const std::string xml = ome(image("x", "SizeZ='2'", "<TiffData/>"));
  tiff.directory(described(grey({512, 400}, {256, 256}), xml));
  tiff.directory(grey({512, 400}, {256, 256}).remove(tag::kTileOffsets));
  EXPECT_TRUE(opened(tiff));
  EXPECT_EQ(error_of(tiff, {.image = 1}), "corrupt: ome-tiff: x, z 1: TileOffsets (tag 324) is missing");
}

TEST(OmeTiff, LevelsThatAreNoneAreSaid) {
  TestTiff odd;
  TestDirectory& first = odd.directory(
      described(grey({512, 400}, {256, 256}), ome(image("x", "SizeC='2'", "<TiffData PlaneCount='2'/>"))));
  first.subs.push_back(grey({512, 400}, {256, 256}));
  first.subs.push_back(grey({256, 200}, {256, 256}));
  first.subs.push_back(grey({128, 100}, {256, 256}));
  TestDirectory& second = odd.directory(grey({512, 400}, {256, 256}));
  second.subs.push_back(grey({512, 400}, {256, 256}));
  second.subs.push_back(grey({256, 200}, {128, 128}));
  const auto slide = opened(odd);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "512x400 ");
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "SubIFD 0 of x: corrupt: not a level below the one before it\n"
            "SubIFD 1 of x: unsupported: channel 1 (256x200 uint8 in tiles of 128x128, uncompressed) is kept "
            "otherwise than "
            "channel 0 (256x200 uint8 in tiles of 256x256, uncompressed)\n"
            "SubIFD 2 of x: corrupt: some channels have it, others do not");
}

TEST(OmeTiff, AFileOfASetSaysSo) {
  TestTiff tiff;
  tiff.directory(
      described(grey({512, 400}, {256, 256}),
                ome(image("x", "SizeZ='2'",
                          "<TiffData IFD='0' FirstZ='1'><UUID>urn:uuid:1</UUID></TiffData>"
                          "<TiffData IFD='0'><UUID FileName='other.ome.tif'>urn:uuid:2</UUID></TiffData>"))));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(names(*slide), "x, z 1; ");
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "x: unsupported: planes in other files of a set, which are not looked for: other.ome.tif");
}

TEST(OmeTiff, AFileThatAnotherOneDescribesGivesItsDirectories) {
  TestTiff tiff;
  tiff.directory(described(grey({512, 400}, {256, 256}),
                           "<OME UUID='urn:uuid:1'><BinaryOnly MetadataFile='set.companion.ome'/></OME>"));
  tiff.directory(grey({300, 200}, {256, 256}));
  const auto slide = opened(tiff, {.image = 1});
  ASSERT_TRUE(slide);
  EXPECT_EQ(names(*slide), "directory 0; directory 1; ");
  EXPECT_EQ(sizes(*slide), "300x200 ");
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "this file: unsupported: one of a set, whose planes are described in set.companion.ome");
}

TEST(OmeTiff, PhysicalSizesComeBeforeTiffsResolution) {
  const std::pair<const char*, std::optional<double>> rows[] = {
      {"PhysicalSizeX='0.25' PhysicalSizeY='0.25'", 0.25},
      {"PhysicalSizeX='1' PhysicalSizeXUnit='pixel' PhysicalSizeY='1' PhysicalSizeYUnit='pixel'", {}},
      {"", 0.5}};
  for (const auto& [attributes, mpp] : rows) {
    TestTiff tiff;
    tiff.directory(described(grey({512, 400}, {256, 256}), ome(image("x", attributes, "<TiffData/>"))))
        .set(u16(tag::kResolutionUnit, {3}))
        .set(rational(tag::kXResolution, 20000, 1))
        .set(rational(tag::kYResolution, 20000, 1));
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide);
    ASSERT_EQ(slide->mpp().has_value(), mpp.has_value()) << attributes;
    if (mpp) {
      EXPECT_DOUBLE_EQ(slide->mpp()->x, *mpp) << attributes;
    }
  }
}

TEST(OmeTiff, WhatCannotBeRead) {
  TestTiff broken, order, nothing;
  broken.directory(described(grey({512, 400}, {256, 256}), "<OME><Image></OME>"));
  EXPECT_EQ(error_of(broken), "corrupt: ome-tiff: XML, line 1 column 15: mismatched tag");
  order.directory(
      described(grey({512, 400}, {256, 256}), ome(image("x", "DimensionOrder='ZYX'", "<TiffData/>"))));
  EXPECT_TRUE(error_of(order).starts_with("corrupt: ome-tiff: OME-XML: DimensionOrder")) << error_of(order);
  nothing.directory(
      described(grey({512, 400}, {256, 256}).remove(tag::kImageWidth), ome(image("x", "", "<TiffData/>"))));
  EXPECT_EQ(error_of(nothing), "corrupt: ome-tiff: directory 0: ImageWidth (tag 256) is missing");
}

}  // namespace
}  // namespace microtome
