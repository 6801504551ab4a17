// What callers ask of samples on a device: shapes, types, numbers, and what is refused.
#include "microtome/read/gpu/output_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "microtome/read/reader.h"

namespace microtome::gpu {
namespace {

OutputRequest floats(SampleType type, std::vector<double> mean = {}, std::vector<double> deviation = {}) {
  return {type, false, std::move(mean), std::move(deviation)};
}

std::string error_of(const OutputRequest& request, SampleType tiles = SampleType::u8, uint16_t samples = 3) {
  const auto format = OutputFormat::make(request, tiles, samples);
  if (format.ok()) return "none";
  EXPECT_EQ(format.error().code, Errc::invalid_argument);
  return format.error().message;
}

/// The background pixel as the batch holds it.
template <class T>
std::vector<T> fill_of(const OutputRequest& request, SampleType tiles, std::span<const double> values) {
  const auto samples = static_cast<uint16_t>(values.size());
  const OutputFormat format = OutputFormat::make(request, tiles, samples).value();
  const BatchShape shape{1, {8, 8}, samples, tiles, format.output, format.planar};
  const Constants constants =
      make_constants(shape, format, make_fill(values, samples, tiles).value()).value();
  EXPECT_EQ(constants.fill_at % alignof(double), 0u);
  EXPECT_EQ(constants.bytes.size(), constants.fill_at + samples * sizeof(T));
  EXPECT_LE(constants.bytes.size(), most_constants_bytes(samples));
  std::vector<T> found(samples);
  std::memcpy(found.data(), constants.bytes.data() + constants.fill_at, samples * sizeof(T));
  return found;
}

TEST(OutputFormat, TheTilesOwnIsACopy) {
  for (const auto& request : {OutputRequest{}, OutputRequest{SampleType::u16, false, {}, {}}}) {
    const OutputFormat format = OutputFormat::make(request, SampleType::u16, 2).value();
    EXPECT_EQ(format.output, Output::same);
    EXPECT_TRUE(format.affine.empty());
    EXPECT_EQ(format.type(SampleType::u16), SampleType::u16);
  }
  const double values[] = {7, 65535};
  EXPECT_EQ(fill_of<uint16_t>({}, SampleType::u16, values), (std::vector<uint16_t>{7, 65535}));
}

TEST(OutputFormat, FloatsOfFloatsAreConvertedOnlyWhereTheyChange) {
  EXPECT_EQ(OutputFormat::make(floats(SampleType::f32), SampleType::f32, 3)->output, Output::same);
  EXPECT_EQ(OutputFormat::make(floats(SampleType::f32, {1}), SampleType::f32, 3)->output, Output::f32);
  EXPECT_EQ(OutputFormat::make({{}, false, {1}, {}}, SampleType::f32, 3)->output, Output::f32);
  EXPECT_EQ(OutputFormat::make(floats(SampleType::f16), SampleType::f64, 3)->output, Output::f16);
  EXPECT_EQ(OutputFormat::make(floats(SampleType::f32), SampleType::f16, 1)->output, Output::f32);
}

TEST(OutputFormat, BackgroundIsNormalisedAsPixelsAre) {
  const double values[] = {255, 0, 100};
  EXPECT_EQ(fill_of<float>(floats(SampleType::f32), SampleType::u8, values),
            (std::vector<float>{255, 0, 100}));
  EXPECT_EQ(fill_of<float>(floats(SampleType::f32, {55, 10, 0}, {2, 4, 8}), SampleType::u8, values),
            (std::vector<float>{100, -2.5f, 12.5f}));
  // binary16: 0x3c00 is 1, 0xbc00 is -1, 0x5640 is 100.
  EXPECT_EQ(fill_of<uint16_t>(floats(SampleType::f16, {254, 1, 0}), SampleType::u8, values),
            (std::vector<uint16_t>{0x3c00, 0xbc00, 0x5640}));
  const double wide[] = {-3, 40000};
  EXPECT_EQ(fill_of<float>(floats(SampleType::f32, {1}, {0.5}), SampleType::i32, wide),
            (std::vector<float>{-8, 79998}));
}

TEST(OutputFormat, ShapesFollowTheLayout) {
  const OutputFormat last = OutputFormat::make({}, SampleType::u8, 3).value();
  const OutputFormat first = OutputFormat::make({{}, true, {}, {}}, SampleType::u8, 3).value();
  EXPECT_EQ(last.shape(5, {20, 10}, 3), (std::vector<int64_t>{5, 10, 20, 3}));
  EXPECT_EQ(last.shape({}, {20, 10}, 3), (std::vector<int64_t>{10, 20, 3}));
  EXPECT_EQ(first.shape(5, {20, 10}, 3), (std::vector<int64_t>{5, 3, 10, 20}));
  EXPECT_EQ(first.shape({}, {20, 10}, 3), (std::vector<int64_t>{3, 10, 20}));
}

TEST(OutputFormat, WhatIsRefused) {
  EXPECT_EQ(error_of(floats(SampleType::u16)),
            "samples of uint16 from uint8, expected uint8, float16 or float32");
  EXPECT_EQ(error_of(floats(SampleType::f64)),
            "samples of float64 from uint8, expected uint8, float16 or float32");
  EXPECT_EQ(error_of({{}, false, {1}, {}}),
            "mean and std are of float16 or float32, and the samples are uint8");
  EXPECT_EQ(error_of(floats(SampleType::f32, {1, 2})),
            "mean has 2 values, expected one, or one for each of 3 channels");
  EXPECT_EQ(error_of(floats(SampleType::f32, {}, {1, 2, 3, 4})),
            "std has 4 values, expected one, or one for each of 3 channels");
  EXPECT_EQ(error_of(floats(SampleType::f32, {}, {0})), "deviation: 0, expected a number above 0");
  const OutputFormat format = OutputFormat::make({}, SampleType::u8, 3).value();
  const std::vector<std::byte> two(2);
  EXPECT_EQ(make_constants({1, {8, 8}, 3, SampleType::u8, Output::same, false}, format, two).error().code,
            Errc::invalid_argument);
}

}  // namespace
}  // namespace microtome::gpu
