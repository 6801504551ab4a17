// Whole tiles and parts of them against libjpeg-turbo, with every instruction set. Streams are
// random ones that hold what no encoder of pictures writes (for_test/random_stream.h).
#include "microtome/codec/jpeg/tile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "microtome/codec/jpeg/for_test/differential.h"
#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/simd/targets_for_test.h"

namespace microtome::jpeg::test {
namespace {

// One decoder for many tiles: nothing of one may show in another.
struct Ours {
  Headers headers;
  TileDecoder decoder;
  int decoded = 0, declined = 0;

  bool decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    const Frame* const frame = headers.read(packed, format.tables.data);
    const bool done = frame != nullptr && frame->components == format.samples &&
                      Rect{0, 0, frame->size.w, frame->size.h}.contains(want.bounds()) &&
                      decoder.decode(*frame, format.color == Color::ycbcr, want);
    ++(done ? decoded : declined);
    return done;
  }

  Subject subject() {
    return [this](std::span<const std::byte> packed, const TileFormat& format, const Want& want, auto...) {
      return Answer{!decode(packed, format, want), ok_status()};
    };
  }
};

// Whether we must not leave it to the library: coefficients within what its implementations agree on
// (idct-inl.h), and no subsampled red or blue.
bool is_ours(const RandomStream& stream) {
  const auto whole = [](const StreamComponent& c) { return c.h == 1 && c.v == 1; };
  const bool colours = stream.format.samples == 1 || stream.format.color == Color::ycbcr ||
                       std::all_of(stream.components.begin(), stream.components.end(), whole);
  return stream.plain && stream.largest <= 1024 && colours;
}

TEST(JpegTile, WholeTilesAreTheLibrarys) {
  simd::on_every_target([] {
    Ours ours;
    Differential differential;
    for (uint64_t seed = 0; seed < 600; ++seed) {
      const RandomStream stream = random_stream(seed, 180);
      Random random(seed);
      Request request = whole_tile(stream.format);
      request.row_gap = random.one_in(2) ? random.below(100) : 0;
      request.stores = random.one_in(2) ? Stores::streaming : Stores::cached;
      ASSERT_TRUE(differential.expect(stream.packed, stream.format, request).ok()) << stream.description;
      const Outcome outcome = differential.check(ours.subject());
      ASSERT_EQ(outcome.difference, "") << "seed " << seed << " " << stream.description;
      if (is_ours(stream)) {
        ASSERT_NE(outcome.verdict, Verdict::declined) << "seed " << seed << " " << stream.description;
      }
    }
    EXPECT_GT(ours.decoded, 100);
  });
}

TEST(JpegTile, PartsAreCropsOfTheWhole) {
  simd::on_every_target([] {
    Ours ours;
    Differential differential;
    for (uint64_t seed = 1000; seed < 1300; ++seed) {
      const RandomStream stream = random_stream(seed, 180);
      Random random(seed);
      for (int i = 0; i < 3; ++i) {
        const Request request = random_request(stream.format, random);
        ASSERT_TRUE(differential.expect(stream.packed, stream.format, request).ok()) << stream.description;
        const Outcome outcome = differential.check(ours.subject());
        ASSERT_EQ(outcome.difference, "") << "seed " << seed << " " << i << " " << stream.description;
      }
    }
    EXPECT_GT(ours.decoded, 100);
  });
}

// Damaged streams: never other pixels than the library's, and never pixels where the library has an error.
TEST(JpegTile, DamagedTilesAreTheLibrarysOrDeclined) {
  simd::on_every_target([] {
    Ours ours;
    Differential differential;
    for (uint64_t seed = 3000; seed < 3150; ++seed) {
      const RandomStream stream = random_stream(seed, 120);
      Random random(seed);
      for (int i = 0; i < 6; ++i) {
        std::vector<std::byte> packed = stream.packed;
        const size_t at = packed.size() / 2 + random.index(packed.size() - packed.size() / 2);
        if (random.one_in(3))
          packed.resize(at);
        else
          packed[at] ^= static_cast<std::byte>(1 << random.below(8));
        const Request request =
            random.one_in(2) ? whole_tile(stream.format) : random_request(stream.format, random);
        (void)differential.expect(packed, stream.format, request).ok();
        ASSERT_EQ(differential.check(ours.subject()).difference, "")
            << "seed " << seed << " " << i << " " << stream.description;
      }
    }
    EXPECT_GT(ours.declined, 20);
  });
}

}  // namespace
}  // namespace microtome::jpeg::test
