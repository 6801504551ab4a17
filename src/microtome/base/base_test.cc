#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"

namespace microtome {
namespace {

Result<int> parse(int value) {
  if (value < 0) return corrupt("value {}, expected 0 or more", value);
  return value;
}

Result<int> twice(int value) {
  MICROTOME_ASSIGN(const int parsed, parse(value));
  return parsed * 2;
}

Status check(int value) {
  MICROTOME_TRY(parse(value));
  return ok_status();
}

TEST(Error, ContextIsAddedAndNothingIsLost) {
  const Error error =
      corrupt("premature end after {} bytes", 7).with_prefix("jpeg").with_place("tile 3,4 level 0");
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_EQ(error.to_string(), "corrupt: jpeg: premature end after 7 bytes (tile 3,4 level 0)");
}

TEST(Result, MacrosPassValuesAndErrorsUp) {
  EXPECT_EQ(*twice(4), 8);
  EXPECT_EQ(twice(-1).error().message, "value -1, expected 0 or more");
  EXPECT_TRUE(check(1).ok());
  EXPECT_EQ(check(-1).error().code, Errc::corrupt);
}

TEST(Result, ValueThrowsTheErrorItHolds) {
  EXPECT_EQ(parse(3).value(), 3);
  try {
    parse(-3).value();
    FAIL() << "expected an exception";
  } catch (const Exception& e) {
    EXPECT_STREQ(e.what(), "corrupt: value -3, expected 0 or more");
    EXPECT_EQ(e.error().code, Errc::corrupt);
  }
}

TEST(Checked, SaysWhereTheTypeEnds) {
  constexpr auto kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(checked_add<uint64_t>(kMax - 1, 1), kMax);
  EXPECT_FALSE(checked_add<uint64_t>(kMax, 1));
  EXPECT_FALSE(checked_sub<uint64_t>(0, 1));
  EXPECT_EQ(checked_mul(int64_t{3}, int64_t{4}, int64_t{5}), 60);
  EXPECT_FALSE((checked_mul(int64_t{1} << 32, int64_t{1} << 20, int64_t{1} << 20)));
  EXPECT_FALSE(checked_cast<uint16_t>(65536));
  EXPECT_FALSE(checked_cast<uint16_t>(-1));
  EXPECT_EQ(checked_cast<uint16_t>(65535), 65535);
  EXPECT_EQ(ceil_div<int64_t>(0, 5), 0);
  EXPECT_EQ(ceil_div<int64_t>(6, 5), 2);
  EXPECT_EQ(ceil_div(kMax, uint64_t{1}), kMax);
}

TEST(Geometry, IntersectAndUnite) {
  EXPECT_EQ(intersect({0, 0, 10, 10}, {5, 6, 10, 10}), (Rect{5, 6, 5, 4}));
  EXPECT_TRUE(intersect({0, 0, 10, 10}, {10, 0, 5, 5}).empty());
  EXPECT_EQ(unite({0, 0, 1, 1}, {4, 5, 1, 1}), (Rect{0, 0, 5, 6}));
  EXPECT_EQ(unite({}, {4, 5, 1, 1}), (Rect{4, 5, 1, 1}));
  EXPECT_TRUE((Rect{0, 0, 4, 4}.contains({1, 1, 3, 3})));
  EXPECT_FALSE((Rect{0, 0, 4, 4}.contains({1, 1, 4, 3})));
}

TEST(Pixels, PartOfAViewKeepsTheStride) {
  std::byte memory[60];
  const ImageView view{memory, {5, 4}, 15, 3, SampleType::u8};
  const ImageView part = view.part({2, 1, 3, 2});
  EXPECT_EQ(part.data, memory + 15 + 6);
  EXPECT_EQ(part.row(1), memory + 30 + 6);
  EXPECT_EQ(part.row_bytes(), 9u);
}

TEST(Pixels, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(compression_name(Compression::jpeg), "JPEG");
  EXPECT_EQ(compression_name(static_cast<Compression>(12345)), "compression 12345");
  EXPECT_EQ(color_name(static_cast<Color>(99)), "photometric 99");
}

}  // namespace
}  // namespace microtome
