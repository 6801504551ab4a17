#include "microtome/slide/formats/ome_xml.h"

#include <gtest/gtest.h>

#include <string>

#include "microtome/base/error_for_test.h"

namespace microtome {
namespace {

Result<OmeDocument> read(const std::string& inside, OmeContainer container = {.directories = 100},
                         const std::string& root = "<OME>") {
  const auto tree = parse_xml(root + inside + "</OME>");
  EXPECT_TRUE(tree.ok()) << tree.error().to_string();
  return read_ome_xml(*tree, container);
}

std::string pixels(const std::string& attributes, const std::string& inside) {
  return "<Image ID='Image:0'><Pixels " + attributes + ">" + inside + "</Pixels></Image>";
}

/// "directory:t,z,c …" of the first image.
std::string planes(const Result<OmeDocument>& document) {
  if (!document.ok()) return document.error().to_string();
  std::string text;
  for (const OmePlane& p : document->images.at(0).planes)
    text += std::to_string(p.directory) + ":" + std::to_string(p.t) + "," + std::to_string(p.z) + "," +
            std::to_string(p.c) + " ";
  return text;
}

// The fragments are those of the OME-TIFF specification, with fewer planes.
TEST(OmeXml, TiffDataAloneGivesEveryDirectoryAPlaneInOrder) {
  EXPECT_EQ(
      planes(read(pixels("DimensionOrder='XYZTC' SizeZ='3' SizeT='2' SizeC='2'", "<TiffData/>"))),
      "0:0,0,0 6:0,0,1 1:0,1,0 7:0,1,1 2:0,2,0 8:0,2,1 3:1,0,0 9:1,0,1 4:1,1,0 10:1,1,1 5:1,2,0 11:1,2,1 ");
  EXPECT_EQ(planes(read(pixels("DimensionOrder='XYCTZ' SizeZ='2' SizeT='2' SizeC='2'",
                               "<TiffData PlaneCount='5'/>"))),
            "0:0,0,0 1:0,0,1 4:0,1,0 2:1,0,0 3:1,0,1 ");
  EXPECT_EQ(planes(read(pixels("DimensionOrder='XYZTC' SizeZ='4' SizeT='2' SizeC='3'",
                               "<TiffData IFD='3' PlaneCount='5'/>"))),
            "3:0,0,0 4:0,1,0 5:0,2,0 6:0,3,0 7:1,0,0 ");
  EXPECT_EQ(
      planes(read(pixels("DimensionOrder='XYZTC' SizeT='3'",
                         "<TiffData IFD='0' FirstT='2'/><TiffData IFD='1' FirstT='1'/><TiffData IFD='2'/>"))),
      "2:0,0,0 1:1,0,0 0:2,0,0 ");
}

TEST(OmeXml, DirectoriesThatTheFileLacksAndPlacesBeyondTheSizesAreLeftOut) {
  EXPECT_EQ(planes(read(pixels("SizeZ='9'", "<TiffData/>"), {.directories = 2})), "0:0,0,0 1:0,1,0 ");
  EXPECT_EQ(planes(read(pixels("SizeZ='2'", "<TiffData PlaneCount='4000000000'/>"))), "0:0,0,0 1:0,1,0 ");
  EXPECT_EQ(planes(read(pixels("", "<TiffData IFD='100'/><TiffData IFD='4294967295'/>"))), "");
  EXPECT_EQ(planes(read(pixels("", "<TiffData IFD='0' FirstZ='1'/><TiffData IFD='1' FirstC='1'/>"))), "");
  EXPECT_EQ(planes(read(pixels("", ""))), "");
}

TEST(OmeXml, OfTwoDirectoriesForOnePlaceTheFirstCounts) {
  EXPECT_EQ(planes(read(pixels("", "<TiffData IFD='4'/><TiffData IFD='2'/>"))), "4:0,0,0 ");
}

TEST(OmeXml, ChannelsCountNotTheirSamples) {
  const std::string rgb = "<Channel SamplesPerPixel='3'/>";
  const OmeContainer container{.directories = 9, .samples_per_pixel = 3};
  EXPECT_EQ(
      planes(read(pixels("SizeC='3' SizeZ='2' DimensionOrder='XYCZT'", rgb + "<TiffData/>"), container)),
      "0:0,0,0 1:0,1,0 ");
  EXPECT_EQ(planes(read(pixels("SizeC='3' SizeZ='2' DimensionOrder='XYCZT'", "<TiffData/>"), container)),
            "0:0,0,0 1:0,1,0 ");
  // As samples: the second channel of three samples is number 3.
  EXPECT_EQ(planes(read(pixels("SizeC='6'", rgb + rgb + "<TiffData IFD='0'/><TiffData IFD='1' FirstC='3'/>"),
                        container)),
            "0:0,0,0 1:0,0,1 ");
}

TEST(OmeXml, PlanesOfOtherFilesAreNamedNotTaken) {
  const std::string here = "<UUID FileName='renamed.tif'> urn:uuid:1 </UUID>",
                    there = "<UUID FileName='b.ome.tif'>urn:uuid:2</UUID>",
                    unnamed = "<UUID>urn:uuid:3</UUID>";
  const std::string inside =
      pixels("SizeZ='3'", "<TiffData IFD='0'>" + here + "</TiffData><TiffData IFD='0' FirstZ='1'>" + there +
                              "</TiffData><TiffData IFD='0' FirstZ='2'>" + unnamed + "</TiffData>");
  const auto document = read(inside, {.directories = 1}, "<OME UUID='urn:uuid:1'>");
  EXPECT_EQ(planes(document), "0:0,0,0 ");
  EXPECT_EQ(document->images[0].other_files, (std::set<std::string>{"b.ome.tif", "urn:uuid:3"}));
  // A document without an identity of its own cannot tell.
  EXPECT_EQ(planes(read(inside, {.directories = 1})), "0:0,0,0 0:0,1,0 0:0,2,0 ");
}

TEST(OmeXml, ACompanionFileDescribesTheSet) {
  const auto document = read("<BinaryOnly MetadataFile='set.companion.ome' UUID='urn:uuid:9'/>");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->companion, "set.companion.ome");
  EXPECT_TRUE(document->images.empty());
}

TEST(OmeXml, NamesColoursSizesAndObjective) {
  const auto document = read(
      "<Instrument ID='Instrument:0'><Objective ID='Objective:0' NominalMagnification='10'/>"
      "<Objective ID='Objective:1' NominalMagnification='40.0'/></Instrument>"
      "<Image ID='Image:0' Name=' liver '><AcquisitionDate>2020-01-02T03:04:05</AcquisitionDate>"
      "<Description>a &amp; b</Description><ObjectiveSettings ID='Objective:1'/>"
      "<Pixels ID='Pixels:0' PhysicalSizeX='250' PhysicalSizeXUnit='nm' PhysicalSizeY='0.5' SizeC='3'>"
      "<Channel Name='DAPI' Color='65535'/><Channel Name='\xC2\xB5' Color='-16776961'/><Channel "
      "Color='blue'/>"
      "<TiffData/></Pixels></Image><Image ID='Image:1'><Pixels/></Image><Image ID='Image:2'/>");
  ASSERT_TRUE(document.ok()) << document.error().to_string();
  ASSERT_EQ(document->images.size(), 2u);
  const OmeImage& image = document->images[0];
  EXPECT_EQ(image.name, "liver");
  EXPECT_EQ(image.size_c, 3u);
  ASSERT_TRUE(image.mpp);
  EXPECT_DOUBLE_EQ(image.mpp->x, 0.25);
  EXPECT_EQ(image.mpp->y, 0.5);
  EXPECT_EQ(image.objective_power, 40);
  EXPECT_EQ(image.channels[0].name, "DAPI");
  EXPECT_EQ(image.channels[0].color, (std::array<uint8_t, 3>{0, 0, 255}));
  EXPECT_EQ(image.channels[1].color, (std::array<uint8_t, 3>{255, 0, 0}));
  EXPECT_EQ(image.channels[2].name, "");
  EXPECT_FALSE(image.channels[2].color);
  const std::pair<const char*, const char*> properties[] = {
      {"ome.Image.ID", "Image:0"},         {"ome.Image.Description", "a & b"},
      {"ome.Pixels.PhysicalSizeX", "250"}, {"ome.Image.AcquisitionDate", "2020-01-02T03:04:05"},
      {"ome.Channel[1].Name", "\xC2\xB5"},
  };
  for (const auto& [key, value] : properties) EXPECT_EQ(image.properties.at(key), value) << key;
  EXPECT_EQ(document->images[1].name, "Image:1");
  EXPECT_FALSE(document->images[1].has_physical_size);
}

TEST(OmeXml, LengthsInMicrometres) {
  const struct {
    const char *value, *unit;
    std::optional<double> expected;
  } rows[] = {
      {"0.5", "", 0.5},
      {"0.5", "\xC2\xB5m", 0.5},
      {"0.5", "\xCE\xBCm", 0.5},
      {"2", "mm", 2000},
      {"500", "nm", 0.5},
      {"1", "in", 25400},
      {"1", "\xC3\x85", 1e-4},
      {"72", "pt", 25400},
      {"1", "pixel", {}},
      {"1", "reference frame", {}},
      {"0", "", {}},
      {"-1", "", {}},
      {"nan", "", {}},
      {"", "", {}},
      {"1e308", "km", {}},
      {"1,5", "", 1.5},
  };
  for (const auto& row : rows) {
    const auto found = ome_micrometres(row.value, row.unit);
    ASSERT_EQ(found.has_value(), row.expected.has_value()) << row.value << " " << row.unit;
    if (found) {
      EXPECT_DOUBLE_EQ(*found, *row.expected) << row.value << " " << row.unit;
    }
  }
}

TEST(OmeXml, WhatIsNoNumberIsCorrupt) {
  const auto error = [](const std::string& attributes, const std::string& inside = "<TiffData/>") {
    return error_text(read(pixels(attributes, inside)));
  };
  EXPECT_EQ(error("SizeZ='x'"), "corrupt: OME-XML: SizeZ \"x\" of Pixels, expected a whole number");
  EXPECT_EQ(error("SizeT='-1'"), "corrupt: OME-XML: SizeT \"-1\" of Pixels, expected a whole number");
  EXPECT_EQ(error("SizeC='0'"), "corrupt: OME-XML: SizeC 0, expected at least 1");
  EXPECT_EQ(error("SizeZ='4294967296'"),
            "corrupt: OME-XML: SizeZ \"4294967296\" of Pixels, expected a whole number");
  EXPECT_EQ(error("", "<TiffData IFD='1.0'/>"),
            "corrupt: OME-XML: IFD \"1.0\" of TiffData, expected a whole number");
  for (const char* order : {"XYZ", "ZCTXY", "XYZZT", "XYCTZC", "YXZCT"})
    EXPECT_EQ(error("DimensionOrder='" + std::string(order) + "'"),
              "corrupt: OME-XML: DimensionOrder \"" + std::string(order) +
                  "\", expected XY and then Z, C and T in any order");
}

// Each element is short and stands for all directories: 3,000 of them would be 196 million planes.
TEST(OmeXml, PlanesAreLimited) {
  std::string inside;
  for (int i = 0; i < 3000; ++i) inside += "<TiffData/>";
  EXPECT_EQ(planes(read(pixels("SizeZ='65536'", inside), {.directories = 65536})),
            "corrupt: OME-XML: more planes than the limit of 1048576");
}

}  // namespace
}  // namespace microtome
