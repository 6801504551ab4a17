// Row writers against libjpeg-turbo: its raw planes go in, its finished rows are expected.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/codec/jpeg/rows_test.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include <algorithm>
#include <vector>

#include "microtome/codec/jpeg/pairs-inl.h"
#include "microtome/codec/jpeg/rows-inl.h"

#ifndef MICROTOME_CODEC_JPEG_ROWS_TEST_ONCE
#define MICROTOME_CODEC_JPEG_ROWS_TEST_ONCE
namespace microtome::jpeg {
// Rows of a whole image of 4:2:0.
struct PairRows {
  std::vector<const uint8_t*> luma_rows, chroma_rows[2];
  int64_t y0;                      // of out_rows[0]
  std::vector<uint8_t*> out_rows;  // pixel x0
  const uint8_t* luma(int64_t y) const { return luma_rows.at(static_cast<size_t>(y)); }
  const uint8_t* chroma(size_t c, int64_t r) const {
    const auto& rows = chroma_rows[c - 1];
    return rows[static_cast<size_t>(std::clamp<int64_t>(r, 0, static_cast<int64_t>(rows.size()) - 1))];
  }
  uint8_t* out(int64_t y) const { return out_rows.at(static_cast<size_t>(y - y0)); }
};
}  // namespace microtome::jpeg
#endif

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg::HWY_NAMESPACE {
void YccRow(Upsampling how, const RowSource& from, size_t x0, size_t x1, uint8_t* out, bool stream) {
  write_ycc_row(how, from, x0, x1, out, stream);
}
void YccPairs(const PairRows& rows, int64_t y0, int64_t y1, size_t x0, size_t x1, bool stream) {
  write_ycc_pairs(rows, y0, y1, x0, x1, stream);
}
void RgbRow(const RowSource& from, size_t x0, size_t x1, uint8_t* out, bool stream) {
  write_rgb_row(from, x0, x1, out, stream);
}
void GreyRow(const uint8_t* plane, size_t x0, size_t x1, uint8_t* out, bool stream) {
  write_grey_row(plane, x0, x1, out, stream);
}
void WriteFlat(const uint8_t* pixel, size_t samples, size_t bytes, uint8_t* out, bool stream) {
  write_flat_row(flat_row(pixel, samples), bytes, out, stream);
}
}  // namespace microtome::jpeg::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>

#include <random>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/jpeg/for_test/library_rows.h"
#include "microtome/simd/kernels.h"
#include "microtome/simd/targets_for_test.h"

namespace microtome::jpeg {
HWY_EXPORT(YccRow);
HWY_EXPORT(YccPairs);
HWY_EXPORT(RgbRow);
HWY_EXPORT(GreyRow);
HWY_EXPORT(WriteFlat);

namespace {

using test::Image, test::Plane, test::library_image;

// An output row with guards on both sides, its first byte `offset` bytes behind a cache line.
struct Out {
  static constexpr size_t kGuard = 64;
  explicit Out(size_t bytes, size_t offset = 0) : bytes_(bytes), memory_(bytes + offset + 4 * kGuard, 0xA5) {
    const auto at = reinterpret_cast<uintptr_t>(memory_.data());
    out = memory_.data() + (64 - at % 64) % 64 + kGuard + offset;
  }
  bool holds(const uint8_t* expected) const {
    return std::equal(out, out + bytes_, expected) &&
           std::all_of(memory_.data(), static_cast<const uint8_t*>(out),
                       [](uint8_t v) { return v == 0xA5; }) &&
           std::all_of(static_cast<const uint8_t*>(out) + bytes_, memory_.data() + memory_.size(),
                       [](uint8_t v) { return v == 0xA5; });
  }
  uint8_t* out;

 private:
  size_t bytes_;
  std::vector<uint8_t> memory_;
};

RowSource source(Image& image, size_t y, size_t near, size_t far) {
  auto& p = image.planes;
  return {p[0].row(y), {p[1].row(near), p[2].row(near)}, {p[1].row(far), p[2].row(far)}};
}

// The chroma row that output row y takes a quarter of: above for an even one, below for an odd one; repeated
// at the ends.
size_t far_row(size_t y, size_t chroma_rows) {
  const size_t near = y / 2;
  if (y % 2 == 0) return near == 0 ? 0 : near - 1;
  return std::min(near + 1, chroma_rows - 1);
}

void check_row(Upsampling how, Image& image, size_t y, const RowSource& from, size_t x0, size_t x1,
               bool stream) {
  Out out(3 * (x1 - x0), x0 % 3 == 0 ? 0 : 5 * x0 % 64);
  MICROTOME_DISPATCH(YccRow)(how, from, x0, x1, out.out, stream);
  simd::stream_end();
  ASSERT_TRUE(out.holds(image.rgb.data() + 3 * (y * image.w + x0)))
      << "width " << image.w << " row " << y << " from " << x0 << " to " << x1;
}

// Every start, each with the end of the row and a few others.
template <class Check>
void each_range(size_t w, Check check) {
  for (size_t x0 = 0; x0 < w; ++x0) {
    check(x0, w);
    check(x0, x0 + 1);
    check(x0, x0 + (w - x0 + 1) / 2);
    if (testing::Test::HasFatalFailure()) return;
  }
}

struct Layout {
  int across, down;
};
class Upsample : public testing::TestWithParam<Layout> {};

TEST_P(Upsample, AllWidthsAndStartsEqualTheLibrary) {
  const int across = GetParam().across, down = GetParam().down;
  std::mt19937 random(3);
  for (size_t w = 1; w <= 200; w += microtome::test::step()) {
    Image image = library_image(w, 1 + w % 5, across, down, random);
    const bool narrow = across == 2 && image.planes[1].w <= 2;
    simd::on_every_target([&] {
      for (size_t y = 0; y < image.h; ++y) {
        const size_t near = y / static_cast<size_t>(down), far = far_row(y, image.planes[1].h);
        auto how = across == 2 ? Upsampling::across
                   : down == 2 ? (y % 2 == 0 ? Upsampling::down_upper : Upsampling::down_lower)
                               : Upsampling::none;
        if (narrow) how = Upsampling::across_repeat;
        const RowSource from = source(image, y, near, far);
        each_range(w, [&](size_t x0, size_t x1) { check_row(how, image, y, from, x0, x1, x0 % 2 == 0); });
        if (HasFatalFailure()) return;
      }
    });
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Upsample, testing::Values(Layout{1, 1}, Layout{2, 1}, Layout{1, 2}));

// Rows y0…y1 - 1, pixels x0…x1 - 1, each row at another place in its cache lines; `step` 0: all at their
// start.
void check_pairs(Image& image, int64_t y0, int64_t y1, size_t x0, size_t x1, size_t step, bool stream) {
  PairRows rows{{}, {}, y0, {}};
  for (size_t y = 0; y < image.h; ++y) rows.luma_rows.push_back(image.planes[0].row(y));
  for (size_t c = 0; c < 2; ++c) {
    Plane& plane = image.planes[c + 1];
    for (size_t r = 0; r < plane.h; ++r) rows.chroma_rows[c].push_back(plane.row(r));
  }
  std::vector<Out> outs;
  for (int64_t y = y0; y < y1; ++y)
    outs.emplace_back(3 * (x1 - x0), step * static_cast<size_t>(y - y0 + 1) % 64);
  for (Out& out : outs) rows.out_rows.push_back(out.out);
  MICROTOME_DISPATCH(YccPairs)(rows, y0, y1, x0, x1, stream);
  simd::stream_end();
  for (int64_t y = y0; y < y1; ++y) {
    ASSERT_TRUE(outs[static_cast<size_t>(y - y0)].holds(image.rgb.data() +
                                                        3 * (static_cast<size_t>(y) * image.w + x0)))
        << "width " << image.w << " row " << y << " of " << y0 << " to " << y1 << " from " << x0 << " to "
        << x1;
  }
}

TEST(WriteYccPairs, AllWidthsStartsAndRowsEqualTheLibrary) {
  std::mt19937 random(4);
  for (size_t w = 5; w <= 200; w += microtome::test::step()) {
    Image image = library_image(w, 1 + w % 7, 2, 2, random);
    const auto h = static_cast<int64_t>(image.h);
    simd::on_every_target([&] {
      each_range(w, [&](size_t x0, size_t x1) {
        const auto y0 = static_cast<int64_t>(x0) % h;
        check_pairs(image, y0, y0 + 1 + static_cast<int64_t>(x1) % (h - y0), x0, x1, x0 % 3 * 16 + x0 % 2,
                    x0 % 4 < 2);
      });
      for (int64_t y0 = 0; y0 < h; ++y0) {
        for (int64_t y1 = y0 + 1; y1 <= h; ++y1) check_pairs(image, y0, y1, 0, w, 0, y0 % 2 == 0);
      }
    });
    if (HasFatalFailure()) return;
  }
}

int clamped(int v) {
  return std::clamp(v, 0, 255);
}

// The tables of the JFIF conversion in 16 fractional bits, for every chroma pair with every luma.
TEST(WriteYccRow, AllColours) {
  Plane y(256, 1), cb(256, 1), cr(256, 1);
  for (size_t i = 0; i < 256; ++i) y.row(0)[i] = static_cast<uint8_t>(i);
  simd::on_every_target([&] {
    std::vector<uint8_t> out(3 * 256), expected(3 * 256);
    for (int b = 0; b < 256; b += microtome::test::step<int>()) {
      std::fill_n(cb.row(0), 256, static_cast<uint8_t>(b));
      for (int r = 0; r < 256; ++r) {
        std::fill_n(cr.row(0), 256, static_cast<uint8_t>(r));
        const int red = (91881 * (r - 128) + 32768) >> 16, blue = (116130 * (b - 128) + 32768) >> 16;
        const int green = (-22554 * (b - 128) - 46802 * (r - 128) + 32768) >> 16;
        for (int i = 0; i < 256; ++i) {
          expected[static_cast<size_t>(3 * i)] = static_cast<uint8_t>(clamped(i + red));
          expected[static_cast<size_t>(3 * i + 1)] = static_cast<uint8_t>(clamped(i + green));
          expected[static_cast<size_t>(3 * i + 2)] = static_cast<uint8_t>(clamped(i + blue));
        }
        const RowSource from{y.row(0), {cb.row(0), cr.row(0)}, {nullptr, nullptr}};
        MICROTOME_DISPATCH(YccRow)(Upsampling::none, from, 0, 256, out.data(), false);
        ASSERT_EQ(out, expected) << "Cb " << b << " Cr " << r;
      }
    }
  });
}

// The same tables against the library's: constant blocks of every chroma pair, three lumas.
TEST(WriteYccRow, TheTablesAreTheLibrarys) {
  for (const int luma : {0, 120, 255}) {
    constexpr size_t kSide = 8 * 256;
    std::vector<uint8_t> pixels(3 * kSide * kSide);
    for (size_t i = 0; i < kSide * kSide; ++i) {
      pixels[3 * i] = static_cast<uint8_t>(luma);
      pixels[3 * i + 1] = static_cast<uint8_t>(i % kSide / 8);
      pixels[3 * i + 2] = static_cast<uint8_t>(i / kSide / 8);
    }
    const std::vector<uint8_t> rgb = test::library_rgb(pixels, kSide, kSide);
    for (size_t y = 0; y < kSide; ++y) {
      const uint8_t* const row = rgb.data() + 3 * kSide * y;
      for (size_t x = 0; x < kSide; ++x) {
        const int b = static_cast<int>(x / 8) - 128, r = static_cast<int>(y / 8) - 128;
        ASSERT_EQ(row[3 * x], clamped(luma + ((91881 * r + 32768) >> 16))) << r;
        ASSERT_EQ(row[3 * x + 1], clamped(luma + ((-22554 * b - 46802 * r + 32768) >> 16))) << b << " " << r;
        ASSERT_EQ(row[3 * x + 2], clamped(luma + ((116130 * b + 32768) >> 16))) << b;
      }
    }
  }
}

// Wider than what is made at once.
TEST(WriteYccPairs, WideRowsToAnyPlace) {
  std::mt19937 random(6);
  Image image = library_image(2600, 4, 2, 2, random);
  simd::on_every_target([&] {
    for (const size_t x0 : {size_t{0}, size_t{1}, size_t{40}, size_t{500}}) {
      for (const size_t step : {size_t{0}, size_t{1}, size_t{48}}) {
        for (const bool stream : {false, true}) check_pairs(image, 0, 4, x0, image.w, step, stream);
      }
    }
  });
}

TEST(WriteYccRow, WideRowsStreamedToAnyPlace) {
  std::mt19937 random(6);
  Image image = library_image(2600, 2, 2, 1, random);
  simd::on_every_target([&] {
    for (const size_t x0 : {size_t{0}, size_t{1}, size_t{500}}) {
      for (const size_t offset : {size_t{0}, size_t{1}, size_t{48}}) {
        Out row(3 * (image.w - x0), offset);
        MICROTOME_DISPATCH(YccRow)(Upsampling::across, source(image, 1, 1, 1), x0, image.w, row.out, true);
        simd::stream_end();
        ASSERT_TRUE(row.holds(image.rgb.data() + 3 * (image.w + x0))) << x0 << " " << offset;
      }
    }
  });
}

TEST(WriteRgbAndGreyRow, CopySamplesAtEveryWidthAndStart) {
  std::mt19937 random(5);
  for (size_t w = 1; w <= 200; w += microtome::test::step()) {
    Plane planes[3] = {{w, 1}, {w, 1}, {w, 1}};
    std::vector<uint8_t> rgb(3 * w);
    for (size_t i = 0; i < 3 * w; ++i) rgb[i] = planes[i % 3].row(0)[i / 3] = static_cast<uint8_t>(random());
    const RowSource from{planes[0].row(0), {planes[1].row(0), planes[2].row(0)}, {nullptr, nullptr}};
    simd::on_every_target([&] {
      each_range(w, [&](size_t x0, size_t x1) {
        for (const bool stream : {false, true}) {
          Out out(3 * (x1 - x0), x1 % 64), grey(x1 - x0, x1 % 64);
          MICROTOME_DISPATCH(RgbRow)(from, x0, x1, out.out, stream);
          MICROTOME_DISPATCH(GreyRow)(from.luma, x0, x1, grey.out, stream);
          simd::stream_end();
          ASSERT_TRUE(out.holds(rgb.data() + 3 * x0)) << w << " " << x0;
          ASSERT_TRUE(grey.holds(from.luma + x0)) << w << " " << x0;
        }
      });
    });
    if (HasFatalFailure()) return;
  }
}

TEST(WriteFlatRow, RepeatsThePixel) {
  const uint8_t pixel[3] = {1, 2, 3};
  simd::on_every_target([&] {
    for (const size_t samples : {size_t{1}, size_t{3}}) {
      for (size_t w = 0; w <= 300; w += microtome::test::step()) {
        std::vector<uint8_t> expected(samples * w);
        for (size_t i = 0; i < expected.size(); ++i) expected[i] = pixel[i % samples];
        for (const bool stream : {false, true}) {
          Out out(samples * w, w % 3 == 0 ? 0 : w % 64);
          MICROTOME_DISPATCH(WriteFlat)(pixel, samples, samples * w, out.out, stream);
          simd::stream_end();
          ASSERT_TRUE(out.holds(expected.data())) << w;
        }
      }
    }
  });
}

}  // namespace
}  // namespace microtome::jpeg
#endif  // HWY_ONCE
