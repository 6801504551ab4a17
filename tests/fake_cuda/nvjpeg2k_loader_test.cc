// Batches whose tiles nvJPEG2000 decodes, on the fake one: the CPU's pixels, whatever the timing and whatever
// goes wrong.
#include <string>
#include <vector>

#include "microtome/codec/jpeg2000/for_test/encoder.h"
#include "tests/fake_cuda/decode_for_test.h"
#include "tests/fake_cuda/jpeg_slide_for_test.h"

namespace microtome {
namespace {

using gpu::Decode;

class Nvjpeg2kLoaderTest : public DeviceDecodeTest {};

struct Kind {
  Compression compression = Compression::aperio_jpeg2000_rgb;
  uint32_t dx = 1, dy = 1;  // of chroma
  int components = 3;
  bool irreversible = false, colour_transform = false;
  Size tile{64, 48};
};

std::vector<std::byte> encode(const Kind& kind, size_t seed) {
  jpeg2000::test::EncoderPlan plan;
  plan.grid = {0, 0, kind.tile.w, kind.tile.h};
  uint32_t state = static_cast<uint32_t>(seed) * 2654435761u + 1;
  for (int c = 0; c < kind.components; ++c) {
    jpeg2000::test::EncoderPlane plane;
    if (c > 0) {
      plane.dx = kind.dx;
      plane.dy = kind.dy;
    }
    const Size size = jpeg2000::test::plane_size(plan.grid, plane);
    for (int64_t i = 0; i < size.w * size.h; ++i) {
      state = state * 1664525 + 1013904223;
      plane.samples.push_back(static_cast<int32_t>((static_cast<uint32_t>(i) / 7 + (state >> 26)) % 256));
    }
    plan.planes.push_back(std::move(plane));
  }
  plan.options.resolutions = 4;
  plan.options.irreversible = kind.irreversible;
  plan.options.colour_transform = kind.colour_transform;
  return jpeg2000::test::encode(plan);
}

using Change = void (*)(size_t number, std::vector<std::byte>& packed);

std::shared_ptr<const Slide> make_slide(const Kind& kind, Change change = nullptr, Size size = {500, 300}) {
  TileFormat format;
  format.size = kind.tile;
  format.compression = kind.compression;
  format.color = kind.components == 1 ? Color::black_is_zero : Color::rgb;
  format.samples = static_cast<uint16_t>(kind.components);
  return test::make_slide_of_tiles(size, format, [&](size_t i) {
    auto packed = encode(kind, i);
    if (change) change(i, packed);
    return packed;
  });
}

constexpr auto kYcbcr = Compression::aperio_jpeg2000_ycbcr;

TEST_F(Nvjpeg2kLoaderTest, EveryKindIsTheCpus) {
  int seed = 0;
  for (const Kind& kind :
       {Kind{}, Kind{.irreversible = true, .colour_transform = true}, Kind{.colour_transform = true},
        Kind{.compression = kYcbcr, .dx = 2}, Kind{.compression = kYcbcr, .dx = 2, .dy = 2},
        Kind{.compression = kYcbcr}, Kind{.components = 1},
        Kind{.compression = kYcbcr, .dx = 2, .irreversible = true, .tile = {61, 47}}}) {
    configure("delay=100,seed=" + std::to_string(++seed));
    const auto slide = make_slide(kind);
    SCOPED_TRACE(seed);
    const Walk found =
        walk(slide, seed % 2 == 1 ? Decode::device : Decode::any, seed % 4, OnError::raise, 0, seed <= 2);
    EXPECT_FALSE(found.error) << found.error->to_string();
    EXPECT_EQ(found.stats.device, found.stats.tiles);
    EXPECT_EQ(found.stats.decoded, found.stats.device);
    EXPECT_EQ(found.stats.left, 0u);
  }
}

TEST_F(Nvjpeg2kLoaderTest, PicturesThatAreNotWrittenAreDecodedAgain) {
  configure("nvjpeg2k_skip=3,delay=100");
  const auto slide = make_slide({});
  for (const Decode decode : {Decode::device, Decode::any}) {
    const Walk found = walk(slide, decode, 2, OnError::raise, 0, false);
    EXPECT_FALSE(found.error) << found.error->to_string();
    EXPECT_GT(found.stats.left, 0u);
  }
}

TEST_F(Nvjpeg2kLoaderTest, BrokenTilesAreErrorsAndOthersAreThere) {
  const auto slide = make_slide({}, [](size_t number, std::vector<std::byte>& packed) {
    if (number == 11) packed.resize(packed.size() / 2);
    if (number == 30) packed.resize(40);
  });
  const Walk raised = walk(slide, Decode::device, 2, OnError::raise, 0, false);
  ASSERT_TRUE(raised.error);
  EXPECT_EQ(raised.error->code, Errc::corrupt);
  const Walk filled = walk(slide, Decode::device, 2, OnError::fill, 0, false, kFill);
  EXPECT_FALSE(filled.error);
  EXPECT_GT(filled.filled, 0u);
  EXPECT_EQ(filled.stats.decoded, filled.stats.tiles - 2);
  const Walk judged = walk(slide, Decode::any, 2, OnError::raise, 0, false);
  ASSERT_TRUE(judged.error);
  EXPECT_EQ(judged.error->message.find("nvJPEG2000"), std::string::npos);
  EXPECT_GT(walk(slide, Decode::any, 2, OnError::fill, 0, false).stats.left, 0u);
}

TEST_F(Nvjpeg2kLoaderTest, WhatTheDeviceDoesNotTakeTheCpuDecodesOrNobody) {
  const auto slide = make_slide({.compression = kYcbcr, .dx = 1, .dy = 2});  // halved rows alone
  const Walk all = walk(slide, Decode::any, 2, OnError::raise, 0, false);
  EXPECT_FALSE(all.error) << all.error->to_string();
  EXPECT_EQ(all.stats.device, 0u);
  const Walk alone = walk(slide, Decode::device, 2, OnError::raise, 0, false);
  ASSERT_TRUE(alone.error);
  EXPECT_EQ(alone.error->code, Errc::unsupported);
}

TEST_F(Nvjpeg2kLoaderTest, FaultsAtEachCallAreErrorsOrRightPixels) {
  const auto slide = make_slide({}, nullptr, {70, 40});
  Verdicts verdicts;
  fail_at_each_call(slide, Decode::device, "", "fail_with=2,fail_at=", verdicts);
  fail_at_each_call(slide, Decode::any, "", "fail_with=999,fail_at=", verdicts);
  fail_at_each_call(slide, Decode::device, "", "lost_at=", verdicts);
  EXPECT_GT(verdicts.right, 0u);
  EXPECT_GT(verdicts.refused, 0u);
}

}  // namespace
}  // namespace microtome
