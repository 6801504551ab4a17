// Each way of coding that our decoder is to do itself, one at a time, on texture that takes all coding
// passes: with the library's pixels and on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "microtome/codec/jpeg2000/for_test/rewrite.h"
#include "microtome/codec/jpeg2000/for_test/tested.h"

namespace microtome::jpeg2000::test {
namespace {

using namespace microtome::test;

// Of whole code-blocks after two halvings: the library's encoder writes past the memory of small ones that
// are cut into many codeword segments.
constexpr Size kSize{192, 128};
constexpr Size kSmall{96, 64};

// Noise on a ramp, over all values that a plane can have.
void paint(EncoderPlan& plan) {
  Random random(17);
  for (EncoderPlane& plane : plan.planes) {
    const Size size = plane_size(plan.grid, plane);
    const int64_t all = int64_t{1} << plane.bits, lowest = plane.is_signed ? -all / 2 : 0;
    plane.samples.clear();
    for (int64_t i = 0; i < size.w * size.h; ++i) {
      plane.samples.push_back(
          static_cast<int32_t>(lowest + i % size.w * all / size.w * 2 / 3 + random.below(all / 3 + 1)));
    }
  }
}

// Texture, in three layers of growing quality.
EncoderPlan textured(bool irreversible, Size size = kSize) {
  EncoderPlan plan;
  plan.grid = {0, 0, size.w, size.h};
  plan.planes.resize(3);
  paint(plan);
  plan.options.irreversible = irreversible;
  plan.options.resolutions = 3;
  plan.options.colour_transform = true;
  plan.options.rates = {60, 12, irreversible ? 2.0f : 0.0f};
  return plan;
}

TileFormat format_of(const EncoderPlan& plan) {
  TileFormat format;
  format.compression = Compression::jpeg2000;
  format.samples = static_cast<uint16_t>(plan.planes.size());
  format.color = format.samples >= 3 ? Color::rgb : Color::black_is_zero;
  format.size = plan.grid.size();
  const bool is_signed = plan.planes[0].is_signed;
  const bool wide = std::any_of(plan.planes.begin(), plan.planes.end(),
                                [](const EncoderPlane& plane) { return plane.bits > 8; });
  format.bits = wide ? 16 : 8;
  format.type =
      wide ? (is_signed ? SampleType::i16 : SampleType::u16) : (is_signed ? SampleType::i8 : SampleType::u8);
  return format;
}

class Jpeg2000Styles : public testing::Test {
 protected:
  void expect_ours(const EncoderPlan& plan, const std::string& what) {
    expect_ours(encode(plan), plan, plan.options.irreversible ? 1 : 0, what);
  }
  void expect_ours(const Stream& packed, const EncoderPlan& plan, int tolerance, const std::string& what) {
    expect_each(packed, plan, tolerance, what, Verdict::equal);
  }
  // The library's pixels or error: that we have none of our own.
  void expect_declined(const Stream& packed, const EncoderPlan& plan, const std::string& what) {
    expect_each(packed, plan, 0, what, Verdict::declined);
  }

  const std::vector<NamedSubject> subjects_ = tested().subjects();
  Differential differential_{tested().judge()};

 private:
  // Asks for the whole tile, for a part of it, and for a part of it reduced.
  void expect_each(const Stream& packed, const EncoderPlan& plan, int tolerance, const std::string& what,
                   Verdict verdict) {
    ASSERT_FALSE(packed.empty()) << what;
    const TileFormat format = format_of(plan);
    Random random(packed.size());
    for (const Request& request :
         {whole_tile(format), random_request(format, random), random_request(format, random, 1)}) {
      const Status& expected = differential_.expect(packed, format, request);
      if (verdict == Verdict::equal) {
        ASSERT_TRUE(expected.ok()) << what << ": " << expected.error().to_string();
      }
      for (const NamedSubject& s : subjects_) {
        const Outcome outcome = differential_.check(s.subject, tolerance);
        ASSERT_EQ(outcome.verdict, s.name == "codec" ? Verdict::equal : verdict)
            << what << ", " << s.name << ": " << outcome.difference;
      }
    }
  }
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

TEST_F(Jpeg2000Styles, BitsAndSigns) {
  for (const bool irreversible : {false, true}) {
    for (const bool is_signed : {false, true}) {
      for (const uint32_t bits : {1u, 7u, 8u, 9u, 12u, 16u}) {
        EncoderPlan plan = textured(irreversible, kSmall);
        for (EncoderPlane& plane : plan.planes) {
          plane.bits = bits;
          plane.is_signed = is_signed;
        }
        paint(plan);
        expect_ours(plan, std::to_string(bits) + (is_signed ? " signed bits" : " bits"));
      }
    }
    EncoderPlan plan = textured(irreversible, kSmall);
    plan.options.colour_transform = false;
    plan.planes[0].bits = 12;
    plan.planes[2].bits = 3;
    paint(plan);
    expect_ours(plan, "12, 8 and 3 bits");
  }
}

TEST_F(Jpeg2000Styles, Sampling) {
  for (const bool irreversible : {false, true}) {
    for (uint32_t dx = 1; dx <= 4; ++dx) {
      for (uint32_t dy = 1; dy <= 4; ++dy) {
        EncoderPlan plan = textured(irreversible, kSmall);
        plan.options.colour_transform = false;
        plan.planes[0].dx = dy;
        plan.planes[1].dx = dx;
        plan.planes[1].dy = dy;
        paint(plan);
        expect_ours(plan, "every " + std::to_string(dx) + ". column, every " + std::to_string(dy) + ". row");
      }
    }
  }
}

// Sides of powers of two begin at even places, others at any.
TEST_F(Jpeg2000Styles, SeveralTiles) {
  for (const bool irreversible : {false, true}) {
    for (const EncoderOptions::Sides tile : {EncoderOptions::Sides{32, 32}, {64, 16}, {29, 27}, {35, 27}}) {
      EncoderPlan plan = textured(irreversible, kSmall);
      plan.options.tile = tile;
      expect_ours(plan, "tiles of " + std::to_string(tile.w));
      for (size_t i = 1; i < 3 && tile.w % 2 == 0; ++i) plan.planes[i].dx = 2;
      plan.options.colour_transform = false;
      paint(plan);
      if (tile.w % 2 == 0) expect_ours(plan, "tiles of " + std::to_string(tile.w) + ", 4:2:2");
    }
  }
}

TEST_F(Jpeg2000Styles, PartsOfTilesInTurn) {
  for (const bool irreversible : {false, true}) {
    EncoderPlan plan = textured(irreversible, kSmall);
    plan.options.tile = {32, 32};
    plan.options.part_divider = 'R';
    plan.options.progression = 2;
    Random random(3);
    Stream packed = encode(plan);
    const Stream before = packed;
    interleave_parts(packed, random);
    ASSERT_NE(packed, before);
    expect_ours(packed, plan, irreversible ? 1 : 0, "parts in turn");
  }
}

// As many as tiles and their parts, if there are any: the library refuses streams that say of fewer.
TEST_F(Jpeg2000Styles, LengthsOfParts) {
  EncoderPlan plan = textured(false, kSmall);
  plan.options.part_divider = 'R';
  plan.options.progression = 2;
  plan.options.extra = {"TLM=YES"};
  Stream packed = encode(plan);
  expect_ours(packed, plan, 0, "TLM");
  const Stream tlm{std::byte{0xFF}, std::byte{0x55}};
  const auto at = std::search(packed.begin(), packed.end(), tlm.begin(), tlm.end());
  ASSERT_NE(at, packed.end());
  constexpr int kLength = 3, kFirst = 6, kEntry = 5;  // a tile and a length of four bytes
  at[kLength] = static_cast<std::byte>(std::to_integer<int>(at[kLength]) - kEntry);
  packed.erase(at + kFirst, at + kFirst + kEntry);
  expect_declined(packed, plan, "TLM of all parts but one");
}

// The last part's length may be left open.
TEST_F(Jpeg2000Styles, APartUpToTheEnd) {
  const EncoderPlan plan = textured(false, kSmall);
  Stream packed = encode(plan);
  const Stream sot{std::byte{0xFF}, std::byte{0x90}, std::byte{0}, std::byte{10}};
  const auto length = std::search(packed.begin(), packed.end(), sot.begin(), sot.end()) + 6;
  std::fill(length, length + 4, std::byte{0});
  expect_ours(packed, plan, 0, "open");
}

TEST_F(Jpeg2000Styles, OriginsAnywhere) {
  for (const bool irreversible : {false, true}) {
    for (const auto& [x, y] : {std::pair{2, 4}, {6, 2}, {8, 38}, {64, 16}}) {
      EncoderPlan plan = textured(irreversible, kSmall);
      plan.grid.x = x;
      plan.grid.y = y;
      paint(plan);
      expect_ours(plan, "from " + std::to_string(x));
      plan.options.tile = {30, 50};
      plan.options.tile_origin = {x - 1, y - 2};
      expect_ours(plan, "tiles from " + std::to_string(x));
    }
  }
}

TEST_F(Jpeg2000Styles, RegionsOfInterest) {
  for (const bool irreversible : {false, true}) {
    for (const int shift : {1, 5, 12}) {
      EncoderPlan plan = textured(irreversible, kSmall);
      plan.options.region_shift = shift;
      plan.options.region_component = 1;
      expect_ours(plan, "shifted by " + std::to_string(shift));
    }
    EncoderPlan plan = textured(irreversible);
    plan.options.region_shift = 5;
    plan.options.style = 1;
    expect_declined(encode(plan), plan, "bypass in a region of interest");
  }
}

class Jpeg2000Rewritten : public Jpeg2000Styles {
 protected:
  // Packets have SOP and EPH, by which they are found.
  static EncoderPlan marked(bool irreversible) {
    EncoderPlan plan = textured(irreversible, kSmall);
    plan.options.sop = plan.options.eph = true;
    return plan;
  }
  void expect_ours_after(const std::function<void(Pieces&, Random&)>& change, const std::string& what) {
    for (const bool irreversible : {false, true}) {
      const EncoderPlan plan = marked(irreversible);
      auto pieces = take_apart(encode(plan));
      ASSERT_TRUE(pieces) << what;
      Random random(5);
      change(*pieces, random);
      expect_ours(put_together(*pieces), plan, irreversible ? 1 : 0, what);
    }
  }
};

TEST_F(Jpeg2000Rewritten, HeadersOfPacketsApart) {
  for (const bool in_main_header : {false, true}) {
    for (const bool keep_markers : {false, true}) {
      expect_ours_after(
          [&](Pieces& pieces, Random& random) { pack_headers(pieces, in_main_header, keep_markers, random); },
          in_main_header ? "PPM" : "PPT");
    }
  }
}

TEST_F(Jpeg2000Rewritten, ChangesOfProgression) {
  const std::vector<Change> all[] = {
      {{0, 0, 3, 1, 3, 0}, {1, 0, 3, 3, 3, 4}},
      {{0, 0, 1, 3, 3, 1}, {0, 0, 3, 3, 3, 2}},
      {{0, 1, 2, 2, 2, 3}, {1, 0, 3, 3, 1, 2}, {0, 0, 1, 2, 3, 0}, {0, 0, 3, 33, 3, 4}},
  };
  for (const std::vector<Change>& changes : all) {
    expect_ours_after([&](Pieces& pieces, Random&) { ASSERT_TRUE(reorder_packets(pieces, changes)); }, "POC");
  }
}

TEST_F(Jpeg2000Rewritten, CodingInTheTilesHeader) {
  for (int i = 0; i < 8; ++i) {
    expect_ours_after([](Pieces& pieces, Random& random) { move_to_tile_header(pieces, false, random); },
                      "moved");
  }
}

TEST_F(Jpeg2000Rewritten, SegmentsThatSayNothingNew) {
  for (int i = 0; i < 8; ++i) {
    expect_ours_after([](Pieces& pieces, Random& random) { add_segments(pieces, random); }, "added");
  }
}

// Two components of 5/3 and one of 9/7, of different depths, sampling, code-blocks and decompositions.
TEST_F(Jpeg2000Rewritten, ComponentsCodedApart) {
  EncoderPlan plan = marked(false);
  plan.planes[0].bits = 12;
  plan.planes[1].dx = 2;
  paint(plan);
  std::vector<Pieces> pieces;
  for (int i = 0; i < 3; ++i) {
    EncoderPlan one = plan;
    one.planes = {plan.planes[static_cast<size_t>(i)]};
    one.options.colour_transform = false;
    one.options.progression = 4;
    one.options.resolutions = 2 + i;
    one.options.irreversible = i == 1;
    one.options.block_w = 16 << i;
    one.options.style = i == 2 ? 0x2A : 0;
    if (i == 0) one.options.precincts = {{64, 64}, {32, 32}};
    auto apart = take_apart(encode(one));
    ASSERT_TRUE(apart);
    pieces.push_back(std::move(*apart));
  }
  expect_ours(put_together(join_components(pieces)), plan, 1, "COC");
}

// The library wants no byte left over in a segment; we took such a stream for a good one.
TEST_F(Jpeg2000Rewritten, AnOddByteOfQuantisationIsAnError) {
  const EncoderPlan plan = marked(true);
  auto pieces = take_apart(encode(plan));
  ASSERT_TRUE(pieces);
  pieces->segment(0x5C).body.push_back(std::byte{0});
  expect_declined(put_together(*pieces), plan, "odd QCD");
}

}  // namespace
}  // namespace microtome::jpeg2000::test
