// How the directories of made TIFFs are sorted into images.
#include "microtome/slide/tiff_pyramids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "microtome/slide/slide.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

TestDirectory as_reduced(TestDirectory directory) {
  return directory.set(u32(tag::kNewSubfileType, {1}));
}

/// "0>2>1 | 3": the images, each as its levels' pages.
std::string sorted(const TestTiff& tiff) {
  const auto file = tiff::parse(tiff.source());
  EXPECT_TRUE(file.ok()) << file.error().to_string();
  const auto found = find_tiff_pyramids(*file);
  if (!found.ok()) return found.error().to_string();
  std::string text;
  std::multiset<size_t> seen;
  for (const TiffPyramid& image : found->images) {
    text += text.empty() ? "" : " | ";
    for (size_t i = 0; i < image.levels.size(); ++i)
      text += (i == 0 ? "" : ">") + std::to_string(image.levels[i]);
    seen.insert(image.levels.begin(), image.levels.end());
  }
  EXPECT_EQ(seen.size(), std::set<size_t>(seen.begin(), seen.end()).size())
      << "a page of two images: " << text;
  return text;
}

TEST(TiffPyramids, PagesOfOneSizeAreAnImageEach) {
  TestTiff tiff;
  for (int i = 0; i < 3; ++i) tiff.directory(stripped({30, 20}, 8));
  EXPECT_EQ(sorted(tiff), "0 | 1 | 2");
}

TEST(TiffPyramids, ReducedImagesGoToTheFirstThatTheyFit) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {64, 64}));              // 0
  tiff.directory(as_reduced(tiled({256, 256}, {64, 64})));  // 1
  tiff.directory(tiled({1024, 512}, {64, 64}));             // 2
  tiff.directory(as_reduced(tiled({256, 256}, {64, 64})));  // 3: of the second, as OpenSlide has it
  tiff.directory(as_reduced(stripped({256, 128}, 16)));     // 4: strips must have the shape
  tiff.directory(as_reduced(stripped({100, 30}, 16)));      // 5: fits none
  EXPECT_EQ(sorted(tiff), "0>1 | 2>3>4 | 5");
}

TEST(TiffPyramids, StripPyramidsMarkedOrNot) {
  TestTiff tiff;
  tiff.directory(stripped({400, 300}, 16));
  tiff.directory(stripped({200, 150}, 150));
  tiff.directory(as_reduced(stripped({100, 75}, 1)));
  EXPECT_EQ(sorted(tiff), "0>1>2");
}

TEST(TiffPyramids, SubIfdsBelongToTheirOwnDirectory) {
  TestTiff tiff;
  for (int plane = 0; plane < 2; ++plane) {
    TestDirectory& base = tiff.directory(tiled({512, 512}, {64, 64}));
    base.subs.push_back(as_reduced(tiled({256, 256}, {64, 64})));
    base.subs.push_back(as_reduced(tiled({128, 128}, {64, 64})));
  }
  EXPECT_EQ(sorted(tiff), "0>2>3 | 1>4>5");  // pages 2 and 3 hang below directory 0
}

TEST(TiffPyramids, MasksHaveLevelsThatAreMasks) {
  const auto mask = [](Size size, uint32_t subfile_type) {
    return tiled(size, {64, 64})
        .set(u16(tag::kPhotometric, {4}))
        .set(u32(tag::kNewSubfileType, {subfile_type}));
  };
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {64, 64}));
  tiff.directory(mask({512, 512}, 4));
  tiff.directory(as_reduced(tiled({256, 256}, {64, 64})));
  tiff.directory(mask({256, 256}, 5));
  EXPECT_EQ(sorted(tiff), "0>2 | 1>3");
}

TEST(TiffPyramids, WhatCannotBeReadIsOfNoImage) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {64, 64}));
  tiff.directory(tiled({512, 512}, {64, 64}).remove(tag::kImageWidth));
  tiff.directory(tiled({512, 512}, {64, 64}));
  EXPECT_EQ(sorted(tiff), "0 | 2");
  TestTiff first;
  first.directory(tiled({512, 512}, {64, 64}).remove(tag::kImageWidth));
  first.directory(tiled({512, 512}, {64, 64}));
  EXPECT_EQ(sorted(first), "corrupt: directory 0: ImageWidth (tag 256) is missing");
}

TEST(TiffPyramids, KindsAreWhatDirectoriesSay) {
  const auto kind = [](uint32_t subfile_type, uint16_t photometric) {
    TiffImage image;
    image.subfile_type = subfile_type;
    image.format.color = static_cast<Color>(photometric);
    return std::string(tiff_image_kind(image));
  };
  EXPECT_EQ(kind(0, 2), "image");
  EXPECT_EQ(kind(1, 2), "reduced image");
  EXPECT_EQ(kind(2, 2), "page");
  EXPECT_EQ(kind(4, 1), "mask");
  EXPECT_EQ(kind(0, 4), "mask");
}

// ---- as slides

TestTiff two_images() {
  TestTiff tiff;
  tiff.directory(tiled({512, 384}, {64, 64})).set(ascii(tag::kImageDescription, "first"));
  tiff.directory(as_reduced(tiled({256, 192}, {64, 64})));
  tiff.directory(stripped({300, 300}, 7))
      .set(ascii(tag::kImageDescription, "second"))
      .set(u16(tag::kSamplesPerPixel, {1}))
      .set(u16(tag::kBitsPerSample, {16}))
      .set(u16(tag::kPhotometric, {1}));
  return tiff;
}

TEST(FileImages, EachOpensAsASlideOfItsOwn) {
  const TestTiff tiff = two_images();
  for (size_t i = 0; i < 2; ++i) {
    const auto slide = Slide::open(tiff.source(), {.image = i});
    ASSERT_TRUE(slide.ok()) << slide.error().to_string();
    const auto images = (*slide)->file_images();
    ASSERT_EQ(images.size(), 2u);
    EXPECT_EQ(images[0].levels, 2u);
    EXPECT_EQ(images[1].name, "directory 2");
    EXPECT_EQ(images[1].kind, "image");
    EXPECT_EQ((*slide)->opened_image(), i);
    EXPECT_EQ((*slide)->levels().size(), images[i].levels);
    EXPECT_EQ((*slide)->levels()[0].size, images[i].size);
    EXPECT_EQ((*slide)->image(0).format.samples, images[i].samples);
    EXPECT_EQ((*slide)->image(0).format.type, images[i].type);
    EXPECT_EQ((*slide)->raw_description(), i == 0 ? "first" : "second");
    EXPECT_EQ((*slide)->properties().at("microtome.other-images"),
              i == 0 ? "directory 2: 300x300, samples unlike the first's"
                     : "directory 0: 512x384, not smaller than the first\n"
                       "directory 1: 256x192, samples unlike the first's");
  }
}

TEST(FileImages, ShareNoTileSpace) {
  const TestTiff tiff = two_images();
  std::set<uint64_t> spaces;
  for (size_t i = 0; i < 2; ++i) {
    const auto slide = Slide::open(tiff.source(), {.image = i}).value();
    for (int k = 0; k < slide->image_count(); ++k) spaces.insert(slide->tile_space(static_cast<uint32_t>(k)));
  }
  EXPECT_EQ(spaces.size(), 3u);
}

TEST(FileImages, ANumberTooLargeIsOutOfRange) {
  const auto slide = Slide::open(two_images().source(), {.image = 2});
  ASSERT_FALSE(slide.ok());
  EXPECT_EQ(slide.error().code, Errc::out_of_range);
  EXPECT_EQ(slide.error().message, "image 2: the file has 2 images");
}

TEST(FileImages, AFormatThatKnowsOfOneHasOne) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {256, 256})).set(ascii(tag::kImageDescription, "Aperio"));
  tiff.directory(tiled({512, 512}, {256, 256}));
  const auto slide = Slide::open(tiff.source());
  ASSERT_TRUE(slide.ok());
  ASSERT_EQ((*slide)->file_images().size(), 1u);
  EXPECT_EQ((*slide)->file_images()[0].size, (Size{512, 512}));
  const auto second = Slide::open(tiff.source(), {.image = 1});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, "image 1: the file has 1 image");
}

}  // namespace
}  // namespace microtome
