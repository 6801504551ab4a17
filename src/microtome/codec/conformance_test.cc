// What every codec must do, for every fixture it has: rows come from conformance_fixtures.inc, codecs from
// codecs().
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <thread>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/fixtures_for_test.h"

namespace microtome::test {
namespace {

class Conformance : public testing::TestWithParam<std::string> {
 protected:
  const Fixture& f() const { return fixture(GetParam()); }
  std::unique_ptr<Decoder> decoder() const { return make_decoder(f().format); }

  testing::AssertionResult right(const Result<ByteVector>& pixels) const {
    if (!pixels.ok()) return testing::AssertionFailure() << pixels.error().to_string();
    if (pixels->size() != f().pixels.size()) return testing::AssertionFailure() << pixels->size() << " bytes";
    for (size_t i = 0; i < pixels->size(); ++i) {
      const int found = std::to_integer<int>((*pixels)[i]), expected = std::to_integer<int>(f().pixels[i]);
      if (std::abs(found - expected) > f().tolerance) {
        return testing::AssertionFailure() << "byte " << i << " is " << found << ", expected " << expected;
      }
    }
    return testing::AssertionSuccess();
  }
};

TEST_P(Conformance, KnownAnswer) {
  EXPECT_TRUE(right(decode(f().packed, f().format)));
}

TEST_P(Conformance, EveryRegionIsACropOfTheWhole) {
  const auto d = decoder();
  const auto all = decode(*d, f().packed, f().format, whole(f().format));
  ASSERT_TRUE(all.ok()) << all.error().to_string();
  const Size size = f().format.size;
  // Every pair of edges in one axis against a few in the other: all offsets, without all their products.
  std::vector<Rect> regions;
  for (int64_t a = 0; a < size.w; ++a) {
    for (int64_t b = a + 1; b <= size.w; ++b) regions.push_back({a, a % size.h, b - a, size.h - a % size.h});
  }
  for (int64_t a = 0; a < size.h; ++a) {
    for (int64_t b = a + 1; b <= size.h; ++b) {
      regions.push_back({0, a, size.w, b - a});
      regions.push_back({b % size.w, a, size.w - b % size.w, b - a});
    }
  }
  for (const Rect& r : regions) {
    const auto part = decode(*d, f().packed, f().format, r);
    ASSERT_TRUE(part.ok()) << part.error().to_string();
    ASSERT_EQ(*part, crop(*all, f().format, r)) << r.x << "," << r.y << " " << r.w << "x" << r.h;
  }
}

TEST_P(Conformance, TruncatedAnywhereIsAnErrorOrComplete) {
  const auto d = decoder();
  for (size_t size = 0; size < f().packed.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read past its end.
    const ByteVector part(f().packed.begin(), f().packed.begin() + static_cast<ptrdiff_t>(size));
    const auto pixels = decode(*d, part, f().format, whole(f().format));
    if (pixels.ok()) {
      EXPECT_TRUE(right(pixels)) << "of " << f().packed.size() << " bytes, the first " << size;
    } else {
      EXPECT_EQ(pixels.error().code, Errc::corrupt) << pixels.error().to_string();
    }
  }
}

TEST_P(Conformance, DamagedAnywhereNeverCrashesAndIsUsableAfterwards) {
  const auto d = decoder();
  ByteVector packed = f().packed;
  for (size_t i = 0; i < packed.size(); ++i) {
    const std::byte before = packed[i];
    const int values[] = {0xFF, 0x00, 0x55};
    for (const int value : std::span(values).first(cases(std::size(values)))) {
      packed[i] = static_cast<std::byte>(value);
      const auto pixels = decode(*d, packed, f().format, whole(f().format));
      if (!pixels.ok()) {
        EXPECT_NE(pixels.error().code, Errc::internal) << pixels.error().to_string();
      }
    }
    packed[i] = before;
  }
  EXPECT_TRUE(right(decode(*d, packed, f().format, whole(f().format))));
}

TEST_P(Conformance, StreamSmallerThanTheRegionIsCorruptWithNumbers) {
  TileFormat format = f().format;
  format.size.h += 64;
  const auto pixels = decode(f().packed, format);
  ASSERT_FALSE(pixels.ok());
  EXPECT_EQ(pixels.error().code, Errc::corrupt);
  const std::string rows = std::to_string(format.size.h);
  EXPECT_NE(pixels.error().message.find(rows), std::string::npos) << pixels.error().message;
  // What it does cover can be had.
  EXPECT_TRUE(right(decode(*decoder(), f().packed, format, whole(f().format))));
}

TEST_P(Conformance, RequestsThatDisagreeAreRefused) {
  const auto d = decoder();
  const Size size = f().format.size;
  for (const Rect& r : {Rect{0, 0, size.w + 1, size.h}, Rect{-1, 0, 2, 1}, Rect{0, size.h, 1, 1},
                        Rect{0, 0, 0, 1}, Rect{1, 1, INT64_MAX, 1}}) {
    ByteVector memory(64);
    const ImageView view{memory.data(), r.size(), 64, f().format.samples, f().format.type};
    const Status status = d->decode_part(f().packed, f().format, r, view);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Errc::invalid_argument) << status.error().to_string();
  }
  ByteVector memory(64);
  const Rect one{0, 0, 1, 1};
  for (const ImageView& view :
       {ImageView{memory.data(), {2, 1}, 64, f().format.samples, f().format.type},
        ImageView{memory.data(), {1, 1}, 64, static_cast<uint16_t>(f().format.samples + 1), f().format.type},
        ImageView{memory.data(), {1, 1}, 64, f().format.samples, SampleType::i64}}) {
    const Status status = d->decode_part(f().packed, f().format, one, view);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Errc::invalid_argument) << status.error().to_string();
  }
  TileFormat planar = f().format;
  planar.planar = true;
  const auto pixels = decode(*d, f().packed, planar, one);
  ASSERT_FALSE(pixels.ok());
  EXPECT_EQ(pixels.error().code, Errc::unsupported);
  EXPECT_NE(pixels.error().message.find("planar"), std::string::npos);
}

// JPEG 2000 can where the stream has decompositions, and its image begins at a place that reductions keep.
TEST_P(Conformance, OnlyJpegAndJpeg2000AreDecodedAtLessThanTheirResolution) {
  const Compression compression = f().format.compression;
  const bool jpeg2000 = f().name.starts_with("jpeg2000"), jpeg = compression == Compression::jpeg;
  TileFormat reduced = f().format;
  reduced.size = reduced_size(f().format.size, 1);
  const auto half = decode(*decoder(), f().packed, f().format, whole(reduced), 1);
  if (!half.ok()) {
    ASSERT_FALSE(jpeg) << half.error().message;
    EXPECT_EQ(half.error().code, Errc::unsupported);
    const char* const why =
        jpeg2000 ? ": 1/2 of the resolution" : ": decoding at 1/2 of the resolution is not supported";
    EXPECT_NE(half.error().message.find(why), std::string::npos) << half.error().message;
    return;
  }
  ASSERT_TRUE(jpeg || jpeg2000);
  const Rect part{1, 1, reduced.size.w - 2, reduced.size.h - 1};
  const auto some = decode(*decoder(), f().packed, f().format, part, 1);
  ASSERT_TRUE(some.ok()) << some.error().to_string();
  EXPECT_EQ(*some, crop(*half, reduced, part));
}

TEST_P(Conformance, BytesBetweenRowsAreNotTouched) {
  const Rect all = whole(f().format);
  for (const Rect& r : {all, Rect{1, 1, all.w - 2, all.h - 1}}) {
    ImageView view{nullptr, r.size(), 0, f().format.samples, f().format.type};
    const size_t row = view.row_bytes(), gap = 13;
    view.row_stride = static_cast<int64_t>(row + gap);
    ByteVector memory((row + gap) * static_cast<size_t>(r.h) + 1, std::byte{0xA5});
    view.data = memory.data() + 1;  // off alignment
    const Status status = decoder()->decode_part(f().packed, f().format, r, view);
    ASSERT_TRUE(status.ok()) << status.error().to_string();
    const auto expected = decode(*decoder(), f().packed, f().format, r);
    ASSERT_TRUE(expected.ok());
    for (int64_t y = 0; y < r.h; ++y) {
      const std::byte* line = view.row(y);
      EXPECT_TRUE(std::equal(line, line + row, expected->data() + static_cast<size_t>(y) * row))
          << "row " << y;
      EXPECT_EQ(std::count(line + row, line + row + gap, std::byte{0xA5}), static_cast<ptrdiff_t>(gap))
          << "row " << y;
    }
    EXPECT_EQ(memory[0], std::byte{0xA5});
  }
}

TEST_P(Conformance, ReusableAfterFailure) {
  const auto d = decoder();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(
        decode(*d, std::span(f().packed).first(f().packed.size() / 2), f().format, whole(f().format)).ok());
    EXPECT_TRUE(right(decode(*d, f().packed, f().format, whole(f().format))));
  }
}

TEST_P(Conformance, TwoThreadsWithTwoDecoders) {
  const auto work = [this](int& right_ones) {
    const auto d = decoder();
    for (int i = 0; i < 5; ++i) right_ones += right(decode(*d, f().packed, f().format, whole(f().format)));
  };
  int a = 0, b = 0;
  std::thread other(work, std::ref(a));
  work(b);
  other.join();
  EXPECT_EQ(a, 5);
  EXPECT_EQ(b, 5);
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Fixture& f : fixtures()) result.push_back(f.name);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Codecs, Conformance, testing::ValuesIn(names()),
                         [](const auto& parameter) { return parameter.param; });

TEST(CodecTable, EveryCodecHasAFixtureAndSaysWhatItIs) {
  std::set<std::string_view> found;
  for (const Codec* codec : codecs()) {
    found.insert(codec->name);
    EXPECT_FALSE(codec->version().empty()) << codec->name;
    const auto has = [&](const Fixture& f) { return codec->accepts(f.format); };
    EXPECT_TRUE(std::any_of(fixtures().begin(), fixtures().end(), has)) << codec->name << " has no fixture";
  }
  EXPECT_EQ(found, (std::set<std::string_view>{"jpeg", "jpeg2000", "raw", "deflate", "lzw", "packbits",
                                               "zstd", "lzma", "webp", "jpegxl", "lerc"}));
}

TEST(CodecTable, WhatNoCodecAcceptsIsNamed) {
  TileFormat format;
  format.compression = Compression::ccitt_fax4;
  const auto codec = find_codec(format);
  ASSERT_FALSE(codec.ok());
  EXPECT_EQ(codec.error().to_string(), "unsupported: CCITT fax group 4 tiles are not supported");
}

// One decoder meets the tiles of many files: nothing of one may show in another.
TEST(CodecTable, FixturesMayFollowEachOtherInOneDecoder) {
  for (const Codec* codec : codecs()) {
    const auto decoder = codec->make().value();
    for (int round = 0; round < 2; ++round) {
      for (const Fixture& f : fixtures()) {
        if (!codec->accepts(f.format)) continue;
        const auto alone = decode(f.packed, f.format),
                   shared = decode(*decoder, f.packed, f.format, whole(f.format));
        ASSERT_TRUE(alone.ok() && shared.ok()) << f.name;
        EXPECT_EQ(*alone, *shared) << f.name;
      }
    }
  }
}

}  // namespace
}  // namespace microtome::test
