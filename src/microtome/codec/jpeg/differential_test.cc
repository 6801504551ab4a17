// Random and damaged streams: what the codec gives is what libjpeg-turbo gives, pixels or error, and nothing
// outside of input and output is touched (both lie against forbidden pages). tools of the same kind run for
// hours: fuzz/jpeg.cc and the proof program beside the cross-layer tests.
#include "microtome/codec/jpeg/for_test/differential.h"

#include <gtest/gtest.h>

#include <string_view>

#include "microtome/codec/fixtures_for_test.h"
#include "microtome/codec/jpeg/for_test/damage.h"
#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"

namespace microtome::jpeg::test {
namespace {

constexpr int kMaxSide = 200;

// The codec as readers have it. One decoder meets all streams: nothing of one may show in another.
Subject codec() {
  TileFormat format;
  format.compression = Compression::jpeg;
  const std::shared_ptr<Decoder> decoder = microtome::test::make_decoder(format);
  return [decoder](std::span<const std::byte> packed, const TileFormat& tile, const Want& want) {
    Status status = decoder->decode(packed, tile, want);
    if (status.ok()) return Answer{};
    Error error = status.error();
    constexpr std::string_view kPrefix = "jpeg: ";
    EXPECT_TRUE(error.message.starts_with(kPrefix)) << error.message;
    error.message.erase(0, kPrefix.size());
    return Answer{false, error};
  };
}

TEST(JpegDifferential, WholeTiles) {
  const Subject subject = codec();
  Differential differential;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    const Status& expected = differential.expect(stream.packed, stream.format, whole_tile(stream.format));
    ASSERT_TRUE(expected.ok()) << expected.error().to_string() << " seed " << seed << " "
                               << stream.description;
    const Outcome outcome = differential.check(subject);
    ASSERT_EQ(outcome.difference, "") << "seed " << seed << " " << stream.description;
  }
}

// The judge itself crops: against the whole image of libjpeg used plainly.
TEST(JpegDifferential, PartsAreCropsOfThePlainImage) {
  const Subject subject = codec();
  Differential differential;
  for (uint64_t seed = 10000; seed < 11000; ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    const PlainImage plain = plain_decode(stream.packed, stream.format);
    ASSERT_EQ(plain.complaint, "") << "seed " << seed << " " << stream.description;
    Random random(seed);
    for (int i = 0; i < 3; ++i) {
      const Request request = random_request(stream.format, random);
      const Status& expected = differential.expect(stream.packed, stream.format, request);
      ASSERT_TRUE(expected.ok()) << expected.error().to_string() << " seed " << seed << " "
                                 << stream.description;
      ASSERT_EQ(differential.difference_from(plain.pixels, plain.size), "")
          << "seed " << seed << " " << stream.description;
      const Outcome outcome = differential.check(subject);
      ASSERT_EQ(outcome.difference, "") << "seed " << seed << " request " << i << " " << stream.description;
    }
  }
}

TEST(JpegDifferential, DamagedStreams) {
  const Subject subject = codec();
  Differential differential;
  int errors = 0, pixels = 0;
  for (uint64_t seed = 20000; seed < 20400; ++seed) {
    const RandomStream stream = random_stream(seed, 120);
    Random random(seed);
    for (int i = 0; i < 10; ++i) {
      auto packed = stream.packed;
      for (int n = random.one_in(3) ? random.between(1, 4) : 1; n > 0; --n) damage(packed, random);
      const Request request =
          random.one_in(2) ? whole_tile(stream.format) : random_request(stream.format, random);
      ++(differential.expect(packed, stream.format, request).ok() ? pixels : errors);
      const Outcome outcome = differential.check(subject);
      ASSERT_EQ(outcome.difference, "") << "seed " << seed << " damage " << i << " " << stream.description;
    }
  }
  EXPECT_GT(errors, 500);
  EXPECT_GT(pixels, 500);
}

}  // namespace
}  // namespace microtome::jpeg::test
