#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "microtome/read/reader.h"

namespace microtome {
namespace {

std::vector<std::byte> fill_of(std::vector<double> values, uint16_t samples, SampleType type) {
  auto made = make_fill(values, samples, type);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return made.ok() ? *std::move(made) : std::vector<std::byte>();
}

std::string message_of(std::vector<double> values, uint16_t samples, SampleType type) {
  const auto made = make_fill(values, samples, type);
  if (made.ok()) return "made";
  EXPECT_EQ(made.error().code, Errc::invalid_argument);
  return made.error().message;
}

template <class T>
std::vector<T> as(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(MakeFill, OneNumberIsForAllSamples) {
  EXPECT_EQ(as<uint8_t>(fill_of({255}, 3, SampleType::u8)), (std::vector<uint8_t>{255, 255, 255}));
  EXPECT_EQ(as<uint8_t>(fill_of({1, 2, 3}, 3, SampleType::u8)), (std::vector<uint8_t>{1, 2, 3}));
}

TEST(MakeFill, ReachesTheEndsOfEveryType) {
  EXPECT_EQ(as<uint16_t>(fill_of({0, 65535}, 2, SampleType::u16)), (std::vector<uint16_t>{0, 65535}));
  EXPECT_EQ(as<int8_t>(fill_of({-128, 127}, 2, SampleType::i8)), (std::vector<int8_t>{-128, 127}));
  EXPECT_EQ(as<int16_t>(fill_of({-32768}, 1, SampleType::i16)), (std::vector<int16_t>{-32768}));
  EXPECT_EQ(as<uint32_t>(fill_of({4294967295.0}, 1, SampleType::u32)), (std::vector<uint32_t>{4294967295u}));
  EXPECT_EQ(as<int32_t>(fill_of({-2147483648.0}, 1, SampleType::i32)), (std::vector<int32_t>{INT32_MIN}));
  EXPECT_EQ(as<int64_t>(fill_of({-0x1p63}, 1, SampleType::i64)), (std::vector<int64_t>{INT64_MIN}));
  EXPECT_EQ(as<uint64_t>(fill_of({0x1.fffffffffffffp63}, 1, SampleType::u64)),
            (std::vector<uint64_t>{0xFFFFFFFFFFFFF800}));
  EXPECT_EQ(as<float>(fill_of({0.1}, 1, SampleType::f32)), (std::vector<float>{0.1F}));
  EXPECT_EQ(as<double>(fill_of({-1e300}, 1, SampleType::f64)), (std::vector<double>{-1e300}));
}

// Expected bits from the definition of IEEE 754 binary16.
TEST(MakeFill, RoundsToHalfPrecision) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<double, uint16_t>> known{
      {0, 0x0000},         {-0.0, 0x8000},        {1, 0x3C00},
      {-2, 0xC000},        {65504, 0x7BFF},       {65519, 0x7BFF},
      {0x1p-14, 0x0400},   {0x1p-24, 0x0001},     {0x1p-25, 0x0000},
      {0x1.8p-24, 0x0002}, {0x1.ff8p-15, 0x03FF}, {0x1.ffcp-15, 0x0400},
      {2049, 0x6800},      {2051, 0x6802},        {0.333251953125, 0x3555},
      {infinity, 0x7C00},  {-infinity, 0xFC00},
  };
  for (const auto& [value, bits] : known)
    EXPECT_EQ(as<uint16_t>(fill_of({value}, 1, SampleType::f16)), (std::vector<uint16_t>{bits})) << value;
  EXPECT_EQ(as<uint16_t>(fill_of({std::nan("")}, 1, SampleType::f16))[0] & 0x7E00, 0x7E00);
}

TEST(MakeFill, NamesWhatTheTypeCannotHold) {
  EXPECT_EQ(message_of({256}, 3, SampleType::u8),
            "fill: 256 is not a uint8: expected a whole number from 0 to 255");
  EXPECT_EQ(message_of({-1}, 3, SampleType::u8),
            "fill: -1 is not a uint8: expected a whole number from 0 to 255");
  EXPECT_EQ(message_of({0.5}, 1, SampleType::u16),
            "fill: 0.5 is not a uint16: expected a whole number from 0 to 65535");
  EXPECT_EQ(message_of({std::nan("")}, 1, SampleType::i8),
            "fill: nan is not a int8: expected a whole number from -128 to 127");
  EXPECT_NE(message_of({0x1p64}, 1, SampleType::u64), "made");
  EXPECT_NE(message_of({0x1p63}, 1, SampleType::i64), "made");
  EXPECT_EQ(message_of({1e39}, 1, SampleType::f32), "fill: 1e+39 is beyond the range of float32");
  EXPECT_EQ(message_of({65520}, 1, SampleType::f16), "fill: 65520 is beyond the range of float16");
}

TEST(MakeFill, RefusesAnotherNumberOfValues) {
  EXPECT_EQ(message_of({1, 2}, 3, SampleType::u8), "fill: 2 values, expected 1 or 3");
  EXPECT_EQ(message_of({}, 3, SampleType::u8), "fill: 0 values, expected 1 or 3");
  EXPECT_EQ(message_of({1, 2}, 1, SampleType::u8), "fill: 2 values, expected 1");
}

}  // namespace
}  // namespace microtome
