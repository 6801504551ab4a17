// Slides made in memory, with pixels known by formula: the reference for tests of reads.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/io/byte_source.h"
#include "microtome/slide/slide.h"
#include "microtome/tiff/lazy_array.h"

namespace microtome {

/// What one image of a test slide is to be.
struct TestImage {
  Size size;
  Size tile;
  uint16_t samples = 3;
  SampleType type = SampleType::u8;
  bool strips = false;                                        ///< The last row is stored short.
  std::function<bool(int64_t col, int64_t row)> absent = {};  ///< Tiles the file does not have; null: none.
  std::function<bool(int64_t col, int64_t row)> cut = {};     ///< Tiles whose byte count is half of theirs.
  std::function<bool(int64_t col, int64_t row)> flat = {};    ///< Tiles of one colour, kFlat.
  std::function<bool(int64_t col, int64_t row)> twin = {};    ///< Tiles that look like tile 0, 0.
  bool share_twins = false;                                   ///< Twins are stored once, at one offset.

  bool has(int64_t col, int64_t row) const { return !absent || !absent(col, row); }
};

/// Byte `byte` of pixel x, y of image number `image`: no two neighbours, tiles or images look alike.
inline std::byte test_byte(size_t image, int64_t x, int64_t y, size_t byte) {
  const uint64_t mixed = (static_cast<uint64_t>(x) * 0x9E3779B97F4A7C15) ^
                         (static_cast<uint64_t>(y) * 0xC2B2AE3D27D4EB4F) ^
                         ((image * 31 + byte) * 0x165667B19E3779F9);
  return static_cast<std::byte>((mixed ^ (mixed >> 29)) >> 32);
}

/// Every byte of a flat tile of a test slide.
constexpr std::byte kFlat{0xF3};

/// Byte `byte` of pixel x, y of `image`, which is number `number` of its slide.
inline std::byte test_byte(const TestImage& image, size_t number, int64_t x, int64_t y, size_t byte) {
  const int64_t col = x / image.tile.w, row = y / image.tile.h;
  if (image.flat && image.flat(col, row)) return kFlat;
  if (image.twin && image.twin(col, row)) return test_byte(number, x % image.tile.w, y % image.tile.h, byte);
  return test_byte(number, x, y, byte);
}

/// A slide of uncompressed tiles. What a tile stores beyond its image's edge is 0xEE: it must never be seen.
class TestSlide {
 public:
  explicit TestSlide(std::vector<TestImage> levels,
                     std::vector<std::pair<std::string, TestImage>> associated = {})
      : images_(std::move(levels)) {
    const size_t level_count = images_.size();
    for (auto& [name, image] : associated) images_.push_back(std::move(image));
    for (size_t i = 0; i < images_.size(); ++i) {
      auto grid = std::make_unique<TileGrid>(store(i));
      if (i < level_count) {
        index_.levels.push_back(std::move(grid));
      } else {
        index_.associated.emplace_back(associated[i - level_count].first, std::move(grid));
      }
    }
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }
  const TestImage& image(size_t number) const { return images_[number]; }

  /// Where tile (col, row) is stored.
  ByteRange range(size_t image, int64_t col, int64_t row) const {
    return ranges_[image][static_cast<size_t>(row * columns(images_[image]) + col)];
  }

  /// The slide over its own bytes in memory, or over a source that holds the same. Once.
  std::shared_ptr<const Slide> open(std::shared_ptr<const ByteSource> source = nullptr) {
    if (source == nullptr) source = make_memory_source({bytes_, nullptr}, "made.svs");
    auto slide = Slide::make(std::move(source), "test", std::move(index_));
    EXPECT_TRUE(slide.ok()) << (slide.ok() ? "" : slide.error().message);
    return slide.ok() ? *std::move(slide) : nullptr;
  }

  /// Whether `got` is `region` of the image, with `fill` outside of it and in absent tiles.
  ::testing::AssertionResult shows(const ImageView& got, size_t number, Rect region,
                                   const std::vector<std::byte>& fill) const {
    const TestImage& image = images_[number];
    for (int64_t y = 0; y < region.h; ++y) {
      for (int64_t x = 0; x < region.w; ++x) {
        const Point at{region.x + x, region.y + y};
        const bool inside = at.x >= 0 && at.y >= 0 && at.x < image.size.w && at.y < image.size.h &&
                            image.has(at.x / image.tile.w, at.y / image.tile.h);
        const std::byte* pixel = got.row(y) + static_cast<size_t>(x) * got.pixel_bytes();
        for (size_t i = 0; i < got.pixel_bytes(); ++i) {
          const std::byte expected = inside ? test_byte(image, number, at.x, at.y, i) : fill[i];
          if (pixel[i] != expected)
            return ::testing::AssertionFailure()
                   << "image " << number << " pixel " << at.x << "," << at.y << " byte " << i << " is "
                   << static_cast<int>(pixel[i]) << ", expected " << static_cast<int>(expected)
                   << (inside ? "" : " (background)");
        }
      }
    }
    return ::testing::AssertionSuccess();
  }

 private:
  static int64_t columns(const TestImage& image) { return ceil_div(image.size.w, image.tile.w); }

  TileGrid store(size_t number) {
    const TestImage& image = images_[number];
    TileGrid grid;
    grid.size = image.size;
    grid.tile = image.tile;
    grid.cols = columns(image);
    grid.rows = ceil_div(image.size.h, image.tile.h);
    grid.last_row_is_short = image.strips;
    grid.format.samples = image.samples;
    grid.format.type = image.type;
    grid.format.bits = static_cast<uint16_t>(8 * sample_bytes(image.type));
    grid.format.color = image.samples == 1 ? Color::black_is_zero : Color::rgb;
    grid.format.size = image.tile;
    std::vector<ByteRange>& ranges = ranges_.emplace_back();
    std::vector<uint64_t> offsets, counts;
    for (int64_t row = 0; row < grid.rows; ++row) {
      for (int64_t col = 0; col < grid.cols; ++col) {
        const bool shared = image.share_twins && row + col != 0 && image.twin(col, row);
        ByteRange range{bytes_.size(), image.has(col, row) && !shared ? store_tile(number, col, row) : 0};
        if (shared) range = ranges.front();
        if (image.cut && image.cut(col, row)) range.size /= 2;
        ranges.push_back(range);
        offsets.push_back(range.offset);
        counts.push_back(range.size);
      }
    }
    grid.offsets = tiff::LazyArray::of(std::move(offsets));
    grid.byte_counts = tiff::LazyArray::of(std::move(counts));
    return grid;
  }

  uint64_t store_tile(size_t number, int64_t col, int64_t row) {
    const TestImage& image = images_[number];
    const size_t pixel_bytes = image.samples * sample_bytes(image.type), before = bytes_.size();
    const int64_t first = row * image.tile.h;
    const int64_t rows = image.strips ? std::min(image.tile.h, image.size.h - first) : image.tile.h;
    for (int64_t y = first; y < first + rows; ++y) {
      for (int64_t x = col * image.tile.w; x < (col + 1) * image.tile.w; ++x) {
        const bool inside = x < image.size.w && y < image.size.h;
        for (size_t i = 0; i < pixel_bytes; ++i)
          bytes_.push_back(inside ? test_byte(image, number, x, y, i) : std::byte{0xEE});
      }
    }
    return bytes_.size() - before;
  }

  std::vector<TestImage> images_;
  std::vector<std::vector<ByteRange>> ranges_;
  std::vector<std::byte> bytes_;
  SlideIndex index_;
};

/// Memory for a region, with bytes between the rows and behind the last that a read must leave alone.
class TestCanvas {
 public:
  TestCanvas(Size size, uint16_t samples, SampleType type, int64_t gap = 5) {
    view_ = {nullptr, size, 0, samples, type};
    view_.row_stride = static_cast<int64_t>(view_.row_bytes()) + gap;
    bytes_.assign(static_cast<size_t>(view_.row_stride * size.h), kUntouched);
    view_.data = bytes_.data();
  }
  TestCanvas(Size size, const TestImage& image, int64_t gap = 5)
      : TestCanvas(size, image.samples, image.type, gap) {}

  TestCanvas(const TestCanvas& other) : view_(other.view_), bytes_(other.bytes_) {
    view_.data = bytes_.data();
  }
  TestCanvas(TestCanvas&&) noexcept = default;
  TestCanvas& operator=(const TestCanvas&) = delete;

  const ImageView& view() const { return view_; }

  bool gaps_untouched() const {
    for (int64_t y = 0; y < view_.size.h; ++y) {
      for (auto i = static_cast<int64_t>(view_.row_bytes()); i < view_.row_stride; ++i)
        if (view_.row(y)[i] != kUntouched) return false;
    }
    return true;
  }
  bool untouched() const {
    for (const std::byte byte : bytes_)
      if (byte != kUntouched) return false;
    return true;
  }

 private:
  static constexpr std::byte kUntouched{0xCD};
  ImageView view_;
  std::vector<std::byte> bytes_;
};

}  // namespace microtome
