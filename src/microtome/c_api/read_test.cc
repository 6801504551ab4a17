// Regions and associated images through the C API.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "microtome/c_api/slide_for_test.h"

namespace microtome {
namespace {

class CApiRead : public testing::Test {
 protected:
  microtome_status read(const microtome_region& region, const microtome_read_options* options = nullptr) {
    pixels_.assign(static_cast<size_t>(region.w * region.h * 3), 1);
    return microtome_read(open_.slide, &region, pixels_.data(), pixels_.size(), options, &error_);
  }

  const SlideFile file_;
  const OpenSlide open_{file_};
  std::vector<uint8_t> pixels_;
  microtome_error error_{};
};

TEST_F(CApiRead, ALocationIsInPixelsOfLevel0) {
  ASSERT_EQ(read({20, 10, 30, 25, 0}), MICROTOME_OK) << error_.message;
  EXPECT_EQ(pixels_, SlideFile::expected(0, SlideFile::kLevel0, {20, 10, 30, 25}));
  ASSERT_EQ(read({20, 10, 30, 25, 1}), MICROTOME_OK) << error_.message;
  EXPECT_EQ(pixels_, SlideFile::expected(1, SlideFile::kLevel1, {10, 5, 30, 25}));
}

TEST_F(CApiRead, WhatLiesOutsideIsFilled) {
  const Rect beyond{-5, 60, 20, 20};
  ASSERT_EQ(read({beyond.x, beyond.y, beyond.w, beyond.h, 0}), MICROTOME_OK) << error_.message;
  EXPECT_EQ(pixels_, SlideFile::expected(0, SlideFile::kLevel0, beyond, 255)) << "white unless told";
  const double nine = 9, colour[] = {1, 2, 3};
  microtome_read_options options = {};
  options.fill = &nine;
  options.fill_count = 1;
  ASSERT_EQ(read({beyond.x, beyond.y, beyond.w, beyond.h, 0}, &options), MICROTOME_OK) << error_.message;
  EXPECT_EQ(pixels_, SlideFile::expected(0, SlideFile::kLevel0, beyond, 9));
  options.fill = colour;
  options.fill_count = 3;
  ASSERT_EQ(read({-2, 0, 1, 1, 0}, &options), MICROTOME_OK) << error_.message;
  EXPECT_EQ(pixels_, (std::vector<uint8_t>{1, 2, 3}));
}

TEST_F(CApiRead, RowsMayBeApart) {
  constexpr size_t kRow = 3 * 8 + 5;
  std::vector<uint8_t> memory(3 * kRow + 3 * 8, 77);
  microtome_read_options options = {};
  options.row_bytes = kRow;
  const microtome_region region = {4, 6, 8, 4, 0};
  ASSERT_EQ(microtome_read(open_.slide, &region, memory.data(), memory.size(), &options, &error_),
            MICROTOME_OK)
      << error_.message;
  const auto expected = SlideFile::expected(0, SlideFile::kLevel0, {4, 6, 8, 4});
  for (size_t row = 0; row < 4; ++row) {
    const auto begin = memory.begin() + static_cast<ptrdiff_t>(row * kRow);
    EXPECT_TRUE(std::equal(begin, begin + 24, expected.begin() + static_cast<ptrdiff_t>(24 * row))) << row;
    if (row < 3) {
      EXPECT_EQ(std::vector<uint8_t>(begin + 24, begin + kRow), std::vector<uint8_t>(5, 77)) << row;
    }
  }
}

TEST_F(CApiRead, MemoryThatDoesNotDoIsRefusedUntouched) {
  const microtome_region region = {0, 0, 10, 10, 0};
  std::vector<uint8_t> memory(299, 77);
  EXPECT_EQ(microtome_read(open_.slide, &region, memory.data(), memory.size(), nullptr, &error_),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "size_bytes is 299, expected 300: 10x10 pixels of 3 uint8 samples");
  EXPECT_EQ(memory, std::vector<uint8_t>(299, 77));
  EXPECT_EQ(microtome_read(open_.slide, &region, nullptr, 300, nullptr, &error_), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "pixels is NULL");
  microtome_read_options options = {};
  options.row_bytes = 29;
  EXPECT_EQ(microtome_read(open_.slide, &region, memory.data(), memory.size(), &options, &error_),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "row_bytes is 29, expected at least 30: 10 pixels of 3 bytes");
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const microtome_region huge = {0, 0, kMost / 2, kMost / 2, 0};
  EXPECT_EQ(microtome_read(open_.slide, &huge, memory.data(), memory.size(), nullptr, &error_),
            MICROTOME_INVALID_ARGUMENT);
}

TEST_F(CApiRead, ArgumentsThatAreNone) {
  uint8_t some = 0;
  const microtome_region empty = {0, 0, 0, 5, 0};
  EXPECT_EQ(microtome_read(open_.slide, &empty, &some, 1, nullptr, &error_), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "a region of 0x5 pixels, expected at least 1x1");
  EXPECT_EQ(read({0, 0, 1, 1, 2}), MICROTOME_OUT_OF_RANGE);
  EXPECT_EQ(microtome_read(open_.slide, nullptr, pixels_.data(), 3, nullptr, &error_),
            MICROTOME_INVALID_ARGUMENT);
  microtome_read_options options = {};
  options.workers = -1;
  EXPECT_EQ(read({0, 0, 1, 1, 0}, &options), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "workers is -1, expected 0 or more");
  options = {};
  options.on_error = 2;
  EXPECT_EQ(read({0, 0, 1, 1, 0}, &options), MICROTOME_INVALID_ARGUMENT);
  options = {};
  options.on_error = MICROTOME_FILL;
  EXPECT_EQ(read({0, 0, 1, 1, 0}, &options), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "on_error is MICROTOME_FILL and report NULL: nothing is filled silently");
  options = {};
  options.reserved[3] = 8;
  EXPECT_EQ(read({0, 0, 1, 1, 0}, &options), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "options: reserved has 8, expected 0");
  options = {};
  options.fill_count = 1;
  EXPECT_EQ(read({0, 0, 1, 1, 0}, &options), MICROTOME_INVALID_ARGUMENT);
  const double too_large = 256;
  options.fill = &too_large;
  EXPECT_EQ(read({0, 0, 1, 1, 0}, &options), MICROTOME_INVALID_ARGUMENT);
}

TEST_F(CApiRead, AssociatedImages) {
  const Size size = SlideFile::kLabel;
  std::vector<uint8_t> pixels(static_cast<size_t>(size.w * size.h * 3));
  ASSERT_EQ(microtome_read_associated(open_.slide, "label", pixels.data(), pixels.size(), nullptr, &error_),
            MICROTOME_OK)
      << error_.message;
  EXPECT_EQ(pixels, SlideFile::expected(3, size, {0, 0, size.w, size.h}));
  EXPECT_EQ(microtome_read_associated(open_.slide, "macro", pixels.data(), pixels.size(), nullptr, &error_),
            MICROTOME_NOT_FOUND);
  EXPECT_EQ(std::string(error_.message),
            "no associated image \"macro\" in " + file_.path + ", which has thumbnail, label");
}

TEST_F(CApiRead, ThreadsShareASlide) {
  const Rect all{0, 0, SlideFile::kLevel0.w, SlideFile::kLevel0.h};
  const auto expected = SlideFile::expected(0, SlideFile::kLevel0, all);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int& each : wrong) {
    threads.emplace_back([&] {
      std::vector<uint8_t> pixels(expected.size());
      const microtome_region region = {0, 0, all.w, all.h, 0};
      for (int i = 0; i < 25; ++i) {
        pixels.assign(pixels.size(), 0);
        each += microtome_read(open_.slide, &region, pixels.data(), pixels.size(), nullptr, nullptr) != 0;
        each += pixels != expected;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(CApiReadBroken, ABrokenTileIsAnErrorOrFilledAndReported) {
  const SlideFile file(true);
  const OpenSlide open(file);
  const microtome_region region = {30, 15, 4, 1, 0};
  std::vector<uint8_t> pixels(12);
  microtome_error error;
  EXPECT_EQ(microtome_read(open.slide, &region, pixels.data(), pixels.size(), nullptr, &error),
            MICROTOME_CORRUPT);
  EXPECT_NE(std::string(error.message).find(file.path), std::string::npos) << error.message;
  std::vector<std::string> said;
  microtome_read_options options = {};
  options.on_error = MICROTOME_FILL;
  options.user = &said;
  options.report = [](void* user, const char* message) {
    static_cast<std::vector<std::string>*>(user)->push_back(message);
  };
  ASSERT_EQ(microtome_read(open.slide, &region, pixels.data(), pixels.size(), &options, &error), MICROTOME_OK)
      << error.message;
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("1,0"), std::string::npos) << said[0];
  auto expected = SlideFile::expected(0, SlideFile::kLevel0, {30, 15, 2, 1});
  expected.insert(expected.end(), 6, 255);
  EXPECT_EQ(pixels, expected);
}

}  // namespace
}  // namespace microtome
