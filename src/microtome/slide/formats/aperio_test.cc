// Aperio SVS on made files: what it takes for a level, an associated image, a property.
// What real files give stands in real_slides_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "microtome/slide/formats/formats_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;
using Properties = std::map<std::string, std::string>;

constexpr std::string_view kDescription =
    "Aperio Image Library v11.2.1 \r\n46000x32914 (240x240) JPEG/RGB Q=30"
    "|AppMag = 20|MPP = 0.4990|Filename = CMU=1|no value|Title = a  b |= nameless|Twice = 1|Twice = 2";

TestDirectory aperio_base() {
  return described(tiled({4000, 3000}, {1000, 1000}), kDescription);
}

TEST(Aperio, FieldsArePropertiesAndGiveMppAndPower) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  tiff.directory(stripped({400, 300}, 16));
  tiff.directory(tiled({1000, 750}, {1000, 1000}));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  Properties found;
  for (const auto& [key, value] : slide->properties())
    if (key.starts_with("aperio.")) found[key] = value;
  EXPECT_EQ(found, (Properties{{"aperio.AppMag", "20"},
                               {"aperio.MPP", "0.4990"},
                               {"aperio.Filename", "CMU=1"},
                               {"aperio.Title", "a  b"},
                               {"aperio.Twice", "2"}}));
  EXPECT_EQ(property(*slide, "openslide.mpp-x"), "0.499");
  EXPECT_EQ(property(*slide, "openslide.mpp-y"), "0.499");
  EXPECT_EQ(property(*slide, "openslide.objective-power"), "20");
  EXPECT_EQ(slide->objective_power(), 20);
  EXPECT_EQ(sizes(*slide), "4000x3000 1000x750 ");
  EXPECT_DOUBLE_EQ(slide->levels()[1].mpp->x, 4 * 0.499);
  EXPECT_EQ(slide->raw_description(), kDescription);
}

TEST(Aperio, NonsenseInMppIsNoMpp) {
  for (const char* mpp : {"0", "-1", "inf", "unknown", ""}) {
    TestTiff tiff;
    tiff.directory(described(tiled({4000, 3000}, {1000, 1000}), std::string("Aperio|MPP = ") + mpp))
        .set(u16(tag::kResolutionUnit, {3}))
        .set(rational(tag::kXResolution, 28, 1))  // what editors write when they know nothing
        .set(rational(tag::kYResolution, 28, 1));
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide);
    EXPECT_FALSE(slide->mpp()) << mpp;
    EXPECT_FALSE(slide->objective_power());
    EXPECT_EQ(property(*slide, "openslide.mpp-x"), "(none)");
  }
}

TEST(Aperio, AssociatedImagesAreNamed) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  tiff.directory(described(stripped({400, 300}, 16), "Aperio Image Library\nlabel, it says here"));
  tiff.directory(described(stripped({30, 40}, 16), "Aperio Image Library v11.2.1 \nlabel 30x40"));
  tiff.directory(described(stripped({50, 60}, 16), "Aperio Image Library v11.2.1\rmacro 50x60\rmore"));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  ASSERT_EQ(slide->associated().size(), 3u);
  EXPECT_EQ(slide->associated()[0].name, "thumbnail");
  EXPECT_EQ(slide->associated()[1].name, "label");
  EXPECT_EQ(slide->associated()[2].name, "macro");
  ASSERT_TRUE(slide->find_associated("macro"));
  EXPECT_EQ(slide->find_associated("macro")->size, (Size{50, 60}));
  EXPECT_EQ(slide->find_associated("macro")->image, 3);
  EXPECT_EQ(slide->image_name(3), "associated image macro");
  EXPECT_EQ(property(*slide, "openslide.associated.label.width"), "30");
  EXPECT_EQ(property(*slide, "openslide.associated.label.height"), "40");
  EXPECT_FALSE(slide->find_associated("slide"));
}

TEST(Aperio, AssociatedImagesWithoutANameAreNamedBySubfileType) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  tiff.directory(stripped({400, 300}, 16));
  tiff.directory(described(stripped({30, 40}, 16), "Aperio Image Library\r\nlabel?")
                     .set(u32(tag::kNewSubfileType, {1})));  // CR, LF: an empty second line
  tiff.directory(stripped({50, 60}, 16).set(u32(tag::kNewSubfileType, {9})));
  tiff.directory(stripped({70, 80}, 16));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  ASSERT_EQ(slide->associated().size(), 3u);
  EXPECT_EQ(slide->find_associated("label")->size, (Size{30, 40}));
  EXPECT_EQ(slide->find_associated("macro")->size, (Size{50, 60}));
  EXPECT_EQ(property(*slide, "microtome.other-images"), "directory 4: 70x80, no name");
}

TEST(Aperio, ABrokenOrRepeatedAssociatedImageIsLeftOutAndSaid) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  tiff.directory(stripped({400, 300}, 16).remove(tag::kStripOffsets));
  tiff.directory(described(stripped({30, 40}, 16), "Aperio\nlabel"));
  tiff.directory(described(stripped({31, 41}, 16), "Aperio\nlabel"));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  ASSERT_EQ(slide->associated().size(), 1u);
  EXPECT_EQ(slide->associated()[0].size, (Size{30, 40}));
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "directory 1: corrupt: StripOffsets (tag 273) is missing\n"
            "directory 3: 31x41, a name used before, or too many images");
}

TEST(Aperio, NoMoreThanSixteenAssociatedImages) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  for (int i = 0; i < 20; ++i)
    tiff.directory(described(stripped({4, 4}, 4), "Aperio\nname" + std::to_string(i)));
  EXPECT_EQ(opened(tiff)->associated().size(), 16u);
}

TEST(Aperio, TiledDirectoriesThatDoNotShrinkAreNotLevels) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  tiff.directory(tiled({4000, 3000}, {1000, 1000}));  // another focal plane
  tiff.directory(tiled({1000, 750}, {1000, 1000}));
  const auto slide = opened(tiff);
  ASSERT_TRUE(slide);
  EXPECT_EQ(sizes(*slide), "4000x3000 1000x750 ");
  EXPECT_EQ(property(*slide, "microtome.other-images"),
            "directory 1: 4000x3000, tiled, but not a level below the one before it");
}

TEST(Aperio, TheThumbnailTakesTheLevelsProfileUnlessItHasItsOwn) {
  for (const bool own : {false, true}) {
    TestTiff tiff;
    tiff.directory(aperio_base()).set(undefined(tag::kIccProfile, "levels"));
    TestDirectory& thumbnail = tiff.directory(stripped({400, 300}, 16));
    if (own) thumbnail.set(undefined(tag::kIccProfile, "its own one"));
    tiff.directory(described(stripped({30, 40}, 16), "Aperio\nlabel"));
    const auto slide = opened(tiff);
    ASSERT_TRUE(slide);
    EXPECT_EQ(property(*slide, "openslide.icc-size"), "6");
    EXPECT_EQ(property(*slide, "openslide.associated.thumbnail.icc-size"), own ? "11" : "6");
    EXPECT_EQ(property(*slide, "openslide.associated.label.icc-size"), "(none)");
  }
}

TEST(Aperio, ABrokenLevelIsAnError) {
  TestTiff tiff;
  tiff.directory(aperio_base());
  tiff.directory(tiled({1000, 750}, {500, 500}).set(u32(tag::kTileByteCounts, {1})));
  EXPECT_EQ(error_of(tiff), "corrupt: aperio: directory 1: 1 tile byte counts, expected 4");
}

}  // namespace
}  // namespace microtome
