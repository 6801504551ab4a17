// Philips TIFF on made files. What OpenSlide says of made slides, and their pixels, is compared in Python.
#include <gtest/gtest.h>

#include <string>

#include "microtome/slide/formats/formats_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

std::string attribute(const std::string& name, const std::string& value) {
  return "<Attribute Name=\"" + name + "\" PMSVR=\"IString\">" + value + "</Attribute>";
}

std::string spacing(const std::string& y, const std::string& x) {
  return attribute("DICOM_PIXEL_SPACING", "&quot;" + y + "&quot; &quot;" + x + "&quot;");
}

std::string level(const std::string& inside) {
  return "<DataObject ObjectType=\"PixelDataRepresentation\">" + inside + "</DataObject>";
}

std::string levels(const std::string& inside) {
  return attribute("PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE", "<Array>" + inside + "</Array>");
}

const std::string kThreeLevels =
    levels(level(spacing("0.00025", "0.00025")) + level(spacing("0.0005", "0.0005")) +
           level(spacing("0.001", "0.001")));

std::string scanned(const std::string& type, const std::string& inside) {
  return "<DataObject ObjectType=\"DPScannedImage\">" + attribute("PIM_DP_IMAGE_TYPE", type) + inside +
         "</DataObject>";
}

std::string document(const std::string& images, const std::string& more = "") {
  return "<?xml version=\"1.0\"?><DataObject ObjectType=\"DPUfsImport\">" +
         attribute("DICOM_MANUFACTURER", " PHILIPS\n") +
         attribute("PIM_DP_SCANNED_IMAGES", "<Array>" + images + "</Array>") + more + "</DataObject>";
}

/// Levels of 1000 x 700 in tiles of 128, as Philips pads them: 1024 x 768, 512 x 384, 256 x 256.
TestTiff slide_of(const std::string& xml) {
  TestTiff tiff;
  tiff.directory(described(tiled({1024, 768}, {128, 128}), xml))
      .set(ascii(tag::kSoftware, "Philips DP v1.0"));
  tiff.directory(reduced(tiled({512, 384}, {128, 128})));
  tiff.directory(reduced(tiled({256, 256}, {128, 128})));
  return tiff;
}

TestTiff whole(const std::string& inside = "", const std::string& more = "") {
  return slide_of(document(scanned("WSI", inside + kThreeLevels), more));
}

TEST(PhilipsTiff, LevelsAreLevel0DividedByTheirPixelSpacing) {
  const auto slide = opened(whole());
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->format(), "philips-tiff");
  EXPECT_EQ(property(*slide, "openslide.vendor"), "philips");
  EXPECT_EQ(sizes(*slide), "1024x768 512x384 256x192 ");
  EXPECT_EQ(slide->image(2).cols * slide->image(2).rows, 4);
  EXPECT_EQ(slide->levels()[2].downsample_y, 4);
  EXPECT_EQ(property(*slide, "microtome.other-images"), "(none)");
}

// Each expected size is what OpenSlide 4.0.1 gives for such a file.
TEST(PhilipsTiff, ReductionsAreWholeNumbersFromBothAxes) {
  const struct {
    const char *y1, *x1, *y2, *x2, *sizes;
  } rows[] = {
      {"0.0005", "0.0005", "0.001", "0.001", "640x512 320x256 160x128 "},
      {"0.00049", "0.000502", "0.00101", "0.00102", "640x512 320x256 160x128 "},
      {"0.0006", "0.00065", "0.001", "0.001", "640x512 213x170 160x128 "},
      {"0.00025", "0.00075", "0.0008", "0.0012", "640x512 320x256 160x128 "},
  };
  for (const auto& row : rows) {
    TestTiff tiff;
    const std::string xml =
        document(scanned("WSI", levels(level(spacing("0.00025", "0.00025")) + level(spacing(row.y1, row.x1)) +
                                       level(spacing(row.y2, row.x2)))));
    tiff.directory(described(tiled({640, 512}, {128, 128}), xml)).set(ascii(tag::kSoftware, "Philips"));
    tiff.directory(reduced(tiled({row.sizes[8] == '2' ? 256 : 384, 256}, {128, 128})));
    tiff.directory(reduced(tiled({256, 128}, {128, 128})));
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide);
    EXPECT_EQ(sizes(*slide), row.sizes);
  }
}

TEST(PhilipsTiff, ValuesAreProperties) {
  const auto slide =
      opened(whole(spacing("0.000252", "0.00025") + attribute("TWICE", "one") + attribute("TWICE", "two") +
                       attribute("NESTED", "<Array><DataObject/></Array>") + attribute("EMPTY", "") +
                       "<Attribute>nameless</Attribute><Other Name=\"OTHER\">x</Other>",
                   attribute("PIM_DP_UFS_BARCODE", "bWFk\nZQ==") + attribute("TWICE", "three")));
  ASSERT_TRUE(slide);
  std::map<std::string, std::string> found;
  for (const auto& [key, value] : slide->properties())
    if (key.starts_with("philips.")) found[key.substr(8)] = value;
  const std::string sequence = "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE";
  EXPECT_EQ(found, (std::map<std::string, std::string>{
                       {"DICOM_MANUFACTURER", " PHILIPS\n"},
                       {"DICOM_PIXEL_SPACING", "\"0.000252\" \"0.00025\""},
                       {"EMPTY", ""},
                       {sequence + "[0].DICOM_PIXEL_SPACING", "\"0.00025\" \"0.00025\""},
                       {sequence + "[1].DICOM_PIXEL_SPACING", "\"0.0005\" \"0.0005\""},
                       {sequence + "[2].DICOM_PIXEL_SPACING", "\"0.001\" \"0.001\""},
                       {"PIM_DP_IMAGE_TYPE", "WSI"},
                       {"PIM_DP_UFS_BARCODE", "bWFk\nZQ=="},
                       {"TWICE", "three"},
                   }));
  EXPECT_EQ(property(*slide, "openslide.mpp-x"), "0.25");
  EXPECT_EQ(property(*slide, "openslide.mpp-y"), "0.252");
  EXPECT_EQ(property(*slide, "openslide.barcode"), "made");
  EXPECT_EQ(property(*slide, "openslide.comment"), "(none)");
  EXPECT_EQ(property(*slide, "tiff.ImageDescription"), "(none)");
  EXPECT_EQ(property(*slide, "tiff.Software"), "Philips DP v1.0");
  EXPECT_TRUE(slide->raw_description().starts_with("<?xml"));
}

TEST(PhilipsTiff, ASpacingThatIsNoneIsNoMpp) {
  for (const char* text : {"", "abc", "0.00025", "0.00025 0.00025 1", "0 0.00025", "-1 0.00025", "nan 1"}) {
    TestTiff tiff = whole(attribute("DICOM_PIXEL_SPACING", text));
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide) << text;
    EXPECT_FALSE(slide->mpp()) << text;
  }
  EXPECT_EQ(opened(whole(attribute("DICOM_PIXEL_SPACING", "0,00025 \"0.0003\"")))->mpp()->y, 0.25);
}

// A grey JPEG of 8 x 9 up to its frame header, and nothing behind it.
const std::string kJpeg = "/9j/wAALCAAJAAgBAREA";

TEST(PhilipsTiff, PhotographsComeFromTheXml) {
  const auto image = [](const std::string& type, const std::string& data) {
    return scanned(type, attribute("PIM_DP_IMAGE_DATA", data));
  };
  const TestTiff tiff =
      slide_of(document(image("LABELIMAGE", kJpeg) + scanned("WSI", kThreeLevels) +
                        image("MACROIMAGE", "\n" + kJpeg + " ") + image("LABELIMAGE", "AAAA")));
  const auto source = tiff.source();
  const auto slide = Slide::open(source).value();
  ASSERT_EQ(slide->associated().size(), 2u);
  const int label = slide->find_associated("label")->image, macro = slide->find_associated("macro")->image;
  EXPECT_EQ(slide->find_associated("label")->size, (Size{8, 9}));
  EXPECT_EQ(slide->tile(label, 0, 0).value()->bytes, (ByteRange{source->size(), 15}));
  EXPECT_EQ(slide->tile(macro, 0, 0).value()->bytes, (ByteRange{source->size() + 15, 15}));
  EXPECT_EQ(slide->source().size(), source->size() + 30);
  EXPECT_EQ(slide->source().id(), source->id());
  std::array<std::byte, 2> start{};
  ASSERT_TRUE(slide->source().read_at(source->size() + 15, start).ok());
  EXPECT_EQ(start[0], std::byte{0xFF});
  EXPECT_EQ(start[1], std::byte{0xD8});
}

TEST(PhilipsTiff, DirectoriesOfPhotographsComeBeforeTheXml) {
  TestTiff tiff = slide_of(
      document(scanned("WSI", kThreeLevels) + scanned("LABELIMAGE", attribute("PIM_DP_IMAGE_DATA", kJpeg))));
  tiff.directory(described(stripped({30, 40}, 16), "Label"));
  tiff.directory(described(stripped({31, 40}, 16), "Label, the second"));
  tiff.directory(described(tiled({50, 60}, {64, 64}), "Macro"));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(slide->find_associated("label")->size, (Size{31, 40}));
  EXPECT_EQ(slide->find_associated("macro")->size, (Size{50, 60}));
  EXPECT_EQ(sizes(*slide), "1024x768 512x384 256x192 ");
}

TEST(PhilipsTiff, WhatIsLeftOutIsSaid) {
  TestTiff tiff = slide_of(document(scanned("WSI", kThreeLevels) +
                                    scanned("LABELIMAGE", attribute("PIM_DP_IMAGE_DATA", "iVBORw0KGgo=")) +
                                    scanned("MACROIMAGE", attribute("PIM_DP_IMAGE_DATA", "AAA"))));
  tiff.directory(stripped({30, 40}, 16));
  tiff.directory(tiled({512, 384}, {128, 128}));
  tiff.directory(stripped({30, 40}, 16).remove(tag::kImageWidth));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_TRUE(slide->associated().empty());
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "directory 3: 30x40, in strips, and neither label nor macro\n"
            "directory 4: 512x384, tiled, but not smaller than the level before it\n"
            "directory 5: corrupt: ImageWidth (tag 256) is missing\n"
            "label: corrupt: not a JPEG stream\n"
            "macro: corrupt: base64: it ends within a group of four");
}

TEST(PhilipsTiff, IsFoundByWhatItSays) {
  TestTiff other = slide_of("<DataObject ObjectType=\"DPUfsExport\"/>"), broken = slide_of(document("</a>")),
           hostile = slide_of("<!DOCTYPE DataObject>" + document(scanned("WSI", kThreeLevels)).substr(21));
  for (const TestTiff* tiff : {&other, &broken, &hostile}) EXPECT_EQ(opened(*tiff)->format(), "generic-tiff");
  TestTiff software;
  software.directory(described(tiled({512, 512}, {256, 256}), document(scanned("WSI", kThreeLevels))))
      .set(ascii(tag::kSoftware, "GIMP"));
  EXPECT_EQ(opened(software)->format(), "generic-tiff");
}

TEST(PhilipsTiff, XmlThatContradictsTheFileIsCorrupt) {
  const auto error = [](const std::string& images) { return error_of(slide_of(document(images))); };
  const std::string l0 = level(spacing("0.00025", "0.00025"));
  EXPECT_EQ(error(""), "corrupt: philips-tiff: 0 scanned images of type WSI, expected 1");
  EXPECT_EQ(error(scanned("WSI", kThreeLevels) + scanned("WSI", kThreeLevels)),
            "corrupt: philips-tiff: 2 scanned images of type WSI, expected 1");
  EXPECT_EQ(error(scanned("WSI", levels(l0))),
            "corrupt: philips-tiff: 3 tiled levels, expected 1 as in the XML");
  EXPECT_EQ(error(scanned("WSI", levels(l0 + level("") + l0))),
            "corrupt: philips-tiff: DICOM_PIXEL_SPACING '' of level 1, expected two positive numbers");
  EXPECT_EQ(
      error(scanned("WSI", levels(l0 + level(spacing("0.0001", "0.0001")) + l0))),
      "corrupt: philips-tiff: level 1 has pixels 0 times as wide as level 0's, expected 1 to 2147483647");
  EXPECT_EQ(error(scanned("WSI", levels(l0 + level(spacing("1e300", "1e300")) + l0))).substr(0, 36),
            "corrupt: philips-tiff: level 1 has p");
  EXPECT_EQ(
      error(scanned("WSI", levels(l0 + level(spacing("0.001", "0.001")) + level(spacing("0.002", "0.002"))))),
      "corrupt: philips-tiff: level 1: 256x192 pixels by its pixel spacing, expected the width and height of "
      "its "
      "512x384 to fill the same tiles");
  EXPECT_EQ(error(scanned("WSI", levels(l0 + level(spacing("9", "9")) + l0))),
            "corrupt: philips-tiff: level 1: image size 0x0, expected 1 to 2147483647 each way");
}

}  // namespace
}  // namespace microtome
