// An Aperio slide in a file, with pixels known by formula: the reference for tests of the C API.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "microtome/io/temporary_files_for_test.h"
#include "microtome/microtome.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {

/// Two levels of 0.25 µm per pixel and up in tiles of 32×16 pixels, a thumbnail and a label; 20x; a colour
/// profile.
class SlideFile {
 public:
  static constexpr Size kLevel0{100, 70}, kLevel1{50, 35}, kThumbnail{40, 28}, kLabel{30, 20}, kTile{32, 16};
  static constexpr const char* kProfile = "not really a profile";

  /// Sample `c` of pixel x, y of an image: 0 and 1 the levels, 2 the thumbnail, 3 the label.
  static uint8_t sample(int image, int64_t x, int64_t y, int64_t c) {
    return static_cast<uint8_t>((7 * x + 13 * y + 101 * c + 37 * image) ^ (x * y));
  }

  /// `broken`: tile 1, 0 of level 0 (x from 32 to 63, y from 0 to 15) lacks a byte.
  explicit SlideFile(bool broken = false, const char* name = "slide.svs")
      : path(folder_.write(name, content(broken))) {}

  /// What a read of `region`, in pixels of the image, gives: `fill` outside of it.
  static std::vector<uint8_t> expected(int image, Size size, Rect region, uint8_t fill = 255) {
    std::vector<uint8_t> pixels;
    for (int64_t y = region.y; y < region.bottom(); ++y) {
      for (int64_t x = region.x; x < region.right(); ++x) {
        const bool inside = x >= 0 && y >= 0 && x < size.w && y < size.h;
        for (int64_t c = 0; c < 3; ++c) pixels.push_back(inside ? sample(image, x, y, c) : fill);
      }
    }
    return pixels;
  }

 private:
  static std::string tile(int image, int64_t col, int64_t row) {
    std::string bytes;
    for (int64_t y = row * kTile.h; y < (row + 1) * kTile.h; ++y)
      for (int64_t x = col * kTile.w; x < (col + 1) * kTile.w; ++x)
        for (int64_t c = 0; c < 3; ++c) bytes += static_cast<char>(sample(image, x, y, c));
    return bytes;
  }

  static void add_level(tiff::TiffBuilder& builder, int image, Size size, bool broken) {
    TestDirectory directory = tiled(size, kTile);
    std::vector<uint32_t> offsets, counts;
    for (int64_t row = 0; row * kTile.h < size.h; ++row) {
      for (int64_t col = 0; col * kTile.w < size.w; ++col) {
        const std::string bytes = tile(image, col, row);
        offsets.push_back(static_cast<uint32_t>(builder.append(bytes)));
        counts.push_back(static_cast<uint32_t>(bytes.size()) - (broken && col == 1 && row == 0));
      }
    }
    directory.set(u32(tiff::tag::kTileOffsets, offsets)).set(u32(tiff::tag::kTileByteCounts, counts));
    directory.set(ascii(tiff::tag::kImageDescription, "Aperio Image Library v1|MPP = 0.25|AppMag = 20"));
    if (image == 0) directory.set(undefined(34675, kProfile));
    builder.directory(directory.tags);
  }

  static void add_associated(tiff::TiffBuilder& builder, int image, Size size, const char* description) {
    TestDirectory directory = stripped(size, size.h);
    std::string bytes;
    for (const uint8_t each : expected(image, size, {0, 0, size.w, size.h})) bytes += static_cast<char>(each);
    const auto count = static_cast<uint32_t>(bytes.size());
    directory.set(u32(tiff::tag::kStripOffsets, {static_cast<uint32_t>(builder.append(bytes))}));
    directory.set(u32(tiff::tag::kStripByteCounts, {count}));
    directory.set(ascii(tiff::tag::kImageDescription, description));
    builder.directory(directory.tags);
  }

  static std::string content(bool broken) {
    tiff::TiffBuilder builder;
    add_level(builder, 0, kLevel0, broken);
    add_associated(builder, 2, kThumbnail, "Aperio Image Library v1");
    add_level(builder, 1, kLevel1, false);
    add_associated(builder, 3, kLabel, "Aperio Image Library v1\nlabel 30x20");
    return builder.str();
  }

  TemporaryDirectory folder_;

 public:
  const std::string path;
};

/// An open slide, closed with the test.
class OpenSlide {
 public:
  explicit OpenSlide(const SlideFile& file) {
    EXPECT_EQ(microtome_open(file.path.c_str(), &slide, &error), MICROTOME_OK) << error.message;
  }
  OpenSlide(const OpenSlide&) = delete;
  OpenSlide& operator=(const OpenSlide&) = delete;
  ~OpenSlide() { microtome_close(slide); }

  microtome_slide* slide = nullptr;
  microtome_error error{};
};

}  // namespace microtome
