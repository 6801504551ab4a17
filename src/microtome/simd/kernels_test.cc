#include "microtome/simd/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "microtome/simd/targets_for_test.h"

namespace microtome::simd {
namespace {

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

// Nearest integer of a fraction, halves up.
int64_t nearest(int64_t numerator, int64_t denominator) {
  return floor_div(2 * numerator + denominator, 2 * denominator);
}

uint8_t clamped(int64_t v) {
  return static_cast<uint8_t>(std::clamp<int64_t>(v, 0, 255));
}

// 0.114 * 1.772 / 0.587 = 101004 / 293500 and 0.299 * 1.402 / 0.587 = 209599 / 293500.
TEST(YccToRgb, EqualsExactFractionsForAllInputs) {
  on_every_target([] {
    std::vector<int32_t> y(256), cb(256), cr(256);
    std::vector<uint8_t> rgb(3 * 256);
    for (int i = 0; i < 256; ++i) y[static_cast<size_t>(i)] = i;
    for (int b = 0; b < 256; ++b) {
      for (int r = 0; r < 256; ++r) {
        std::fill(cb.begin(), cb.end(), b);
        std::fill(cr.begin(), cr.end(), r);
        ycc_to_rgb(y.data(), cb.data(), cr.data(), 256, rgb.data());
        const int64_t red = nearest(1402 * (r - 128), 1000), blue = nearest(1772 * (b - 128), 1000);
        const int64_t green = nearest(-(101004 * (b - 128) + 209599 * (r - 128)), 293500);
        for (size_t i = 0; i < 256; ++i) {
          const auto luma = static_cast<int64_t>(i);
          ASSERT_EQ(rgb[3 * i + 0], clamped(luma + red)) << i << " " << b << " " << r;
          ASSERT_EQ(rgb[3 * i + 1], clamped(luma + green)) << i << " " << b << " " << r;
          ASSERT_EQ(rgb[3 * i + 2], clamped(luma + blue)) << i << " " << b << " " << r;
        }
      }
    }
  });
}

TEST(YccToRgb, TailsEqualTheMiddleAndNothingIsWrittenBehind) {
  std::mt19937 random(1);
  std::vector<int32_t> plane[3];
  for (auto& p : plane) {
    for (int i = 0; i < 70; ++i) p.push_back(static_cast<int32_t>(random() % 256));
  }
  on_every_target([&] {
    std::vector<uint8_t> whole(3 * 70);
    ycc_to_rgb(plane[0].data(), plane[1].data(), plane[2].data(), 70, whole.data());
    for (size_t n = 0; n <= 70; ++n) {
      std::vector<uint8_t> part(3 * 70, 0xA5);
      ycc_to_rgb(plane[0].data(), plane[1].data(), plane[2].data(), n, part.data());
      ASSERT_TRUE(std::equal(part.begin(), part.begin() + static_cast<ptrdiff_t>(3 * n), whole.begin())) << n;
      ASSERT_EQ(std::count(part.begin() + static_cast<ptrdiff_t>(3 * n), part.end(), 0xA5),
                static_cast<ptrdiff_t>(3 * (70 - n)));
    }
  });
}

TEST(Interleave, EveryLengthAndNumberOfSamples) {
  on_every_target([] {
    for (size_t samples = 1; samples <= 5; ++samples) {
      for (size_t pixels = 0; pixels <= 40; ++pixels) {
        std::vector<std::vector<int32_t>> planes(samples);
        std::vector<const int32_t*> pointers;
        for (size_t s = 0; s < samples; ++s) {
          for (size_t i = 0; i < pixels; ++i)
            planes[s].push_back(static_cast<int32_t>((i * 7 + s * 50) % 300) - 20);
          pointers.push_back(planes[s].data());
        }
        std::vector<uint8_t> bytes(samples * pixels + 8, 0xA5);
        std::vector<uint16_t> words(samples * pixels + 8, 0xA5A5);
        interleave(pointers.data(), samples, pixels, bytes.data());
        interleave_u16(pointers.data(), samples, pixels, reinterpret_cast<std::byte*>(words.data()));
        for (size_t i = 0; i < pixels; ++i) {
          for (size_t s = 0; s < samples; ++s) {
            ASSERT_EQ(bytes[i * samples + s], clamped(planes[s][i])) << samples << " " << pixels;
            ASSERT_EQ(words[i * samples + s], std::clamp(planes[s][i], 0, 65535));
          }
        }
        ASSERT_EQ(std::count(bytes.end() - 8, bytes.end(), 0xA5), 8);
        ASSERT_EQ(std::count(words.end() - 8, words.end(), 0xA5A5), 8);
      }
    }
  });
}

TEST(StreamCopy, EveryLengthAndAlignment) {
  std::vector<std::byte> src(600);
  for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<std::byte>(i * 7 + 1);
  on_every_target([&] {
    alignas(64) std::byte dst[600];
    for (size_t at = 0; at < 66; at += 3) {
      for (const size_t bytes : {0u, 1u, 15u, 16u, 63u, 64u, 65u, 127u, 128u, 191u, 300u, 384u, 513u}) {
        std::fill(std::begin(dst), std::end(dst), std::byte{0xA5});
        stream_copy(src.data() + bytes % 5, bytes, dst + at);
        stream_end();
        ASSERT_TRUE(std::equal(dst + at, dst + at + bytes, src.data() + bytes % 5)) << at << " " << bytes;
        ASSERT_EQ(std::count(dst, dst + at, std::byte{0xA5}), static_cast<ptrdiff_t>(at));
        ASSERT_EQ(std::count(dst + at + bytes, dst + 600, std::byte{0xA5}),
                  static_cast<ptrdiff_t>(600 - at - bytes));
      }
    }
  });
}

TEST(RepeatPairs, EachTwice) {
  const int32_t src[3] = {7, -1, 300};
  int32_t dst[7] = {0, 0, 0, 0, 0, 0, 42};
  repeat_pairs(src, 3, dst);
  const int32_t expected[7] = {7, 7, -1, -1, 300, 300, 42};
  EXPECT_TRUE(std::equal(dst, dst + 7, expected));
}

// The definition, sample by sample: x[i] = d[0] + ... + d[i], modulo 2^bits.
template <class T>
void check_unpredict() {
  std::mt19937_64 random(2);
  for (size_t samples = 1; samples <= 6; ++samples) {
    for (size_t pixels : {0u, 1u, 2u, 33u}) {
      std::vector<T> original(samples * pixels);
      for (T& v : original) v = static_cast<T>(random());
      std::vector<T> differences = original;
      for (size_t i = samples * pixels; i-- > samples;) {
        differences[i] = static_cast<T>(original[i] - original[i - samples]);
      }
      std::vector<std::byte> row(differences.size() * sizeof(T) + 1);  // + 1: off alignment
      if (!original.empty()) std::memcpy(row.data() + 1, differences.data(), differences.size() * sizeof(T));
      unpredict(row.data() + 1, sizeof(T), samples, pixels);
      ASSERT_TRUE(original.empty() ||
                  std::memcmp(row.data() + 1, original.data(), original.size() * sizeof(T)) == 0)
          << sizeof(T) << " bytes, " << samples << " samples, " << pixels << " pixels";
    }
  }
}

TEST(Unpredict, EveryWidthAndNumberOfSamples) {
  check_unpredict<uint8_t>();
  check_unpredict<uint16_t>();
  check_unpredict<uint32_t>();
  check_unpredict<uint64_t>();
}

TEST(SwapBytes, ReversesEachValueInPlaceOrNot) {
  std::byte bytes[16], out[17];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<std::byte>(i);
  for (size_t width : {1u, 2u, 4u, 8u}) {
    out[16] = std::byte{0xA5};
    swap_bytes(bytes, width, 16 / width, out);
    for (size_t i = 0; i < 16; ++i) {
      EXPECT_EQ(out[i], bytes[i / width * width + (width - 1 - i % width)]) << width;
    }
    EXPECT_EQ(out[16], std::byte{0xA5});
    swap_bytes(out, width, 16 / width, out);
    EXPECT_EQ(std::memcmp(out, bytes, 16), 0) << width;
  }
}

TEST(Fill, RepeatsThePixelExactly) {
  const std::byte pixel[3] = {std::byte{1}, std::byte{2}, std::byte{3}};
  const std::byte white[3] = {std::byte{255}, std::byte{255}, std::byte{255}};
  for (size_t pixels = 0; pixels < 20; ++pixels) {
    std::vector<std::byte> dst(3 * 20, std::byte{0xA5});
    fill(pixel, 3, pixels, dst.data());
    for (size_t i = 0; i < dst.size(); ++i)
      EXPECT_EQ(dst[i], i < 3 * pixels ? pixel[i % 3] : std::byte{0xA5});
    fill(white, 3, pixels, dst.data());
    EXPECT_EQ(std::count(dst.begin(), dst.end(), std::byte{255}), static_cast<ptrdiff_t>(3 * pixels));
  }
}

}  // namespace
}  // namespace microtome::simd
