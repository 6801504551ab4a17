// The generator against libjpeg-turbo alone: it takes every stream without a warning and finds the
// coefficients that were written.
#include "microtome/codec/jpeg/for_test/random_stream.h"

#include <cstdio>
// jpeglib.h needs size_t and FILE.
#include <gtest/gtest.h>
#include <jpeglib.h>

#include <map>
#include <set>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/jpeg/for_test/huffman_writer.h"
#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/for_test/stream_writer.h"

namespace microtome::jpeg::test {
namespace {

constexpr int kStreams = microtome::test::cases(3000), kStreamSide = 200;

TEST(RandomStream, TheLibraryTakesEachWithoutAWarning) {
  for (uint64_t seed = 0; seed < kStreams; ++seed) {
    const RandomStream stream = random_stream(seed, kStreamSide);
    const PlainImage image = plain_decode(stream.packed, stream.format);
    ASSERT_EQ(image.complaint, "") << "seed " << seed << " " << stream.description;
    EXPECT_GE(image.size.w, stream.format.size.w);
    EXPECT_GE(image.size.h, stream.format.size.h);
  }
}

TEST(RandomStream, HoldsTheCoefficientsThatWereWritten) {
  for (uint64_t seed = 0; seed < kStreams; ++seed) {
    const RandomStream stream = random_stream(seed, kStreamSide);
    const auto found = plain_coefficients(stream.packed, stream.format);
    ASSERT_EQ(found.size(), stream.components.size()) << "seed " << seed << " " << stream.description;
    for (size_t i = 0; i < found.size(); ++i) {
      const StreamComponent& c = stream.components[i];
      ASSERT_LE(found[i].w, c.blocks_w);
      ASSERT_LE(found[i].h, c.blocks_h);
      for (int y = 0; y < found[i].h; ++y) {
        for (int x = 0; x < found[i].w; ++x) {
          const Block& block = c.blocks[static_cast<size_t>(y * c.blocks_w + x)];
          const int16_t* values = &found[i].values[static_cast<size_t>(y * found[i].w + x) * 64];
          for (size_t k = 0; k < 64; ++k) {
            ASSERT_EQ(values[kNaturalOfZigzag[k]], block[k])
                << "seed " << seed << " " << stream.description << ": component " << i << " block " << x
                << "," << y << " coefficient " << k;
          }
        }
      }
    }
  }
}

TEST(RandomStream, IsTheSameForTheSameSeed) {
  std::set<std::vector<std::byte>> different;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const RandomStream a = random_stream(seed, kStreamSide), b = random_stream(seed, kStreamSide);
    EXPECT_EQ(a.packed, b.packed);
    EXPECT_EQ(a.description, b.description);
    different.insert(a.packed);
  }
  EXPECT_EQ(different.size(), 50u);
}

// What the streams are there for does occur: else a change to the generator could empty the tests that use
// it.
TEST(RandomStream, CoversWhatItSaysItDoes) {
  std::map<std::string, int> found;
  for (uint64_t seed = 0; seed < kStreams; ++seed) {
    const RandomStream stream = random_stream(seed, kStreamSide);
    const auto has = [&](const char* what, bool does) { found[what] += does ? 1 : 0; };
    const auto& c = stream.components;
    const auto three = [&](int h, int v) {
      return stream.plain && c.size() == 3 && c[0].h == h && c[0].v == v;
    };
    has("grey", stream.plain && c.size() == 1);
    has("4:4:4", three(1, 1));
    has("4:2:2", three(2, 1));
    has("4:4:0", three(1, 2));
    has("4:2:0", three(2, 2));
    has("odd", !stream.plain);
    has("JPEGTables", !stream.format.tables.data.empty());
    has("narrow", stream.format.size.w <= 4);
    has("beyond 16 bits", stream.largest > 32767);
    has("within 8 bits and a half", stream.plain && stream.largest < 1024);
    bool last = false, dc_only = true, whole_range = false;
    for (const StreamComponent& component : c) {
      for (const Block& block : component.blocks) {
        last |= block[63] != 0;
        for (size_t k = 1; k < 64; ++k) {
          dc_only &= block[k] == 0;
          whole_range |= block[k] == 1023;
        }
      }
    }
    has("coefficient at 63", last);
    has("nothing but DC", dc_only);
    has("largest baseline coefficient", whole_range);
  }
  for (const auto& [what, count] : found) EXPECT_GE(count, kStreams / 100) << what;
}

// Annex K.3 as the library has it.
TEST(RandomStream, StandardTablesAreThoseOfTheLibrary) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  for (const bool ac : {false, true}) {
    for (const bool chrominance : {false, true}) {
      const JHUFF_TBL* theirs = (ac ? jpeg.ac_huff_tbl_ptrs : jpeg.dc_huff_tbl_ptrs)[chrominance ? 1 : 0];
      const CodeTable& ours = standard_table(ac, chrominance);
      for (size_t i = 1; i <= 16; ++i) EXPECT_EQ(ours.counts[i], theirs->bits[i]) << ac << chrominance << i;
      for (size_t i = 0; i < ours.symbols.size(); ++i) EXPECT_EQ(ours.symbols[i], theirs->huffval[i]);
    }
  }
  jpeg_destroy_compress(&jpeg);
}

TEST(HuffmanWriter, EveryStyleGivesAPrefixCodeWithoutOnesAlone) {
  Random random(1);
  for (const TableStyle style :
       {TableStyle::optimised, TableStyle::random, TableStyle::long_codes, TableStyle::chain}) {
    std::set<size_t> lengths;
    for (int round = 0; round < 200; ++round) {
      Frequencies frequencies{};
      for (int i = random.between(1, 300); i > 0; --i) {
        frequencies[random.index(256)] += 1 + static_cast<uint32_t>(random.below(random.between(1, 100000)));
      }
      const CodeTable table = make_table(style, frequencies, random);
      uint32_t taken = 0;
      for (size_t i = 0; i < 256; ++i) {
        ASSERT_EQ(frequencies[i] != 0, table.length[i] != 0);
        if (table.length[i] == 0) continue;
        lengths.insert(table.length[i]);
        ASSERT_LT(table.code[i], (1u << table.length[i]) - 1) << "a code of ones alone";
        taken += 1u << (16 - table.length[i]);
      }
      ASSERT_LE(taken, 0xFFFFu);
    }
    EXPECT_TRUE(lengths.contains(16)) << "style " << static_cast<int>(style);
  }
}

}  // namespace
}  // namespace microtome::jpeg::test
