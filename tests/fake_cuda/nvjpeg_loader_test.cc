// Batches whose tiles nvJPEG decodes, on the fake one: the CPU's pixels, whatever the timing and whatever
// goes wrong.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "tests/fake_cuda/decode_for_test.h"
#include "tests/fake_cuda/jpeg_slide_for_test.h"

namespace microtome {
namespace {

using gpu::Decode;
using test::JpegKind;
using test::JpegSlideOptions;
using test::make_jpeg_slide;

class NvjpegLoaderTest : public DeviceDecodeTest {};

TEST_F(NvjpegLoaderTest, EverySamplingIsTheCpus) {
  int seed = 0;
  for (const char* const engines : {"", ",nvjpeg_engines=7", ",nvjpeg_engines=0", ",nvjpeg_restarts=0"}) {
    for (const auto& [across, down, components] :
         {std::tuple{2, 2, 3}, std::tuple{2, 1, 3}, std::tuple{1, 1, 3}, std::tuple{1, 2, 3},
          std::tuple{1, 1, 1}}) {
      configure("delay=100,seed=" + std::to_string(++seed) + engines);
      JpegSlideOptions options;
      options.kind.across = across;
      options.kind.down = down;
      options.kind.components = components;
      options.abbreviated = seed % 2 == 0;
      const auto slide = make_jpeg_slide(options);
      SCOPED_TRACE(std::string(engines) + " " + std::to_string(across) + std::to_string(down));
      const Decode decode =
          seed % 2 == 1 ? Decode::device : Decode::any;  // each mode and each sampling has both
      const Walk found = walk(slide, decode, seed % 4, OnError::raise, 0, across == 2);
      EXPECT_FALSE(found.error) << found.error->to_string();
      EXPECT_EQ(found.stats.device, 8u * 7u);  // each tile once, and all of them there
      EXPECT_EQ(found.stats.decoded, found.stats.device);
      EXPECT_EQ(found.stats.left, 0u);
    }
  }
}

TEST_F(NvjpegLoaderTest, RgbAndRestartMarkersAndOddHeights) {
  configure("delay=50");
  JpegSlideOptions rgb;
  rgb.kind.across = rgb.kind.down = 1;
  rgb.color = Color::rgb;
  JpegSlideOptions restarts;
  restarts.kind.restart_rows = 1;
  JpegSlideOptions odd;  // 40 rows are no whole MCUs: nothing is joined
  odd.kind.size = {48, 40};
  JpegSlideOptions narrow;
  narrow.kind.size = {50, 64};
  for (const JpegSlideOptions& options : {rgb, restarts, odd, narrow}) {
    for (const char* const engines : {"", "nvjpeg_engines=0"}) {
      configure(engines);
      const Walk found = walk(make_jpeg_slide(options), Decode::device);
      EXPECT_FALSE(found.error) << found.error->to_string();
      EXPECT_EQ(found.stats.decoded, found.stats.device);
    }
  }
}

TEST_F(NvjpegLoaderTest, PicturesThatAreNotWrittenAreDecodedAgain) {
  for (const char* const settings : {"nvjpeg_skip=2,delay=100", "nvjpeg_skip=3,nvjpeg_restarts=0,delay=100",
                                     "nvjpeg_skip=1,nvjpeg_engines=0"}) {
    configure(settings);
    const auto slide = make_jpeg_slide({});
    for (const Decode decode : {Decode::device, Decode::any}) {
      const Walk found = walk(slide, decode, 2, OnError::raise, 0, false);
      EXPECT_FALSE(found.error) << settings << found.error->to_string();
      EXPECT_GT(found.stats.left, 0u) << settings;
      EXPECT_GT(found.stats.decoded, found.stats.device) << settings;
    }
  }
}

/// Half of it is missing, or its entropy-coded data is garbage up to its end.
void damage(size_t number, std::vector<std::byte>& packed) {
  if (number == 11) packed.resize(packed.size() / 2);
  if (number == 30)
    for (size_t i = packed.size() / 2; i + 2 < packed.size(); ++i) packed[i] = std::byte{0xA5};
}

TEST_F(NvjpegLoaderTest, BrokenTilesAreErrorsAndOthersAreThere) {
  JpegSlideOptions broken;
  broken.change = damage;
  const auto slide = make_jpeg_slide(broken);
  for (const char* const settings : {"", "nvjpeg_engines=0", "nvjpeg_restarts=0"}) {
    SCOPED_TRACE(settings);
    configure(settings);
    const Walk raised = walk(slide, Decode::device, 2, OnError::raise, 0, false);
    ASSERT_TRUE(raised.error);
    EXPECT_EQ(raised.error->code, Errc::corrupt);
    EXPECT_NE(raised.error->message.find("(tile 3,1 level 0, bytes "), std::string::npos)
        << raised.error->message;
    // The CPU decodes of a broken tile what is whole of it; the device fills all of it.
    const Walk filled = walk(slide, Decode::device, 2, OnError::fill, 0, false, kFill);
    EXPECT_FALSE(filled.error);
    EXPECT_GT(filled.filled, 0u);
    EXPECT_EQ(filled.stats.decoded, 8u * 7u - 2);
    // The CPU judges what the device does not decode.
    const Walk judged = walk(slide, Decode::any, 2, OnError::raise, 0, false);
    ASSERT_TRUE(judged.error);
    EXPECT_EQ(judged.error->message.find("nvJPEG"), std::string::npos);
    SCOPED_TRACE("filled");
    EXPECT_GT(walk(slide, Decode::any, 2, OnError::fill, 0, false).stats.left, 0u);
  }
}

TEST_F(NvjpegLoaderTest, WhatTheDeviceDoesNotTakeTheCpuDecodesOrNobody) {
  JpegSlideOptions mixed;
  mixed.kinds = [](size_t number) {
    JpegKind kind;
    kind.progressive = number % 7 == 3;
    kind.quality = 60 + static_cast<int>(number % 3) * 10;  // tables of their own: joined with those alike
    return kind;
  };
  const auto slide = make_jpeg_slide(mixed);
  const Walk all = walk(slide, Decode::any, 2, OnError::raise, 0, false);
  EXPECT_FALSE(all.error) << all.error->to_string();
  EXPECT_EQ(all.stats.left, 8u);
  const Walk alone = walk(slide, Decode::device, 2, OnError::raise, 0, false);
  ASSERT_TRUE(alone.error);
  EXPECT_EQ(alone.error->code, Errc::unsupported);
  const KnownSlide raw({{{200, 100}, {32, 24}}}, 3);
  const Walk refused = walk(raw.slide, Decode::device);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(
      refused.error->to_string(),
      "unsupported: decode = 'gpu': level 0 of known slide is uncompressed of 3 samples of uint8, which no "
      "decoder of the GPU takes; decode = 'auto' decodes it on the CPU");
  EXPECT_FALSE(walk(raw.slide, Decode::any).error);
}

TEST_F(NvjpegLoaderTest, LittleMemoryIsManySteps) {
  configure("delay=50,memory=100000000");
  JpegSlideOptions large;
  large.size = {2000, 1200};
  large.kind.size = {128, 128};
  const Walk found = walk(make_jpeg_slide(large), Decode::device, 2, OnError::raise, size_t{2} << 20, false);
  EXPECT_FALSE(found.error) << found.error->to_string();
  EXPECT_EQ(found.stats.decoded, found.stats.tiles);
  EXPECT_GT(found.stats.decoded * 128 * 128 * 3 / 2, uint64_t{3} << 20);  // slabs came round again
}

TEST_F(NvjpegLoaderTest, NoLibraryIsSaidOrDoneWithout) {
  ::setenv("MICROTOME_LIB_NVJPEG", "/nowhere/libnvjpeg.so.13", 1);
  const auto slide = make_jpeg_slide({});
  const Walk alone = walk(slide, Decode::device);
  ASSERT_TRUE(alone.error);
  EXPECT_EQ(alone.error->code, Errc::unavailable);
  EXPECT_NE(alone.error->message.find("/nowhere/libnvjpeg.so.13"), std::string::npos);
  const Walk without = walk(slide, Decode::any);
  EXPECT_FALSE(without.error);
  EXPECT_EQ(without.stats.device, 0u);
}

TEST_F(NvjpegLoaderTest, FaultsAtEachCallAreErrorsOrRightPixels) {
  JpegSlideOptions small;
  small.size = {130, 100};
  const auto slide = make_jpeg_slide(small);
  Verdicts verdicts;
  for (const char* const engines : {"", "nvjpeg_engines=0"}) {
    fail_at_each_call(slide, Decode::device, engines, "fail_with=2,fail_at=", verdicts);
    fail_at_each_call(slide, Decode::device, engines, "lost_at=", verdicts);
    fail_at_each_call(slide, Decode::any, engines, "fail_with=999,fail_at=", verdicts);
  }
  EXPECT_GT(verdicts.right, 0u);
  EXPECT_GT(verdicts.refused, 0u);
}

}  // namespace
}  // namespace microtome
