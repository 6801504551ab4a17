// Tiles of one colour, which are filled without a transform, and those that are nearly so: the library's
// pixels, also after a tile that left its values behind.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "microtome/codec/jpeg2000/for_test/tested.h"

namespace microtome::jpeg2000::test {
namespace {

using namespace microtome::test;

struct Case {
  bool irreversible, colour_transform, ycbcr;
  uint32_t dx;  // of the second and third component
  bool dot;     // one pixel of another value
};

std::vector<std::byte> tile_of(const Case& c, const Size& size, Random& random) {
  EncoderPlan plan;
  plan.grid = {0, 0, size.w, size.h};
  plan.planes.resize(3);
  plan.planes[1].dx = plan.planes[2].dx = c.dx;
  for (EncoderPlane& plane : plan.planes) {
    const Size samples = plane_size(plan.grid, plane);
    plane.samples.assign(static_cast<size_t>(samples.w * samples.h), random.below(256));
    if (c.dot) plane.samples[random.index(plane.samples.size())] ^= 1 << random.below(8);
  }
  plan.options.irreversible = c.irreversible;
  plan.options.colour_transform = c.colour_transform;
  plan.options.rates = {c.irreversible ? 4.0f : 0.0f};
  return encode(plan);
}

TEST(Jpeg2000Flat, TilesOfOneColourAreTheLibrarys) {
  const std::vector<NamedSubject> all = tested().subjects();
  Differential differential{tested().judge()};
  Random random(80);
  int tiles = 0;
  for (const Case& c : {Case{true, true, false, 1, false}, Case{true, false, true, 2, false},
                        Case{false, true, false, 1, false}, Case{false, false, true, 2, false},
                        Case{true, true, false, 1, true}, Case{false, false, true, 2, true}}) {
    for (int i = 0; i < 60; ++i) {
      TileFormat format;
      format.compression = c.ycbcr ? Compression::aperio_jpeg2000_ycbcr : Compression::aperio_jpeg2000_rgb;
      format.color = Color::rgb;
      format.samples = 3;
      format.size = {random.between(33, 70), random.between(33, 70)};
      const auto packed = tile_of(c, format.size, random);
      const Request request = i % 2 == 0 ? whole_tile(format) : random_request(format, random);
      ASSERT_TRUE(differential.expect(packed, format, request).ok());
      for (const NamedSubject& s : all) {
        // A colour is taken where no rounding error could change it: not even 9/7 is 1 apart.
        const Outcome outcome = differential.check(s.subject, c.irreversible && c.dot ? 1 : 0);
        ASSERT_EQ(outcome.verdict, Verdict::equal)
            << s.name << " tile " << tiles << ": " << outcome.difference;
      }
      ++tiles;
    }
  }
  EXPECT_EQ(tiles, 360);
}

}  // namespace
}  // namespace microtome::jpeg2000::test
