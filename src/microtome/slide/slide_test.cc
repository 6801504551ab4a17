#include "microtome/slide/slide.h"

#include <gtest/gtest.h>

#include <string>

#include "microtome/base/error_for_test.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {
namespace {

std::shared_ptr<const ByteSource> memory(std::string text) {
  auto bytes = std::make_shared<const std::string>(std::move(text));
  return make_memory_source({std::as_bytes(std::span(*bytes)), bytes});
}

/// A grid of 256-pixel tiles, each of 10 bytes, the first at offset 100 and then one after another.
std::unique_ptr<TileGrid> grid(Size size) {
  auto made = std::make_unique<TileGrid>();
  made->size = size;
  made->tile = {256, 256};
  made->cols = (size.w + 255) / 256;
  made->rows = (size.h + 255) / 256;
  made->format.size = made->tile;
  std::vector<uint64_t> offsets, counts;
  for (int64_t i = 0; i < made->cols * made->rows; ++i) {
    offsets.push_back(static_cast<uint64_t>(100 + 10 * i));
    counts.push_back(10);
  }
  made->offsets = tiff::LazyArray::of(offsets);
  made->byte_counts = tiff::LazyArray::of(counts);
  return made;
}

SlideIndex index_of(std::initializer_list<Size> levels) {
  SlideIndex index;
  for (const Size size : levels) index.levels.push_back(grid(size));
  return index;
}

Result<std::shared_ptr<const Slide>> make(SlideIndex index) {
  return Slide::make(memory(std::string(1000, 'x')), "made", std::move(index));
}

std::string error_of(SlideIndex index) {
  return error_text(make(std::move(index)));
}

TEST(Slide, DownsamplesAreTheExactRatioOfEachAxis) {
  SlideIndex index = index_of({{1000, 700}, {300, 200}});
  index.mpp = Mpp{0.25, 0.5};
  const auto slide = make(std::move(index));
  ASSERT_TRUE(slide.ok()) << slide.error().to_string();
  const auto levels = (*slide)->levels();
  EXPECT_EQ(levels[0].downsample_x, 1);
  EXPECT_EQ(levels[1].downsample_x, 1000 / 300.0);
  EXPECT_EQ(levels[1].downsample_y, 700 / 200.0);
  EXPECT_EQ(levels[1].mpp->x, 0.25 * (1000 / 300.0));
  EXPECT_EQ(levels[1].mpp->y, 0.5 * (700 / 200.0));
  // OpenSlide has one number for both axes: their mean.
  EXPECT_EQ((*slide)->properties().at("openslide.level[1].downsample"), "3.416666666666667");
}

TEST(Slide, ImagesAreLevelsThenAssociatedImages) {
  SlideIndex index = index_of({{600, 600}, {300, 300}});
  index.associated.emplace_back("label", grid({50, 40}));
  const auto slide = make(std::move(index));
  ASSERT_TRUE(slide.ok()) << slide.error().to_string();
  EXPECT_EQ((*slide)->format(), "made");
  EXPECT_EQ((*slide)->name(), "<memory>");
  EXPECT_EQ((*slide)->image_count(), 3);
  EXPECT_EQ((*slide)->image(2).size, (Size{50, 40}));
  EXPECT_EQ((*slide)->image_name(1), "level 1");
  EXPECT_EQ((*slide)->image_name(2), "associated image label");
}

TEST(Slide, TilesAreRowMajor) {
  const auto slide = make(index_of({{600, 600}}));
  ASSERT_TRUE(slide.ok());
  const auto tile = (*slide)->tile(0, 2, 1);
  ASSERT_TRUE(tile.ok() && tile->has_value());
  EXPECT_EQ((*tile)->bytes, (ByteRange{150, 10}));
  EXPECT_EQ((*tile)->format, &(*slide)->image(0).format);
}

TEST(Slide, NoBytesMeansNoTile) {
  SlideIndex index = index_of({{300, 100}});
  index.levels[0]->byte_counts = tiff::LazyArray::of({0, 5});
  const auto slide = make(std::move(index));
  ASSERT_TRUE(slide.ok());
  const auto absent = (*slide)->tile(0, 0, 0);
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(absent->has_value());
  EXPECT_TRUE((*slide)->tile(0, 1, 0)->has_value());
}

TEST(Slide, ATileBeyondTheEndIsCorrupt) {
  SlideIndex index = index_of({{1000, 100}});
  index.levels[0]->offsets = tiff::LazyArray::of({990, 991, UINT64_MAX, 0});
  const auto slide = make(std::move(index));
  ASSERT_TRUE(slide.ok());
  EXPECT_TRUE((*slide)->tile(0, 0, 0).ok());
  const auto past = (*slide)->tile(0, 1, 0);
  ASSERT_FALSE(past.ok());
  EXPECT_EQ(past.error().to_string(), "corrupt: 10 tile bytes at 991 pass the end of the file (1000 bytes)");
  const auto overflow = (*slide)->tile(0, 2, 0);
  ASSERT_FALSE(overflow.ok());
  EXPECT_EQ(overflow.error().to_string(),
            "corrupt: 10 tile bytes at 18446744073709551615 pass the end of the file (1000 bytes)");
}

TEST(Slide, TheLastStripIsEncodedShort) {
  SlideIndex index = index_of({{200, 600}});
  index.levels[0]->last_row_is_short = true;
  const auto slide = make(std::move(index));
  ASSERT_TRUE(slide.ok());
  EXPECT_EQ((*(*slide)->tile(0, 0, 1))->format->size, (Size{256, 256}));
  EXPECT_EQ((*(*slide)->tile(0, 0, 2))->format->size, (Size{256, 88}));
  EXPECT_EQ((*slide)->image(0).shown(0, 2), (Rect{0, 0, 200, 88}));
}

TEST(Slide, PropertiesAreValidUtf8) {
  SlideIndex index = index_of({{200, 600}});
  index.properties["vendor.\xB5"] = "\xFC";
  index.raw_description = "\xE4";
  const auto slide = make(std::move(index));
  ASSERT_TRUE(slide.ok());
  EXPECT_EQ((*slide)->properties().at("vendor.\xC2\xB5"), "\xC3\xBC");
  EXPECT_EQ((*slide)->raw_description(), "\xC3\xA4");
}

TEST(Slide, MakeBelievesNothing) {
  EXPECT_EQ(error_of(SlideIndex{}), "corrupt: made: no levels, expected at least one");
  EXPECT_EQ(error_of(index_of({{300, 300}, {200, 301}})),
            "corrupt: made: level 1 is 200x301, expected at most 300x300 of the one before it");
  const auto with = [](auto change) {
    SlideIndex index = index_of({{300, 300}});
    change(*index.levels[0]);
    return index;
  };
  EXPECT_EQ(error_of(with([](TileGrid& g) { g.size.w = 0; })),
            "corrupt: made: level 0: image size 0x300, expected 1 to 2147483647 each way");
  EXPECT_EQ(error_of(with([](TileGrid& g) { g.tile.h = -1; })),
            "corrupt: made: level 0: tile size 256x-1, expected 1 to 2147483647 each way");
  EXPECT_EQ(error_of(with([](TileGrid& g) { g.cols = 3; })),
            "corrupt: made: level 0: 3x2 tiles, expected 2x2 for 300x300 pixels in tiles of 256x256");
  EXPECT_EQ(error_of(with([](TileGrid& g) {
              g.format.size = {128, 256};
            })),
            "corrupt: made: level 0: tiles are encoded as 128x256, expected 256x256");
  EXPECT_EQ(error_of(with([](TileGrid& g) { g.offsets = tiff::LazyArray(); })),
            "corrupt: made: level 0: 0 tile offsets, expected 4");
  EXPECT_EQ(error_of(with([](TileGrid& g) {
              g.byte_counts = tiff::LazyArray::of({1, 2, 3});
            })),
            "corrupt: made: level 0: 3 tile byte counts, expected 4");

  SlideIndex broken = index_of({{300, 300}});
  broken.associated.emplace_back("label", grid({50, 40}));
  broken.associated[0].second->rows = 0;
  EXPECT_EQ(
      error_of(std::move(broken)),
      "corrupt: made: associated image label: 1x0 tiles, expected 1x1 for 50x40 pixels in tiles of 256x256");
  SlideIndex twice = index_of({{300, 300}});
  for (int i = 0; i < 2; ++i) twice.associated.emplace_back("label", grid({50, 40}));
  EXPECT_EQ(error_of(std::move(twice)), "corrupt: made: two associated images are named label");
}

TEST(Slide, WhatIsNoSlideIsNamedByItsFirstBytes) {
  const auto error = [](std::string bytes) {
    return Slide::open(memory(std::move(bytes))).error().to_string();
  };
  EXPECT_EQ(error(""), "unsupported: the file is empty");
  EXPECT_EQ(error("%PDF-1.4 and so on"),
            "unsupported: not a slide in a known format (tried aperio, philips-tiff, ome-tiff, qptiff, "
            "generic-tiff): "
            "the file begins with 25 50 "
            "44 46 2d 31 2e 34");
  EXPECT_EQ(error("II"),
            "unsupported: not a slide in a known format (tried aperio, philips-tiff, ome-tiff, qptiff, "
            "generic-tiff): "
            "the file "
            "begins with 49 49");
}

TEST(Slide, ATiffCutAnywhereOpensOrRefuses) {
  TestTiff tiff;
  tiff.directory(tiled({512, 512}, {256, 256}).set(ascii(tiff::tag::kImageDescription, "Aperio|MPP = 0.5")));
  tiff.directory(stripped({64, 64}, 16));
  const std::string whole = tiff.build();
  ASSERT_TRUE(Slide::open(memory(whole)).ok());
  size_t refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto slide = Slide::open(memory(whole.substr(0, size)));
    if (slide.ok()) continue;
    ++refused;
    EXPECT_TRUE(slide.error().code == Errc::corrupt || slide.error().code == Errc::unsupported);
    EXPECT_FALSE(slide.error().message.empty());
  }
  EXPECT_EQ(refused, whole.size());  // the last directory ends the file, so no cut leaves a whole chain
}

}  // namespace
}  // namespace microtome
