// QPTIFF on made files. The real one stands in real_slides_test.cc; pixels are compared in Python.
#include <gtest/gtest.h>

#include <string>

#include "microtome/slide/formats/formats_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

std::string xml(std::string_view type, std::string_view inside = "") {
  return "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<PerkinElmer-QPI-ImageDescription>\r\n  "
         "<ImageType>" +
         std::string(type) + "</ImageType>" + std::string(inside) + "</PerkinElmer-QPI-ImageDescription>";
}

TestDirectory band(Size size, std::string_view type, std::string_view inside = "", uint32_t offset = 8) {
  return described(grey(size, {256, 256}, offset), xml(type, inside));
}

TestDirectory photograph(Size size, std::string_view type) {
  return described(stripped(size, 16), xml(type));
}

/// Two bands, thumbnail, two levels, overview, label.
TestTiff fluorescence() {
  TestTiff tiff;
  tiff.directory(
          band({512, 400}, "FullResolution",
               "<Name>DAPI</Name><Color>0,0,255</Color><SlideID> S 1 </SlideID><Barcode/><Objective>10x"
               "</Objective><ScanProfile><root><ScanResolution><Magnification>20</Magnification>"
               "</ScanResolution></root></ScanProfile>",
               8))
      .set(u16(tag::kResolutionUnit, {3}))
      .set(rational(tag::kXResolution, 20000, 1))
      .set(rational(tag::kYResolution, 25000, 1));
  tiff.directory(band({512, 400}, "FullResolution",
                      "<Name>Opal 570</Name><Biomarker>CD8</Biomarker><Color>255,128,0</Color>", 9));
  tiff.directory(photograph({64, 50}, "Thumbnail"));
  for (const Size size : {Size{256, 200}, Size{128, 100}})
    for (const uint32_t offset : {10u, 11u}) tiff.directory(band(size, "ReducedResolution", "", offset));
  tiff.directory(photograph({80, 200}, "Overview"));
  tiff.directory(photograph({80, 60}, "Label"));
  return tiff;
}

TEST(Qptiff, BandsAreChannelsAndReducedOnesLevels) {
  const auto slide = opened(fluorescence());
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->format(), "qptiff");
  EXPECT_EQ(sizes(*slide), "512x400 256x200 128x100 ");
  EXPECT_EQ(slide->image(0).format.samples, 2);
  EXPECT_EQ(first_offsets(*slide, 0), "8 9 ");
  EXPECT_EQ(first_offsets(*slide, 2), "10 11 ");
  ASSERT_EQ(slide->channels().size(), 2u);
  EXPECT_EQ(slide->channels()[0].name, "DAPI");
  EXPECT_EQ(slide->channels()[0].color, (std::array<uint8_t, 3>{0, 0, 255}));
  EXPECT_EQ(slide->channels()[1].name, "CD8");
  EXPECT_EQ(slide->channels()[1].color, (std::array<uint8_t, 3>{255, 128, 0}));
  EXPECT_EQ(property(*slide, "microtome.other-images"), "(none)");
}

TEST(Qptiff, PhotographsAreAssociatedImages) {
  const auto slide = opened(fluorescence());
  ASSERT_TRUE(slide);
  ASSERT_EQ(slide->associated().size(), 3u);
  EXPECT_EQ(slide->find_associated("thumbnail")->size, (Size{64, 50}));
  EXPECT_EQ(slide->find_associated("macro")->size, (Size{80, 200}));
  EXPECT_EQ(slide->find_associated("label")->size, (Size{80, 60}));
}

TEST(Qptiff, WhatItSaysOfItself) {
  const auto slide = opened(fluorescence());
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->objective_power(), 20);
  EXPECT_EQ(slide->mpp()->x, 0.5);
  EXPECT_EQ(slide->mpp()->y, 0.4);
  EXPECT_EQ(property(*slide, "openslide.vendor"), "generic-tiff");
  EXPECT_EQ(property(*slide, "qptiff.SlideID"), "S 1");
  EXPECT_EQ(property(*slide, "qptiff.Barcode"), "(none)");
  EXPECT_EQ(property(*slide, "qptiff.ScanProfile"), "(none)");
  EXPECT_EQ(property(*slide, "qptiff.band[1].Biomarker"), "CD8");
  EXPECT_TRUE(slide->raw_description().starts_with("<?xml"));
}

TEST(Qptiff, TheObjectiveIsTheMagnificationWhereNoProfileSaysMore) {
  const std::pair<const char*, std::optional<double>> rows[] = {{"<Objective>20x</Objective>", 20.},
                                                                {"<Objective>40X</Objective>", 40.},
                                                                {"<Objective>WideFOV</Objective>", {}},
                                                                {"<Objective>0x</Objective>", {}},
                                                                {"", {}}};
  for (const auto& [inside, power] : rows) {
    TestTiff tiff;
    tiff.directory(band({512, 400}, "FullResolution", inside));
    EXPECT_EQ(opened(tiff)->objective_power(), power) << inside;
  }
}

TEST(Qptiff, ColoursThatAreNoneAreLeftOut) {
  for (const char* color : {"", "0,0", "0,0,0,0", "256,0,0", "-1,0,0", "red", "0.5,0,0", "0,,0"}) {
    TestTiff tiff;
    tiff.directory(band({512, 400}, "FullResolution", "<Color>" + std::string(color) + "</Color>"));
    EXPECT_FALSE(opened(tiff)->channels()[0].color) << color;
  }
}

TEST(Qptiff, BrightfieldHasNoNamedChannels) {
  TestTiff tiff;
  tiff.directory(described(tiled({512, 400}, {256, 256}), xml("FullResolution", "<Name>BF</Name>")));
  tiff.directory(described(tiled({256, 200}, {256, 256}), xml("ReducedResolution")));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "512x400 256x200 ");
  EXPECT_EQ(slide->image(0).format.samples, 3);
  EXPECT_FALSE(slide->image(0).format.planar);
  EXPECT_TRUE(slide->channels().empty());
}

TEST(Qptiff, WhatFitsNowhereIsSaid) {
  TestTiff tiff;
  tiff.directory(band({512, 400}, "FullResolution"));
  tiff.directory(band({512, 399}, "FullResolution"));
  tiff.directory(band({512, 400}, "ReducedResolution"));
  tiff.directory(band({256, 200}, "ReducedResolution"));
  tiff.directory(band({256, 200}, "ReducedResolution"));
  tiff.directory(photograph({64, 50}, "Label"));
  tiff.directory(photograph({65, 50}, "Label"));
  tiff.directory(photograph({66, 50}, "Hologram"));
  tiff.directory(stripped({67, 50}, 16));
  tiff.directory(described(stripped({68, 50}, 16), "<PerkinElmer-QPI"));
  tiff.directory(photograph({69, 50}, "Thumbnail").remove(tag::kStripOffsets));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "512x400 ");
  EXPECT_EQ(slide->associated().size(), 1u);
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "directory 1: 512x399, of full resolution, but of another size than the first\n"
            "directory 6: 65x50, the second label\n"
            "directory 7: 66x50, of a type that is not known\n"
            "directory 8: 67x50, of a type that is not known\n"
            "directory 9: corrupt: XML, line 1 column 1: unclosed token\n"
            "directory 2: 512x400, reduced, but not a level below the one before it\n"
            "directory 3: 256x200, a level of 2 bands, expected 1\n"
            "directory 10: corrupt: StripOffsets (tag 273) is missing");
}

TEST(Qptiff, WhatCannotBeRead) {
  TestTiff none, broken, differing;
  none.directory(photograph({64, 50}, "Thumbnail"));
  EXPECT_EQ(error_of(none), "corrupt: qptiff: no directory with the ImageType FullResolution");
  broken.directory(described(grey({512, 400}, {256, 256}), xml("FullResolution") + "<!--"));
  EXPECT_EQ(error_of(broken), "corrupt: qptiff: directory 0: XML, line 3 column 75: unclosed token");
  differing.directory(band({512, 400}, "FullResolution"));
  differing.directory(band({512, 400}, "FullResolution").set(u16(tag::kCompression, {5})));
  EXPECT_TRUE(error_of(differing).starts_with("unsupported: qptiff: directory 0: channel 1 ("))
      << error_of(differing);
}

}  // namespace
}  // namespace microtome
