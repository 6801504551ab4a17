// Each way of coding that our decoder is to do itself, one at a time, on texture that takes all coding
// passes: with the library's pixels and on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "microtome/codec/jpeg2000/for_test/tested.h"

namespace microtome::jpeg2000::test {
namespace {

using namespace microtome::test;

// Of whole code-blocks after two halvings: the library's encoder writes past the memory of small ones that
// are cut into many codeword segments.
constexpr Size kSize{192, 128};

// Texture, in three layers of growing quality.
EncoderPlan textured(bool irreversible) {
  EncoderPlan plan;
  plan.grid = {0, 0, kSize.w, kSize.h};
  plan.planes.resize(3);
  Random random(17);
  for (EncoderPlane& plane : plan.planes) {
    for (int64_t i = 0; i < kSize.w * kSize.h; ++i) {
      plane.samples.push_back(static_cast<int32_t>(i % kSize.w) + random.below(90));
    }
  }
  plan.options.irreversible = irreversible;
  plan.options.resolutions = 3;
  plan.options.colour_transform = true;
  plan.options.rates = {60, 12, irreversible ? 2.0f : 0.0f};
  return plan;
}

class Jpeg2000Styles : public testing::Test {
 protected:
  // Asks for the whole tile, and for a part of it.
  void expect_ours(const EncoderPlan& plan, const std::string& what) {
    const std::vector<std::byte> packed = encode(plan);
    ASSERT_FALSE(packed.empty()) << what;
    TileFormat format;
    format.compression = Compression::aperio_jpeg2000_rgb;
    format.color = Color::rgb;
    format.samples = 3;
    format.size = kSize;
    Random random(packed.size());
    for (const Request& request : {whole_tile(format), random_request(format, random)}) {
      const Status& expected = differential_.expect(packed, format, request);
      ASSERT_TRUE(expected.ok()) << what << ": " << expected.error().to_string();
      for (const NamedSubject& s : subjects_) {
        const Outcome outcome = differential_.check(s.subject, plan.options.irreversible ? 1 : 0);
        ASSERT_EQ(outcome.verdict, Verdict::equal) << what << ", " << s.name << ": " << outcome.difference;
      }
    }
  }

  const std::vector<NamedSubject> subjects_ = tested().subjects();
  Differential differential_{tested().judge()};
};

// Bypass, reset, termination, vertically causal, predictable termination, segmentation symbols; and those
// pairs of them that change each other.
TEST_F(Jpeg2000Styles, CodeBlocks) {
  for (const bool irreversible : {false, true}) {
    for (const int style : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x03, 0x05, 0x09, 0x06, 0x14, 0x15, 0x3F}) {
      EncoderPlan plan = textured(irreversible);
      plan.options.style = style;
      expect_ours(plan, "style " + std::to_string(style));
    }
  }
}

TEST_F(Jpeg2000Styles, TileParts) {
  for (const char divider : {'R', 'L', 'C'}) {
    EncoderPlan plan = textured(true);
    plan.options.part_divider = divider;
    // Parts begin where the order's outermost loop goes on.
    plan.options.progression = divider == 'L' ? 0 : divider == 'R' ? 2 : 4;
    const std::vector<std::byte> packed = encode(plan),
                                 sot{std::byte{0xFF}, std::byte{0x90}, std::byte{0}, std::byte{10}};
    const auto first = std::search(packed.begin(), packed.end(), sot.begin(), sot.end());
    ASSERT_NE(std::search(first + 4, packed.end(), sot.begin(), sot.end()), packed.end()) << "one part";
    expect_ours(plan, std::string("parts by ") + divider);
  }
}

TEST_F(Jpeg2000Styles, PacketLengths) {
  EncoderPlan plan = textured(false);
  plan.options.extra.push_back("PLT=YES");
  expect_ours(plan, "PLT");
}

}  // namespace
}  // namespace microtome::jpeg2000::test
