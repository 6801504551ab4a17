#include "microtome/read/place.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace microtome {
namespace {

/// A view into memory of its own, with `gap` bytes between rows that nobody may write.
struct Canvas {
  Canvas(Size size, uint16_t samples, SampleType type, int64_t gap) {
    view = {nullptr, size, 0, samples, type};
    view.row_stride = static_cast<int64_t>(view.row_bytes()) + gap;
    bytes.assign(static_cast<size_t>(view.row_stride * size.h), kUntouched);
    view.data = bytes.data();
  }
  static constexpr std::byte kUntouched{0xCD};

  const std::byte* pixel(int64_t x, int64_t y) const {
    return view.row(y) + static_cast<size_t>(x) * view.pixel_bytes();
  }
  /// Byte `byte` of the pixel at x, y.
  std::byte at(int64_t x, int64_t y, size_t byte) const { return pixel(x, y)[byte]; }
  bool gaps_untouched() const {
    for (int64_t y = 0; y < view.size.h; ++y) {
      for (auto i = static_cast<int64_t>(view.row_bytes()); i < view.row_stride; ++i)
        if (view.row(y)[i] != kUntouched) return false;
    }
    return true;
  }

  ImageView view;
  std::vector<std::byte> bytes;
};

std::vector<std::byte> pixel_of(size_t bytes, bool uniform) {
  std::vector<std::byte> pixel;
  for (size_t i = 0; i < bytes; ++i) pixel.push_back(static_cast<std::byte>(uniform ? 255 : 11 * i + 3));
  return pixel;
}

void expect_filled(int64_t width, uint16_t samples, SampleType type, int64_t gap, bool uniform,
                   Stores stores) {
  const Canvas canvas({width, 5}, samples, type, gap);
  const auto pixel = pixel_of(canvas.view.pixel_bytes(), uniform);
  fill_pixels(canvas.view, pixel, stores);
  for (int64_t y = 0; y < 5; ++y)
    for (int64_t x = 0; x < width; ++x)
      ASSERT_EQ(std::memcmp(canvas.pixel(x, y), pixel.data(), pixel.size()), 0)
          << x << "," << y << " of " << width;
  EXPECT_TRUE(canvas.gaps_untouched());
}

TEST(FillPixels, WritesEveryPixelAndNothingElse) {
  for (const uint16_t samples : std::initializer_list<uint16_t>{1, 3, 4, 5, 9})
    for (const SampleType type : {SampleType::u8, SampleType::u16, SampleType::f32, SampleType::f64})
      for (const int64_t gap : {0, 7})
        for (const bool uniform : {false, true})
          for (const Stores stores : {Stores::cached, Stores::streaming})
            for (const int64_t width : {37, 1500}) expect_filled(width, samples, type, gap, uniform, stores);
}

TEST(FillAround, LeavesTheCoveredPartAlone) {
  const auto pixel = pixel_of(3, false);
  const Rect all{0, 0, 10, 8};
  for (const Rect covered : {Rect{2, 3, 4, 2}, Rect{0, 0, 10, 4}, Rect{0, 4, 10, 4}, Rect{0, 0, 3, 8},
                             Rect{7, 0, 3, 8}, Rect{}, all, Rect{9, 7, 1, 1}}) {
    const Canvas canvas(all.size(), 3, SampleType::u8, 5);
    fill_around(canvas.view, covered, pixel);
    for (int64_t y = 0; y < all.h; ++y)
      for (int64_t x = 0; x < all.w; ++x)
        for (size_t i = 0; i < 3; ++i)
          ASSERT_EQ(canvas.at(x, y, i), covered.contains({x, y, 1, 1}) ? Canvas::kUntouched : pixel[i])
              << x << "," << y << " covered " << covered.x << "," << covered.y;
    EXPECT_TRUE(canvas.gaps_untouched());
  }
}

class CopyPixels : public ::testing::TestWithParam<Stores> {};

TEST_P(CopyPixels, CopiesBetweenStrides) {
  constexpr int64_t kWidth = 59;  // 354 bytes: more than a few cache lines
  const Stores stores = GetParam();
  for (const int64_t from_gap : {0, 3}) {
    for (const int64_t to_gap : {0, 11}) {
      const Canvas from({kWidth, 4}, 3, SampleType::u16, from_gap),
          to({kWidth, 4}, 3, SampleType::u16, to_gap);
      for (int64_t y = 0; y < 4; ++y)
        for (size_t i = 0; i < from.view.row_bytes(); ++i)
          from.view.row(y)[i] = static_cast<std::byte>(static_cast<size_t>(y) * 61 + i);
      copy_pixels(from.view, to.view, stores);
      for (int64_t y = 0; y < 4; ++y)
        for (int64_t x = 0; x < kWidth; ++x)
          for (size_t i = 0; i < 6; ++i) ASSERT_EQ(to.at(x, y, i), from.at(x, y, i));
      EXPECT_TRUE(to.gaps_untouched());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, CopyPixels, ::testing::Values(Stores::cached, Stores::streaming));

}  // namespace
}  // namespace microtome
