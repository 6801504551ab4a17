// Whole tiles, parts, planes and reductions against libjpeg-turbo, with every instruction set. Streams are
// random ones that hold what no encoder of pictures writes (for_test/random_stream.h).
#include "microtome/codec/jpeg/tile.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/for_test/differential.h"
#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"
#include "microtome/codec/jpeg/for_test/tested.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/simd/targets_for_test.h"

namespace microtome::jpeg::test {
namespace {

using namespace microtome::test;

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
  return stream.plain && stream.largest <= kAlwaysOwn && colours;
}

TEST(JpegTile, WholeTilesAreTheLibrarys) {
  simd::on_every_target([] {
    Ours ours;
    Differential differential(tested().judge());
    for (uint64_t seed = 0; seed < cases(600u); ++seed) {
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
    EXPECT_GT(ours.decoded, cases(100));
  });
}

TEST(JpegTile, PartsAreCropsOfTheWhole) {
  simd::on_every_target([] {
    Ours ours;
    Differential differential(tested().judge());
    for (uint64_t seed = 1000; seed < 1000 + cases(300u); ++seed) {
      const RandomStream stream = random_stream(seed, 180);
      Random random(seed);
      for (int i = 0; i < 3; ++i) {
        const Request request = random_request(stream.format, random);
        ASSERT_TRUE(differential.expect(stream.packed, stream.format, request).ok()) << stream.description;
        const Outcome outcome = differential.check(ours.subject());
        ASSERT_EQ(outcome.difference, "") << "seed " << seed << " " << i << " " << stream.description;
      }
    }
    EXPECT_GT(ours.decoded, cases(100));
  });
}

// One part of a reduced tile, against a crop of the plain reduced image.
void check_reduced(Ours& ours, const RandomStream& stream, const PlainImage& plain, int reduce,
                   const Rect& src) {
  const size_t samples = stream.format.samples, row = static_cast<size_t>(src.w) * samples;
  std::vector<std::byte> pixels(row * static_cast<size_t>(src.h), std::byte{0xA5});
  const ImageView view{pixels.data(), src.size(), static_cast<int64_t>(row), stream.format.samples,
                       SampleType::u8};
  const TilePart part{src, view};
  const Want want{.parts = {&part, 1}, .reduce = static_cast<uint8_t>(reduce)};
  if (!ours.decode(stream.packed, stream.format, want)) return;
  for (int64_t y = 0; y < src.h; ++y) {
    const auto first = static_cast<size_t>((src.y + y) * plain.size.w + src.x) * samples;
    ASSERT_EQ(std::memcmp(view.row(y), plain.pixels.data() + first, row), 0)
        << "row " << y << " of " << src.x << "," << src.y << " " << src.w << "x" << src.h << " 1/"
        << (1 << reduce) << " " << stream.description;
  }
}

TEST(JpegTile, ReducedTilesAreTheLibrarysScaledOnes) {
  simd::on_every_target([] {
    Ours ours;
    for (uint64_t seed = 2000; seed < 2000 + cases(300u); ++seed) {
      const RandomStream stream = random_stream(seed, 180);
      const int reduce = 1 + static_cast<int>(seed % 3);
      const PlainImage plain = plain_decode(stream.packed, stream.format, reduce);
      ASSERT_EQ(plain.complaint, "") << stream.description;
      Random random(seed);
      const Size size = plain.size;
      const int64_t x = random.below(size.w), y = random.below(size.h);
      check_reduced(ours, stream, plain, reduce, {0, 0, size.w, size.h});
      check_reduced(ours, stream, plain, reduce,
                    {x, y, 1 + random.below(size.w - x), 1 + random.below(size.h - y)});
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
    }
    EXPECT_GT(ours.decoded, cases(300));
  });
}

// The library's own samples, before it upsamples and converts them: row i of component c.
std::vector<std::vector<std::vector<uint8_t>>> raw_samples(const RandomStream& stream) {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  const auto give = [&](std::span<const std::byte> bytes) {
    jpeg_mem_src(&jpeg, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  };
  if (!stream.format.tables.data.empty()) {
    give(stream.format.tables.data);
    jpeg_read_header(&jpeg, FALSE);
  }
  give(stream.packed);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.raw_data_out = TRUE;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&jpeg);
  std::vector<std::vector<std::vector<uint8_t>>> planes(static_cast<size_t>(jpeg.num_components));
  while (jpeg.output_scanline < jpeg.output_height) {
    std::vector<std::vector<JSAMPROW>> rows(planes.size());
    std::vector<JSAMPARRAY> arrays;
    for (size_t c = 0; c < planes.size(); ++c) {
      const jpeg_component_info& info = jpeg.comp_info[c];
      const size_t before = planes[c].size(), count = static_cast<size_t>(info.v_samp_factor) * DCTSIZE;
      planes[c].resize(before + count);
      for (size_t i = 0; i < count; ++i) {
        planes[c][before + i].resize((info.width_in_blocks + 8) * DCTSIZE);
        rows[c].push_back(planes[c][before + i].data());
      }
      arrays.push_back(rows[c].data());
    }
    jpeg_read_raw_data(&jpeg, arrays.data(), static_cast<JDIMENSION>(jpeg.max_v_samp_factor) * DCTSIZE);
  }
  jpeg_destroy_decompress(&jpeg);
  return planes;
}

TEST(JpegTile, PlanesAreTheLibrarysSamples) {
  simd::on_every_target([] {
    Headers headers;
    TileDecoder decoder;
    int decoded = 0;
    for (uint64_t seed = 4000; seed < 4000 + cases(150u); ++seed) {
      const RandomStream stream = random_stream(seed, 180);
      const Frame* const frame = headers.read(stream.packed, stream.format.tables.data);
      if (frame == nullptr) continue;
      std::array<std::vector<std::byte>, 3> memory;
      std::vector<ImageView> views;
      for (int c = 0; c < frame->components; ++c) {
        const Size size = TileDecoder::plane_size(*frame, c);
        memory[static_cast<size_t>(c)].resize(static_cast<size_t>(size.w * size.h));
        views.push_back({memory[static_cast<size_t>(c)].data(), size, size.w, 1, SampleType::u8});
      }
      if (!decoder.decode_planes(*frame, views)) continue;
      ++decoded;
      const auto expected = raw_samples(stream);
      for (size_t c = 0; c < views.size(); ++c) {
        for (int64_t y = 0; y < views[c].size.h; ++y) {
          const std::vector<uint8_t>& row = expected[c][static_cast<size_t>(y)];
          ASSERT_EQ(std::memcmp(views[c].row(y), row.data(), views[c].row_bytes()), 0)
              << "component " << c << " row " << y << " seed " << seed << " " << stream.description;
        }
      }
    }
    EXPECT_GT(decoded, cases(60));
  });
}

// Damaged streams: never other pixels than the library's, and never pixels where the library has an error.
TEST(JpegTile, DamagedTilesAreTheLibrarysOrDeclined) {
  simd::on_every_target([] {
    Ours ours;
    Differential differential(tested().judge());
    for (uint64_t seed = 3000; seed < 3000 + cases(150u); ++seed) {
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
    EXPECT_GT(ours.declined, cases(20));
  });
}

}  // namespace
}  // namespace microtome::jpeg::test
