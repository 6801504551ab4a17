// Random and damaged streams: what the codec gives, and our own decoder with every instruction set, is what
// libjpeg-turbo gives, pixels or error, and nothing outside of input and output is touched (both lie against
// forbidden pages). The same checks run for hours in fuzz/jpeg.cc and tests/cpp/codec_proof.cc.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/for_test/agreement.h"
#include "microtome/codec/jpeg/for_test/damage.h"
#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"
#include "microtome/codec/jpeg/for_test/stream_writer.h"
#include "microtome/codec/jpeg/for_test/tested.h"
#include "microtome/codec/jpeg/frame.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tile.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg::test {
namespace {

using namespace microtome::test;

constexpr int kMaxSide = 200;

class JpegDifferential : public testing::Test, protected Agreement {
 protected:
  JpegDifferential() : Agreement(tested()) {}
};

TEST_F(JpegDifferential, WholeTiles) {
  for (uint64_t seed = 0; seed < cases(2000u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    const Status& expected = differential_.expect(stream.packed, stream.format, whole_tile(stream.format));
    ASSERT_TRUE(expected.ok()) << expected.error().to_string() << " seed " << seed << " "
                               << stream.description;
    ASSERT_EQ(disagreement(), "") << "seed " << seed << " " << stream.description;
  }
}

// A decoder that declined everything would agree with the library: what it is made for it must do itself.
TEST_F(JpegDifferential, OrdinaryTilesAreNotLeftToTheLibrary) {
  int ordinary = 0;
  for (uint64_t seed = 0; seed < cases(1000u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    if (!stream.plain || stream.largest > kAlwaysOwn) continue;
    ++ordinary;
    differential_.expect(stream.packed, stream.format, whole_tile(stream.format));
    ASSERT_EQ(disagreement(), "") << "seed " << seed << " " << stream.description;
    for (const NamedSubject& s : subjects_) {
      ASSERT_EQ(equal_[s.name], ordinary) << s.name << " declines seed " << seed << " " << stream.description;
    }
  }
  EXPECT_GT(ordinary, cases(200));
}

// The judge itself crops: against the whole image of libjpeg used plainly.
TEST_F(JpegDifferential, PartsAreCropsOfThePlainImage) {
  for (uint64_t seed = 10000; seed < 10000 + cases(1000u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    const PlainImage plain = plain_decode(stream.packed, stream.format);
    ASSERT_EQ(plain.complaint, "") << "seed " << seed << " " << stream.description;
    Random random(seed);
    for (int i = 0; i < 3; ++i) {
      const Request request = random_request(stream.format, random);
      const Status& expected = differential_.expect(stream.packed, stream.format, request);
      ASSERT_TRUE(expected.ok()) << expected.error().to_string() << " seed " << seed << " "
                                 << stream.description;
      ASSERT_EQ(differential_.difference_from(plain.pixels, plain.size), "")
          << "seed " << seed << " " << stream.description;
      ASSERT_EQ(disagreement(), "") << "seed " << seed << " request " << i << " " << stream.description;
    }
  }
}

TEST_F(JpegDifferential, ReducedTiles) {
  for (uint64_t seed = 30000; seed < 30000 + cases(1000u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    Random random(seed);
    for (uint8_t reduce = 1; reduce <= 3; ++reduce) {
      const Request request = random_request(stream.format, random, reduce);
      const Status& expected = differential_.expect(stream.packed, stream.format, request);
      ASSERT_TRUE(expected.ok()) << expected.error().to_string() << " seed " << seed << " "
                                 << stream.description;
      const PlainImage plain = plain_decode(stream.packed, stream.format, reduce);
      ASSERT_EQ(plain.complaint, "") << "seed " << seed << " " << stream.description;
      ASSERT_EQ(differential_.difference_from(plain.pixels, plain.size), "")
          << "seed " << seed << " " << stream.description;
      ASSERT_EQ(disagreement(), "") << "seed " << seed << " 1/" << (1 << reduce) << " " << stream.description;
    }
  }
  for (const NamedSubject& s : subjects_) EXPECT_GT(equal_[s.name], cases(1500)) << s.name;
}

// Planes go to the GPU path: libjpeg gives them as its raw data.
TEST_F(JpegDifferential, PlanesAreTheLibrarysRawData) {
  Headers headers;
  TileDecoder decoder;
  GuardedMemory memory(3 * kMaxSide * (kMaxSide + 8));
  std::map<std::string_view, int> own;
  for (uint64_t seed = 40000; seed < 40000 + cases(600u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    const Frame* frame = headers.read(stream.packed, stream.format.tables.data);
    if (frame == nullptr) continue;
    const auto expected = plain_planes(stream.packed, stream.format);
    ASSERT_EQ(expected.size(), frame->components) << "seed " << seed << " " << stream.description;
    for (const std::string_view target : simd::target_choice().available) {
      const simd::TargetForTest use(target);
      // One behind the other, rows some bytes apart, nothing behind the last row.
      const int64_t gap = static_cast<int64_t>(seed % 3) * 4;
      size_t size = 0;
      for (const PlainPlane& p : expected) size += static_cast<size_t>((p.size.w + gap) * p.size.h);
      std::byte* at = memory.at_end(size - static_cast<size_t>(gap)).data();
      std::vector<ImageView> views;
      for (size_t i = 0; i < expected.size(); ++i) {
        const Size plane = TileDecoder::plane_size(*frame, static_cast<int>(i));
        ASSERT_EQ(plane, expected[i].size) << "seed " << seed << " " << stream.description;
        views.push_back({at, plane, plane.w + gap, 1, SampleType::u8});
        at += (plane.w + gap) * plane.h;
      }
      if (!decoder.decode_planes(*frame, views)) continue;
      ++own[target];
      for (size_t i = 0; i < expected.size(); ++i) {
        const auto row_bytes = static_cast<size_t>(views[i].size.w);
        for (int64_t y = 0; y < views[i].size.h; ++y) {
          const std::byte* row = expected[i].samples.data() + static_cast<size_t>(y) * row_bytes;
          ASSERT_EQ(std::memcmp(views[i].row(y), row, row_bytes), 0)
              << target << " component " << i << " row " << y << " seed " << seed << " "
              << stream.description;
        }
      }
    }
  }
  for (const std::string_view target : simd::target_choice().available)
    EXPECT_GT(own[target], cases(300)) << target;
}

TEST_F(JpegDifferential, DamagedStreams) {
  int errors = 0, pixels = 0;
  for (uint64_t seed = 20000; seed < 20000 + cases(400u); ++seed) {
    const RandomStream stream = random_stream(seed, 120);
    Random random(seed);
    for (int i = 0; i < 10; ++i) {
      auto packed = stream.packed;
      for (int n = random.one_in(3) ? random.between(1, 4) : 1; n > 0; --n) damage(packed, random);
      const auto reduce = static_cast<uint8_t>(random.one_in(4) ? random.between(1, 3) : 0);
      const Request request =
          random.one_in(2) ? whole_tile(stream.format) : random_request(stream.format, random, reduce);
      ++(differential_.expect(packed, stream.format, request).ok() ? pixels : errors);
      ASSERT_EQ(disagreement(), "") << "seed " << seed << " damage " << i << " " << stream.description;
    }
  }
  EXPECT_GT(errors, cases(500));
  EXPECT_GT(pixels, cases(500));
}

// A picture of one colour whose code for "nothing new" is a zero bit, as are the bytes that stand behind the
// data in the decoder's copy: cut short, its missing MCUs were once read from there where a part ended before
// the last row.
RandomStream flat_stream(Size size, Sampling sampling, int restart_interval) {
  StreamPlan plan;
  plan.size = size;
  plan.restart_interval = restart_interval;
  plan.styles = {TableStyle::optimised, TableStyle::optimised};
  plan.quant_used[0] = true;
  plan.quant[0].fill(1);
  plan.components.resize(sampling == Sampling::grey ? 1 : 3);
  for (size_t i = 0; i < plan.components.size(); ++i) plan.components[i].id = static_cast<uint8_t>(i);
  plan.components[0].h = sampling == Sampling::s422 || sampling == Sampling::s420 ? 2 : 1;
  plan.components[0].v = sampling == Sampling::s440 || sampling == Sampling::s420 ? 2 : 1;
  const McuGrid grid = mcu_grid(plan.size, plan.components);
  for (StreamComponent& c : plan.components) {
    c.blocks_w = grid.w * c.h;
    c.blocks_h = grid.h * c.v;
    c.blocks.resize(static_cast<size_t>(c.blocks_w * c.blocks_h));
  }
  Random random(1);
  RandomStream stream;
  stream.packed = write_stream(plan, random).packed;
  stream.format.compression = Compression::jpeg;
  stream.format.color = sampling == Sampling::grey ? Color::black_is_zero : Color::ycbcr;
  stream.format.samples = static_cast<uint16_t>(plan.components.size());
  stream.format.bits = 8;
  stream.format.size = size;
  return stream;
}

TEST_F(JpegDifferential, FlatTilesThatAreCutShort) {
  int errors = 0, pixels = 0;
  for (const Sampling sampling :
       {Sampling::grey, Sampling::s444, Sampling::s422, Sampling::s440, Sampling::s420}) {
    for (const int restart_interval : {0, 1, 3}) {
      for (const Size size : {Size{8, 200}, Size{16, 64}, Size{100, 200}}) {
        const RandomStream stream = flat_stream(size, sampling, restart_interval);
        for (ptrdiff_t cut = 0; cut < 24; cut += step<ptrdiff_t>()) {
          auto packed = stream.packed;
          packed.erase(packed.end() - 2 - cut, packed.end() - 2);
          for (int64_t h = 1; h <= size.h; h += 13) {
            Request request = whole_tile(stream.format);
            request.parts[0].h = h;
            ++(differential_.expect(packed, stream.format, request).ok() ? pixels : errors);
            ASSERT_EQ(disagreement(), "")
                << "sampling " << static_cast<int>(sampling) << " restart " << restart_interval << " "
                << size.w << "x" << size.h << " cut " << cut << " rows " << h;
          }
        }
      }
    }
  }
  EXPECT_GT(errors, cases(1000));
  EXPECT_GT(pixels, cases(1000));
}

}  // namespace
}  // namespace microtome::jpeg::test
