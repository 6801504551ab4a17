// Real slides, where a checkout has them beside it: every file opens or is refused with a reason, every tile
// can be asked for, and what the slides say of themselves is what OpenSlide 4.0.1 says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "microtome/slide/slide.h"
#include "microtome/slide/text.h"

namespace microtome {
namespace {

namespace fs = std::filesystem;

fs::path slides_folder() {
  const char* named = std::getenv("MICROTOME_SLIDES");
  return named != nullptr ? named : MICROTOME_SLIDES_DIR;
}

class RealSlides : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(slides_folder()))
      GTEST_SKIP() << "no slides in " << slides_folder() << "; set MICROTOME_SLIDES";
  }

  static std::shared_ptr<const Slide> opened(const std::string& file) {
    auto source = open_file((slides_folder() / file).string());
    EXPECT_TRUE(source.ok()) << file << ": " << source.error().to_string();
    if (!source.ok()) return nullptr;
    auto slide = Slide::open(*source);
    EXPECT_TRUE(slide.ok()) << file << ": " << slide.error().to_string();
    return slide.ok() ? *slide : nullptr;
  }
};

std::string level_sizes(const Slide& slide) {
  std::string text;
  for (const Level& level : slide.levels())
    text += std::to_string(level.size.w) + "x" + std::to_string(level.size.h) + " ";
  return text;
}

/// Asks for every tile of every image (of huge ones, for the first and last). Returns how many there are.
size_t ask_for_tiles(const Slide& slide) {
  constexpr int64_t kMaxTiles = 20000;
  size_t found = 0;
  for (int image = 0; image < slide.image_count(); ++image) {
    const TileGrid& grid = slide.image(image);
    const int64_t count = grid.cols * grid.rows;
    for (int64_t i = 0; i < count; ++i) {
      if (i == kMaxTiles / 2 && count > kMaxTiles) i = count - kMaxTiles / 2;
      const int64_t col = i % grid.cols, row = i / grid.cols;
      const auto tile = slide.tile(image, col, row);
      const Rect shown = grid.shown(col, row);
      EXPECT_TRUE(shown.w >= 1 && shown.h >= 1 && shown.w <= grid.tile.w && shown.h <= grid.tile.h);
      if (!tile.ok()) {
        EXPECT_TRUE(tile.error().code == Errc::corrupt) << tile.error().to_string();
        continue;
      }
      if (!*tile) continue;
      ++found;
      const TileRef& ref = **tile;
      EXPECT_LE(ref.bytes.offset + ref.bytes.size, slide.source().size());
      EXPECT_TRUE(ref.format->size.w == grid.tile.w && ref.format->size.h >= shown.h);
    }
  }
  return found;
}

TEST_F(RealSlides, EveryFileOpensOrSaysWhyNot) {
  size_t opened = 0, refused = 0, tiles = 0;
  for (const char* folder :
       {"aperio", "generic-pyramid", "bigtiff", "ome-tiff", "qptiff", "tiff-edge", "tiff-corrupt"}) {
    for (const auto& entry : fs::recursive_directory_iterator(slides_folder() / folder)) {
      if (!entry.is_regular_file()) continue;
      SCOPED_TRACE(entry.path().string());
      auto source = open_file(entry.path().string());
      ASSERT_TRUE(source.ok()) << source.error().to_string();
      const auto slide = Slide::open(*source);
      if (!slide.ok()) {
        ++refused;
        const Errc code = slide.error().code;
        EXPECT_TRUE(code == Errc::corrupt || code == Errc::unsupported) << slide.error().to_string();
        EXPECT_GT(slide.error().message.size(), 15u) << slide.error().to_string();
        continue;
      }
      ++opened;
      tiles += ask_for_tiles(**slide);
      for (const auto& [key, value] : (*slide)->properties()) EXPECT_TRUE(is_utf8(key) && is_utf8(value));
    }
  }
  RecordProperty("opened", std::to_string(opened));
  RecordProperty("refused", std::to_string(refused));
  RecordProperty("tiles", std::to_string(tiles));
  EXPECT_GT(opened, refused);
  EXPECT_GT(tiles, 5000u);
}

// All that follows are OpenSlide 4.0.1's answers for these files.

TEST_F(RealSlides, AperioAsOpenSlideSeesIt) {
  struct Associated {
    const char* name;
    Size size;
  };
  const struct {
    const char* file;
    const char* sizes;
    double mpp;
    std::vector<Associated> associated;
    std::map<std::string, std::string> properties;
  } rows[] = {
      {"aperio/CMU-1-Small-Region.svs",
       "2220x2967 ",
       0.499,
       {{"thumbnail", {574, 768}}, {"label", {387, 463}}, {"macro", {1280, 431}}},
       {{"aperio.MPP", "0.4990"},
        {"aperio.ScanScope ID", "CPAPERIOCS"},
        {"aperio.User", "b414003d-95c6-48b0-9369-8010ed517ba7"},
        {"aperio.Originalheight", "33014"},
        {"openslide.level[0].tile-width", "240"},
        {"openslide.mpp-x", "0.499"},
        {"openslide.objective-power", "20"},
        {"openslide.associated.macro.width", "1280"},
        {"tiff.ResolutionUnit", "inch"}}},
      {"aperio/CMU-1-JP2K-Region.svs", "4000x3000 ", 0.499, {}, {{"aperio.Filtered", "5"}}},
      {"aperio/1065626.svs",
       "11952x10249 2988x2562 ",
       0.5026,
       {{"thumbnail", {895, 768}}},
       {{"aperio.DSR ID", "0000000000000"},
        {"aperio.ICC Profile", "AT2"},
        {"openslide.mpp-y", "0.50260000000000005"},
        {"openslide.level[1].downsample", "4.0001951600312253"},
        {"openslide.icc-size", "1687824"},
        {"openslide.associated.thumbnail.icc-size", "1687824"}}},
      {"aperio/small.svs", "16x16 ", 0.499, {{"thumbnail", {16, 16}}}, {{"aperio.AppMag", "20"}}},
      {"aperio/unreadable.svs", "16x16 ", 0.499, {{"thumbnail", {16, 16}}}, {}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.file);
    const auto slide = opened(row.file);
    ASSERT_TRUE(slide);
    EXPECT_EQ(slide->format(), "aperio");
    EXPECT_EQ(level_sizes(*slide), row.sizes);
    ASSERT_TRUE(slide->mpp() && slide->objective_power());
    EXPECT_EQ(slide->mpp()->x, row.mpp);
    EXPECT_EQ(slide->mpp()->y, row.mpp);
    EXPECT_EQ(slide->objective_power(), 20);
    ASSERT_EQ(slide->associated().size(), row.associated.size());
    for (const Associated& expected : row.associated) {
      const AssociatedImage* image = slide->find_associated(expected.name);
      ASSERT_TRUE(image) << expected.name;
      EXPECT_EQ(image->size, expected.size) << expected.name;
    }
    for (const auto& [key, value] : row.properties) {
      ASSERT_TRUE(slide->properties().contains(key)) << key;
      EXPECT_EQ(slide->properties().at(key), value) << key;
    }
    EXPECT_EQ(slide->properties().at("openslide.comment"), slide->raw_description());
  }
}

TEST_F(RealSlides, AperioTilesAreEncodedAsTheFilesSay) {
  const auto small = opened("aperio/CMU-1-Small-Region.svs");
  ASSERT_TRUE(small);
  const TileFormat& level = small->image(0).format;
  EXPECT_EQ(level.compression, Compression::jpeg);
  EXPECT_EQ(level.color, Color::rgb);
  EXPECT_FALSE(level.tables.data.empty());
  EXPECT_EQ(level.size, (Size{240, 240}));
  const TileGrid& label = small->image(small->find_associated("label")->image);
  EXPECT_EQ(label.format.compression, Compression::lzw);
  EXPECT_EQ(label.format.predictor, Predictor::horizontal);
  EXPECT_EQ(label.tile, (Size{387, 7}));
  EXPECT_EQ((*small->tile(small->find_associated("label")->image, 0, 66))->format->size, (Size{387, 1}));
  EXPECT_EQ(small->image(small->find_associated("macro")->image).tile, (Size{1280, 16}));
  EXPECT_EQ(opened("aperio/1065626.svs")->image(1).format.compression, Compression::aperio_jpeg2000_ycbcr);
  EXPECT_EQ(opened("aperio/CMU-1-JP2K-Region.svs")->image(0).format.compression,
            Compression::aperio_jpeg2000_rgb);
}

TEST_F(RealSlides, PyramidsAsOpenSlideSeesThem) {
  const struct {
    const char* file;
    const char* sizes;
    const char* mpp;  // openslide.mpp-x
  } rows[] = {
      {"big_cog.tiff", "64x64 32x32 16x16 8x8 4x4 ", ""},
      {"boxes.tiff", "300x250 150x125 75x62 37x31 ", "352.77777983377013"},
      {"image_rioCOG_gdal3.1.tif", "100x100 50x50 ", "352.77777777777777"},
      {"karolinska-mask.tif", "1024x256 512x128 256x64 ", ""},
      {"no_dzi.tif", "3072x3968 1536x1984 768x992 384x496 ", "0.97237061731805341"},
      {"patch-8-level.tif", "256x256 128x128 64x64 32x32 16x16 8x8 4x4 2x2 1x1 ", ""},
      {"rgba8_cog.tiff", "64x64 32x32 16x16 8x8 4x4 ", ""},
      {"rgba8_cog_big.tiff", "64x64 32x32 16x16 8x8 4x4 ", ""},
      {"small_HE_levels.tiff", "300x250 150x125 75x62 37x31 ", "352.85814906304194"},
      {"valid_tiff.tif", "205x205 102x102 ", "1000.0000142492353"},
      {"yb10kx5k.zstd.tiff", "10000x5000 5000x2500 2500x1250 1250x625 625x312 ", "352.85814912343398"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.file);
    const auto slide = opened(std::string("generic-pyramid/") + row.file);
    ASSERT_TRUE(slide);
    EXPECT_EQ(slide->format(), "generic-tiff");
    EXPECT_EQ(level_sizes(*slide), row.sizes);
    const auto mpp = slide->properties().find("openslide.mpp-x");
    EXPECT_EQ(mpp == slide->properties().end() ? "" : mpp->second, row.mpp);
  }
}

// OpenSlide sees neither SubIFDs nor strips. The sizes are those of the directories as tifffile lists them.
TEST_F(RealSlides, PyramidsThatOpenSlideDoesNotSeeWhole) {
  const auto subs = opened("generic-pyramid/patch.tif");
  ASSERT_TRUE(subs);
  EXPECT_EQ(level_sizes(*subs), "256x256 128x128 64x64 32x32 1x1 ");
  const auto strips = opened("generic-pyramid/image_sorted.tif");
  ASSERT_TRUE(strips);
  EXPECT_EQ(level_sizes(*strips), "512x512 256x256 128x128 64x64 ");
  const auto mask = opened("generic-pyramid/image_rgb_mask.tif");
  ASSERT_TRUE(mask);
  EXPECT_EQ(level_sizes(*mask), "512x512 ");
  EXPECT_EQ(mask->properties().at("microtome.other-images"), "directory 1: 512x512, a mask");
  // 23 of 48 tiles have no bytes.
  const auto sparse = opened("generic-pyramid/no_dzi.tif");
  ASSERT_TRUE(sparse);
  size_t absent = 0;
  for (int64_t row = 0; row < 8; ++row)
    for (int64_t col = 0; col < 6; ++col) absent += !sparse->tile(0, col, row)->has_value();
  EXPECT_EQ(absent, 23u);
}

}  // namespace
}  // namespace microtome
