#include "microtome/tiff/lazy_array.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "microtome/tiff/tiff_builder_for_test.h"

namespace microtome::tiff {
namespace {

constexpr uint64_t kTiles = 1'000'000;

uint64_t offset_of_tile(uint64_t index) {
  return index * 21001 + 16;
}

struct Million {
  std::shared_ptr<CountingSource> source;
  Directory directory;
};

/// A slide of 10^6 tiles: offsets of 8 bytes, sizes of 4.
Million million(bool big_endian) {
  TiffBuilder b(big_endian, true);
  std::vector<uint64_t> offsets(kTiles);
  std::vector<uint32_t> sizes(kTiles);
  for (uint64_t i = 0; i < kTiles; ++i) {
    offsets[i] = offset_of_tile(i);
    sizes[i] = static_cast<uint32_t>(i + 7);
  }
  b.directory({b.field(324, 16, offsets), b.field(325, 4, sizes)});
  Million made;
  made.source = std::make_shared<CountingSource>(b.source());
  made.directory = parse(made.source).value().directories.front();
  return made;
}

class Slides : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(BigEndian, Slides, ::testing::Bool());

TEST_P(Slides, AMillionTilesCostAReadForEachPageThatIsUsed) {
  const Million slide = million(GetParam());
  const uint64_t reads_to_open = slide.source->reads;
  EXPECT_EQ(reads_to_open, 2u) << "header and directory";
  const LazyArray offsets = LazyArray::over(slide.directory, tag::kTileOffsets).value();
  const LazyArray sizes = LazyArray::over(slide.directory, tag::kTileByteCounts).value();
  EXPECT_EQ(offsets.size(), kTiles);
  EXPECT_EQ(slide.source->reads, reads_to_open) << "over() reads nothing";

  // A patch of 2 x 2 tiles in a row of 1000: one page, here.
  for (const uint64_t index : {500'000u, 500'001u, 501'000u, 501'001u}) {
    EXPECT_EQ(offsets.at(index).value(), offset_of_tile(index));
  }
  EXPECT_EQ(slide.source->reads, reads_to_open + 1);
  EXPECT_EQ(offsets.at(kTiles - 1).value(), offset_of_tile(kTiles - 1));
  EXPECT_EQ(offsets.at(0).value(), 16u);
  EXPECT_EQ(sizes.at(4095).value(), 4102u);
  EXPECT_EQ(sizes.at(4096).value(), 4103u);
  EXPECT_EQ(slide.source->reads, reads_to_open + 5);

  for (uint64_t i = 0; i < kTiles; ++i) ASSERT_EQ(offsets.at(i).value(), offset_of_tile(i));
  EXPECT_EQ(slide.source->reads, reads_to_open + 2 + 245) << "ceil(10^6 / 4096) pages of offsets, 2 of sizes";
}

TEST_P(Slides, EightThreadsRaceForTheSamePages) {
  const Million slide = million(GetParam());
  const LazyArray offsets = LazyArray::over(slide.directory, tag::kTileOffsets).value();
  std::atomic<int> wrong{0}, ready{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      // All at once, and over the same indices, so that pages are really read by several threads.
      ++ready;
      while (ready < 8) std::this_thread::yield();
      for (uint64_t i = 0; i < kTiles; i += 512) {
        const auto value = offsets.at(i);
        if (!value.ok() || *value != offset_of_tile(i)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(slide.source->reads, 2u + 245u);
  EXPECT_LE(slide.source->reads, 2u + 8 * 245u);
}

class Encodings : public ::testing::TestWithParam<EncodingParam> {};
INSTANTIATE_TEST_SUITE_P(All, Encodings, kEveryEncoding, encoding_name);

TEST_P(Encodings, ValuesInTheEntryAndBeside) {
  TiffBuilder b(GetParam().first, GetParam().second);
  b.directory({b.field<uint32_t>(1, 4, {77}), b.field<uint16_t>(2, 3, {5, 6}),
               b.field<uint16_t>(3, 3, {1, 2, 3, 4, 5}), b.field<int64_t>(4, 17, {9, -1, 3}),
               b.field<uint8_t>(5, 1, {200, 201}), b.field<uint64_t>(6, 16, {uint64_t{1} << 40})});
  const auto source = std::make_shared<CountingSource>(b.source());
  const Directory d = parse(source).value().directories.front();
  const uint64_t reads_to_open = source->reads;
  const auto values = [&](uint16_t tag) {
    const LazyArray array = LazyArray::over(d, tag).value();
    std::vector<uint64_t> all;
    for (uint64_t i = 0; i < array.size(); ++i) all.push_back(array.at(i).value());
    return all;
  };
  EXPECT_EQ(values(1), (std::vector<uint64_t>{77}));
  EXPECT_EQ(values(2), (std::vector<uint64_t>{5, 6}));
  EXPECT_EQ(values(5), (std::vector<uint64_t>{200, 201}));
  EXPECT_EQ(source->reads, reads_to_open);
  EXPECT_EQ(values(3), (std::vector<uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(source->reads, reads_to_open + 1);
  EXPECT_EQ(values(6), (std::vector<uint64_t>{uint64_t{1} << 40}));
  EXPECT_EQ(source->reads, reads_to_open + (GetParam().second ? 1 : 2));

  const LazyArray negative = LazyArray::over(d, 4).value();
  EXPECT_NE(error_of(negative.at(0)).find("tag 4: value 1 is -1, expected 0 or more"), std::string::npos);
}

TEST_P(Encodings, WhatCannotBeAnArrayOfOffsets) {
  TiffBuilder b(GetParam().first, GetParam().second);
  const uint64_t at = b.directory({TiffBuilder::text(1, "text"), b.elsewhere(324, 4, 1000, 8),
                                   Field{3, 3, 0, ""}, b.field<float>(4, 11, {1.f}), Field{5, 77, 1, "abcd"},
                                   b.field<uint16_t>(6, 3, {1, 2, 3, 4, 5})});
  const std::string place = "tiff: directory at offset " + std::to_string(at) + ": ";
  Limits limits;
  limits.max_array_values = 4;
  const Directory d = parse(b.source()).value().directories.front();
  const Directory limited = parse(b.source(), limits).value().directories.front();
  EXPECT_EQ(error_of(LazyArray::over(d, 99)), "not found: " + place + "no tag 99");
  EXPECT_EQ(error_of(LazyArray::over(d, 1)),
            "corrupt: " + place + "tag 1 has type ASCII, expected an integer");
  EXPECT_EQ(error_of(LazyArray::over(d, 4)),
            "corrupt: " + place + "tag 4 has type FLOAT, expected an integer");
  EXPECT_EQ(error_of(LazyArray::over(d, 5)),
            "corrupt: " + place + "tag 5 has unknown type 77, expected a known one");
  EXPECT_EQ(error_of(LazyArray::over(d, 324)),
            "corrupt: " + place +
                "tag 324 (TileOffsets) has 1000 values of LONG at offset 8, expected them within "
                "the source's " +
                std::to_string(b.size()) + " bytes");
  EXPECT_EQ(error_of(LazyArray::over(limited, 6)),
            "corrupt: " + place + "tag 6 has 5 values, more than the limit max_array_values of 4");
  const LazyArray empty = LazyArray::over(d, 3).value();
  EXPECT_EQ(empty.size(), 0u);
  EXPECT_EQ(error_of(empty.at(0)), "out of range: tiff: value 0 of an array of 0");
}

TEST(LazyArray, OfValuesInMemory) {
  LazyArray array = LazyArray::of({3, 1, 4});
  EXPECT_EQ(array.size(), 3u);
  EXPECT_EQ(array.at(2).value(), 4u);
  EXPECT_EQ(error_of(array.at(3)), "out of range: tiff: value 3 of an array of 3");
  const LazyArray moved = std::move(array);
  EXPECT_EQ(moved.at(0).value(), 3u);
  EXPECT_EQ(LazyArray().size(), 0u);
  EXPECT_FALSE(LazyArray().at(0).ok());
}

TEST(LazyArray, JoinedIsOnePartAfterTheOther) {
  TiffBuilder b;
  b.directory({b.field<uint16_t>(324, 3, {1, 2, 3})});
  const File file = parse(b.source()).value();
  std::vector<LazyArray> parts;
  parts.push_back(LazyArray::over(file.directories.front(), 324).value());
  parts.push_back(LazyArray::of({10, 20}));
  const LazyArray array = LazyArray::joined(std::move(parts), 2);
  ASSERT_EQ(array.size(), 4u);
  std::vector<uint64_t> values;
  for (uint64_t i = 0; i < 4; ++i) values.push_back(array.at(i).value());
  EXPECT_EQ(values, (std::vector<uint64_t>{1, 2, 10, 20}));
  EXPECT_EQ(error_of(array.at(4)), "out of range: tiff: value 4 of an array of 4");
}

TEST(LazyArray, AnErrorIsNotRemembered) {
  class Moody final : public ByteSource {
   public:
    explicit Moody(std::shared_ptr<const ByteSource> source) : source_(std::move(source)) {}
    std::string_view name() const noexcept override { return "moody"; }
    uint64_t size() const noexcept override { return source_->size(); }
    SourceId id() const noexcept override { return {}; }
    Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
      if (failing) return Error{Errc::io, "no luck"};
      return source_->read_at(offset, dst);
    }
    Status check_unchanged() const override { return ok_status(); }
    bool failing = false;

   private:
    std::shared_ptr<const ByteSource> source_;
  };
  TiffBuilder b;
  const uint64_t at = b.directory({b.field<uint16_t>(324, 3, {1, 2, 3})});
  const auto source = std::make_shared<Moody>(b.source());
  const LazyArray array = LazyArray::over(parse(source).value().directories.front(), 324).value();
  source->failing = true;
  EXPECT_EQ(error_of(array.at(1)),
            "io: tiff: directory at offset " + std::to_string(at) + ": tag 324 (TileOffsets): no luck");
  source->failing = false;
  EXPECT_EQ(array.at(1).value(), 2u);
}

}  // namespace
}  // namespace microtome::tiff
