#include "microtome/tiff/directory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "microtome/tiff/tiff_builder_for_test.h"

namespace microtome::tiff {
namespace {

using namespace std::string_literals;

class Values : public ::testing::TestWithParam<EncodingParam> {
 protected:
  TiffBuilder b{GetParam().first, GetParam().second};

  /// The file's only directory, made of these.
  Directory directory(const std::vector<Field>& fields) {
    at_ = "tiff: directory at offset " + std::to_string(b.directory(fields)) + ": ";
    return parse(b.source()).value().directories.front();
  }
  Directory directory(const Field& field) { return directory(std::vector<Field>{field}); }

  std::string at_;  // how messages about it begin
};

INSTANTIATE_TEST_SUITE_P(All, Values, kEveryEncoding, encoding_name);

TEST_P(Values, IntegersOfEveryTypeAndOfOneToFiveValues) {
  std::vector<Field> fields;
  std::vector<std::vector<uint64_t>> expected;
  const auto add = [&]<class T>(uint16_t type, std::vector<T> values) {
    // From one value, which lies in the entry, to five, which never do.
    for (size_t count = 1; count <= values.size(); ++count) {
      const std::vector<T> some(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
      fields.push_back(b.field(static_cast<uint16_t>(1000 + fields.size()), type, some));
      expected.emplace_back(some.begin(), some.end());
    }
  };
  add(1, std::vector<uint8_t>{0, 1, 127, 128, 255});
  add(3, std::vector<uint16_t>{0x1234, 1, 0x7fff, 0x8000, 0xffff});
  add(4, std::vector<uint32_t>{0x12345678, 1, 0x7fffffff, 0x80000000, 0xffffffff});
  add(13, std::vector<uint32_t>{0x12345678, 2, 3, 4, 0xfffffffe});
  add(16, std::vector<uint64_t>{0x123456789abcdef0, 1, 2, uint64_t{1} << 63, ~uint64_t{0}});
  add(18, std::vector<uint64_t>{0x123456789abcdef0, 1, 2, 3, 4});
  add(6, std::vector<int8_t>{0, 1, 127, 2, 3});
  add(8, std::vector<int16_t>{0x1234, 1, 0x7fff, 2, 3});
  add(9, std::vector<int32_t>{0x12345678, 1, 0x7fffffff, 2, 3});
  add(17, std::vector<int64_t>{0x123456789abcdef0, 1, 2, 3, std::numeric_limits<int64_t>::max()});

  const Directory d = directory(fields);
  for (size_t i = 0; i < fields.size(); ++i) {
    SCOPED_TRACE("type " + std::to_string(fields[i].type) + " count " + std::to_string(fields[i].count));
    EXPECT_EQ(d.unsigned_values(fields[i].tag, 5).value(), expected[i]);
    EXPECT_EQ(d.unsigned_value(fields[i].tag).value(), expected[i][0]);
    const std::vector<double> reals(expected[i].begin(), expected[i].end());
    EXPECT_EQ(d.real_values(fields[i].tag, 5).value(), reals);
    const Bytes stored = d.bytes(fields[i].tag).value();
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(stored.data.data()), stored.data.size()),
              fields[i].stored);
  }
}

TEST_P(Values, NegativeIntegersAreRealsButNotUnsigned) {
  const Directory d = directory({b.field<int8_t>(1, 6, {1, -128}), b.field<int16_t>(2, 8, {-32768}),
                                 b.field<int32_t>(3, 9, {-2}), b.field<int64_t>(324, 17, {7, 8, -3})});
  EXPECT_EQ(d.real_values(1, 2).value(), (std::vector<double>{1, -128}));
  EXPECT_EQ(d.real_value(2).value(), -32768);
  EXPECT_EQ(d.real_value(3).value(), -2);
  EXPECT_EQ(d.real_values(324, 3).value(), (std::vector<double>{7, 8, -3}));
  EXPECT_EQ(d.unsigned_value(1).value(), 1u);
  EXPECT_EQ(error_of(d.unsigned_values(1, 2)),
            "corrupt: " + at_ + "tag 1: value 1 is -128, expected 0 or more");
  EXPECT_EQ(error_of(d.unsigned_value(3)), "corrupt: " + at_ + "tag 3: value 0 is -2, expected 0 or more");
  EXPECT_EQ(error_of(d.unsigned_values(324, 3)),
            "corrupt: " + at_ + "tag 324 (TileOffsets): value 2 is -3, expected 0 or more");
}

TEST_P(Values, RationalsAndFloats) {
  const Directory d = directory({
      {282, 5, 1, b.number(4294967295u) + b.number(2u)},
      {283, 5, 3, b.number(72u) + b.number(1u) + b.number(1u) + b.number(0u) + b.number(0u) + b.number(7u)},
      {1000, 10, 2, b.number(-1) + b.number(4) + b.number(3) + b.number(-2)},
      b.field<float>(1001, 11, {0.25f, -1e30f, std::numeric_limits<float>::infinity()}),
      b.field<float>(1002, 11, {1.5f}),
      b.field<double>(1003, 12, {1e300, -0.1}),
      b.field<double>(1004, 12, {0.2502}),
  });
  EXPECT_EQ(d.real_value(282).value(), 2147483647.5);
  const auto y = d.real_values(283, 3).value();
  EXPECT_EQ(y[0], 72);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 0);
  EXPECT_EQ(d.real_values(1000, 2).value(), (std::vector<double>{-0.25, -1.5}));
  EXPECT_EQ(d.real_values(1001, 3).value(), (std::vector<double>{0.25, double{-1e30f}, INFINITY}));
  EXPECT_EQ(d.real_value(1002).value(), 1.5);
  EXPECT_EQ(d.real_values(1003, 2).value(), (std::vector<double>{1e300, -0.1}));
  EXPECT_EQ(d.real_value(1004).value(), 0.2502);
  EXPECT_EQ(error_of(d.unsigned_value(1004)),
            "corrupt: " + at_ + "tag 1004 has type DOUBLE, expected an integer");
}

TEST_P(Values, TextEndsAtItsFirstNulAndIsNotValidated) {
  const Directory d = directory({
      TiffBuilder::text(270, "Aperio Image Library|MPP = 0.25\0"s),
      TiffBuilder::text(271, "abc\0def\0"s),
      TiffBuilder::text(272, "no"),
      TiffBuilder::text(305, "not ended, in Latin-1: \xb5m"),
      TiffBuilder::text(306, ""),
      {315, 1, 6, "bytes\0"s},
      {316, 7, 9, "undefined"},
      b.field<uint16_t>(1000, 3, {65}),
  });
  EXPECT_EQ(d.text(270).value(), "Aperio Image Library|MPP = 0.25");
  EXPECT_EQ(d.text(271).value(), "abc");
  EXPECT_EQ(d.bytes(271).value().data.size(), 8u);
  EXPECT_EQ(d.text(272).value(), "no");
  EXPECT_EQ(d.text(305).value(), "not ended, in Latin-1: \xb5m");
  EXPECT_EQ(d.text(306).value(), "");
  EXPECT_EQ(d.text(315).value(), "bytes");
  EXPECT_EQ(d.text(316).value(), "undefined");
  EXPECT_EQ(error_of(d.text(1000)), "corrupt: " + at_ + "tag 1000 has type SHORT, expected text");
  EXPECT_EQ(error_of(d.unsigned_value(270)),
            "corrupt: " + at_ + "tag 270 (ImageDescription) has type ASCII, expected an integer");
  EXPECT_EQ(error_of(d.real_value(316)),
            "corrupt: " + at_ + "tag 316 (HostComputer) has type UNDEFINED, expected a number");
}

TEST_P(Values, AbsentTags) {
  const Directory d = directory(b.field<uint16_t>(256, 3, {640}));
  EXPECT_TRUE(d.has(256));
  EXPECT_FALSE(d.has(257));
  const std::string message = "not found: " + at_ + "no tag 257 (ImageLength)";
  EXPECT_EQ(error_of(d.unsigned_value(257)), message);
  EXPECT_EQ(error_of(d.unsigned_values(257, 1)), message);
  EXPECT_EQ(error_of(d.real_value(257)), message);
  EXPECT_EQ(error_of(d.real_values(257, 1)), message);
  EXPECT_EQ(error_of(d.text(257)), message);
  EXPECT_EQ(error_of(d.bytes(257)), message);
  EXPECT_EQ(d.unsigned_value_or(257, 480).value(), 480u);
  EXPECT_EQ(d.unsigned_value_or(256, 480).value(), 640u);
}

TEST_P(Values, FallbackIsForAbsentTagsOnly) {
  const Directory d = directory(TiffBuilder::text(256, "wide"));
  EXPECT_EQ(error_of(d.unsigned_value_or(256, 5)),
            "corrupt: " + at_ + "tag 256 (ImageWidth) has type ASCII, expected an integer");
}

TEST_P(Values, NoValuesAndTooMany) {
  const Directory d = directory({Field{256, 3, 0, ""}, b.field<uint16_t>(258, 3, {8, 8, 8, 8})});
  EXPECT_EQ(error_of(d.unsigned_value(256)),
            "corrupt: " + at_ + "tag 256 (ImageWidth) has no values, expected at least 1");
  EXPECT_EQ(error_of(d.real_value(256)),
            "corrupt: " + at_ + "tag 256 (ImageWidth) has no values, expected at least 1");
  EXPECT_TRUE(d.unsigned_values(256, 4).value().empty());
  EXPECT_TRUE(d.real_values(256, 4).value().empty());
  EXPECT_TRUE(d.bytes(256).value().data.empty());
  EXPECT_EQ(d.unsigned_values(258, 4).value().size(), 4u);
  EXPECT_EQ(error_of(d.unsigned_values(258, 3)),
            "corrupt: " + at_ + "tag 258 (BitsPerSample) has 4 values, expected at most 3");
  EXPECT_EQ(error_of(d.real_values(258, 3)),
            "corrupt: " + at_ + "tag 258 (BitsPerSample) has 4 values, expected at most 3");
}

TEST_P(Values, OrderRepeatsAndUnknownTypesAreForgiven) {
  const Directory d = directory({b.field<uint16_t>(300, 3, {1}), b.field<uint16_t>(256, 3, {2}),
                                 b.field<uint16_t>(256, 3, {3}), Field{700, 99, 5, "abcd"}});
  EXPECT_EQ(d.entries().size(), 4u);
  EXPECT_EQ(d.unsigned_value(300).value(), 1u);
  EXPECT_EQ(d.unsigned_value(256).value(), 2u);
  EXPECT_EQ(static_cast<uint16_t>(d.find(700)->type), 99);
  EXPECT_EQ(d.find(700)->count, 5u);
  const std::string message = "corrupt: " + at_ + "tag 700 has unknown type 99, expected a known one";
  EXPECT_EQ(error_of(d.bytes(700)), message);
  EXPECT_EQ(error_of(d.text(700)), message);
  EXPECT_EQ(error_of(d.unsigned_value(700)), message);
  EXPECT_EQ(error_of(d.real_value(700)), message);
}

TEST_P(Values, ValuesBeyondTheEndFailOnlyWhenAskedFor) {
  const uint64_t far = 5000;
  const Directory d = directory({b.field<uint16_t>(256, 3, {640}), b.elsewhere(270, 2, 100, far),
                                 b.elsewhere(273, 16, 0xffffffff, 8), b.elsewhere(282, 5, 2, far)});
  EXPECT_EQ(d.unsigned_value(256).value(), 640u);
  const std::string size = std::to_string(b.size());
  EXPECT_EQ(error_of(d.text(270)), "corrupt: " + at_ +
                                       "tag 270 (ImageDescription) has 100 values of ASCII at offset 5000, "
                                       "expected them within the source's " +
                                       size + " bytes");
  const std::string strips =
      "corrupt: " + at_ +
      "tag 273 (StripOffsets) has 4294967295 values of LONG8 at offset 8, expected them "
      "within the source's " +
      size + " bytes";
  EXPECT_EQ(error_of(d.unsigned_value(273)), strips);
  EXPECT_EQ(error_of(d.unsigned_values(273, ~uint64_t{0})), strips);
  EXPECT_EQ(error_of(d.bytes(273)), strips);
  EXPECT_EQ(error_of(d.real_value(282)).rfind("corrupt: " + at_ + "tag 282 (XResolution) has 2 values", 0),
            0u);
}

TEST(BigTiffValues, CountsThatOverflowAreBeyondTheEnd) {
  TiffBuilder b(false, true);
  b.directory({b.elsewhere(273, 16, uint64_t{1} << 61, 16), b.elsewhere(279, 4, ~uint64_t{0}, 16),
               b.elsewhere(270, 2, 4, 16), b.elsewhere(282, 2, 40, ~uint64_t{0} - 8)});
  const Directory d = parse(b.source()).value().directories.front();
  for (const uint16_t number : {tag::kStripOffsets, tag::kStripByteCounts, tag::kXResolution}) {
    EXPECT_NE(error_of(d.bytes(number)).find("expected them within the source's"), std::string::npos)
        << number;
    EXPECT_NE(error_of(d.real_values(number, ~uint64_t{0})).find("expected them within"), std::string::npos)
        << number;
  }
}

TEST_P(Values, LargeValuesAreRefusedByALimitThatIsNamed) {
  std::vector<uint16_t> many(100, 7);
  b.directory({b.field(273, 3, many), TiffBuilder::text(270, std::string(200, 'x'))});
  Limits limits;
  limits.max_value_bytes = 199;
  const Directory d = parse(b.source(), limits).value().directories.front();
  EXPECT_NE(error_of(d.text(270))
                .find("tag 270 (ImageDescription) has 200 values that take 1 bytes each, more "
                      "than the limit max_value_bytes of 199"),
            std::string::npos)
      << error_of(d.text(270));
  EXPECT_NE(error_of(d.unsigned_values(273, 100)).find("has 100 values that take 8 bytes each, more than"),
            std::string::npos);
  EXPECT_NE(error_of(d.real_values(273, 100)).find("has 100 values that take 8 bytes each, more than"),
            std::string::npos);
  EXPECT_EQ(d.unsigned_value(273).value(), 7u) << "the first value alone is small";
  limits.max_value_bytes = 800;
  const Directory allowed = parse(b.source(), limits).value().directories.front();
  EXPECT_EQ(allowed.unsigned_values(273, 100).value().size(), 100u);
  EXPECT_EQ(allowed.text(270).value().size(), 200u);
}

TEST_P(Values, BytesAndDirectoriesOutliveTheFile) {
  Bytes kept;
  Directory directory_kept;
  {
    b.directory({TiffBuilder::text(34675, "a colour profile")});
    const File file = parse(b.source()).value();
    kept = file.directories[0].bytes(tag::kIccProfile).value();
    directory_kept = file.directories[0];
  }
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(kept.data.data()), kept.data.size()),
            "a colour profile");
  EXPECT_EQ(directory_kept.text(34675).value(), "a colour profile");
}

}  // namespace
}  // namespace microtome::tiff
