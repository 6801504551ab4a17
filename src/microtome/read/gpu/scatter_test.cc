// The kernel's host build against the CPU path, bit for bit. MICROTOME_SCATTER_PIECES=1000000 in the
// environment makes it so many pieces; `make scatter-proof` does.
#include "microtome/read/gpu/scatter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "microtome/read/gpu/scatter_core.h"
#include "microtome/read/gpu/scatter_for_test.h"
#include "microtome/simd/kernels.h"

namespace microtome::gpu::test {
namespace {

cuda::DeviceAddress address_of(const void* memory) {
  return reinterpret_cast<cuda::DeviceAddress>(memory);
}

// All threads of a launch, one after another.
void run_on_host(const ScatterBatch& batch, const std::vector<ScatterPiece>& pieces, uint32_t blocks) {
  for (uint32_t block = 0; block < blocks; ++block)
    for (uint32_t thread = 0; thread < kThreads; ++thread)
      scatter_thread(batch, pieces.data(), static_cast<uint32_t>(pieces.size()), block, thread);
}

size_t pieces_wanted() {
  const char* const value = std::getenv("MICROTOME_SCATTER_PIECES");
  return value ? static_cast<size_t>(std::atoll(value)) : 20000;
}

TEST(Scatter, RandomBatchesAreTheCpuPaths) {
  const size_t wanted = pieces_wanted();
  Random random(1);
  TestTiles tiles;
  std::map<Chroma, size_t> chroma;
  size_t pieces_done = 0, fills = 0, pixels = 0;
  for (uint64_t number = 0; pieces_done < wanted; ++number) {
    if (number % 1000 == 0) tiles = make_tiles(number, 300);
    const TestBatch batch = random_batch(tiles, random);
    std::vector<ScatterPiece> pieces(batch.parts.size());
    PieceList list(batch.shape, pieces);
    const Status listed = batch.list(address_of(tiles.slab.data()), list);
    ASSERT_TRUE(listed.ok()) << listed.error().to_string();
    // Not at the beginning of a vector always; with bytes on both sides that must stay.
    constexpr std::byte kUnset{0xA5};
    const size_t before = 64 + 8 * random.index(8), bytes = batch.bytes();
    std::vector<std::byte> memory(before + bytes + 64, kUnset);
    const ScatterBatch described =
        describe(batch.shape, {address_of(memory.data() + before), address_of(batch.fill.data()),
                               address_of(batch.affine.data())})
            .value();
    run_on_host(described, pieces, list.blocks());
    ASSERT_EQ(batch.difference(memory.data() + before, batch.expected()), "") << "batch " << number;
    const auto unset = [](std::byte byte) { return byte == kUnset; };
    ASSERT_TRUE(std::all_of(memory.begin(), memory.begin() + static_cast<int64_t>(before), unset)) << number;
    ASSERT_TRUE(std::all_of(memory.end() - 64, memory.end(), unset)) << number;
    for (const ScatterPiece& piece : pieces) {
      fills += piece.source == PieceSource::fill;
      pixels += piece.source == PieceSource::pixels;
      if (piece.source == PieceSource::planes) ++chroma[piece.chroma];
    }
    pieces_done += pieces.size();
  }
  EXPECT_EQ(chroma.size(), 6u) << "some way of upsampling was never there";
  for (const auto& [how, count] : chroma) EXPECT_GT(count, wanted / 1000) << static_cast<int>(how);
  EXPECT_GT(fills, wanted / 20);
  EXPECT_GT(pixels, wanted / 20);
}

TEST(Scatter, HalvesAreRoundedToNearestEven) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const auto bits = static_cast<uint16_t>(half);
    const double value = half_value(bits), found = core::from_half(bits);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(found)) << half;
      continue;
    }
    ASSERT_EQ(found, value) << half;
    ASSERT_EQ(core::to_half(static_cast<float>(value)), bits) << half;
    if ((half & 0x7fff) >= 0x7bff) continue;
    const auto middle = static_cast<float>((value + half_value(static_cast<uint16_t>(half + 1))) / 2);
    for (const float near : {middle, std::nextafter(middle, 1e9F), std::nextafter(middle, -1e9F)})
      ASSERT_EQ(core::to_half(near), nearest_half(static_cast<double>(near))) << near;
  }
  for (const float value : {65519.99F, 65520.0F, 1e30F, std::numeric_limits<float>::infinity(), 1e-30F,
                            0x1p-25F, 0x1.000002p-25F, std::numeric_limits<float>::denorm_min()}) {
    EXPECT_EQ(core::to_half(value), nearest_half(static_cast<double>(value))) << value;
    EXPECT_EQ(core::to_half(-value), nearest_half(static_cast<double>(-value))) << value;
  }
  EXPECT_EQ(core::to_half(std::numeric_limits<float>::quiet_NaN()), 0x7fff);
}

// A batch of 16 patches of 8x8 RGB, a tile of 10x10, and room for two pieces.
class ScatterLists : public testing::Test {
 protected:
  static BatchShape shape() { return {16, {8, 8}, 3, SampleType::u8, Output::same, false}; }
  static SlabSlot slot() {
    return {{4096, 8192, 12288}, {16, 16, 16}, {10, 10}, true, true, jpeg::Sampling::s420};
  }
  std::vector<ScatterPiece> storage_ = std::vector<ScatterPiece>(2);
  PieceList list_{shape(), storage_};
};

TEST_F(ScatterLists, PiecesThatDoNotFitAreRefused) {
  for (const Rect& src : {Rect{0, 0, 0, 1}, Rect{-1, 0, 2, 2}, Rect{3, 0, 8, 8}, Rect{0, 9, 2, 2}})
    EXPECT_EQ(list_.add_tile(slot(), src, 0, {0, 0}).error().code, Errc::internal);
  for (const Point& dst : {Point{-1, 0}, Point{0, 7}, Point{7, 0}})
    EXPECT_EQ(list_.add_tile(slot(), {0, 0, 2, 2}, 0, dst).error().code, Errc::internal);
  EXPECT_EQ(list_.add_tile(slot(), {0, 0, 2, 2}, 16, {0, 0}).error().to_string(),
            "internal: scatter: part 0,0 2x2 of patch 16 of 16, which are 8x8");
  EXPECT_EQ(list_.add_fill(0, {0, 0, 9, 1}).error().code, Errc::internal);
  EXPECT_EQ(list_.size(), 0u);
  ASSERT_TRUE(list_.add_tile(slot(), {2, 2, 8, 8}, 15, {0, 0}).ok());
  ASSERT_TRUE(list_.add_fill(0, {0, 0, 8, 8}).ok());
  EXPECT_EQ(list_.blocks(), 2u);
  EXPECT_EQ(list_.add_fill(1, {0, 0, 8, 8}).error().to_string(), "internal: scatter: more than 2 pieces");
}

TEST_F(ScatterLists, SlotsOfAnotherKindAreRefused) {
  SlabSlot grey = slot();
  grey.sampling = jpeg::Sampling::grey;
  EXPECT_EQ(list_.add_tile(grey, {0, 0, 1, 1}, 0, {0, 0}).error().to_string(),
            "internal: scatter: 1 planes of bytes for a batch of 3 samples of uint8");
  BatchShape wide = shape();
  wide.type = SampleType::u16;
  PieceList words(wide, storage_);
  EXPECT_EQ(words.add_tile(slot(), {0, 0, 1, 1}, 0, {0, 0}).error().code, Errc::internal);
  SlabSlot pixels{{4097}, {60}, {10, 10}, false, false, jpeg::Sampling::grey};
  EXPECT_EQ(words.add_tile(pixels, {0, 0, 1, 1}, 0, {0, 0}).error().to_string(),
            "internal: scatter: samples of uint16 at 0x1001, 60 bytes a row, are not aligned");
  EXPECT_TRUE(list_.add_tile(pixels, {0, 0, 1, 1}, 0, {0, 0}).ok());
}

TEST_F(ScatterLists, MoreThanALaunchCanDoIsUnsupported) {
  BatchShape large{1, {int64_t{1} << 31, 1}, 1, SampleType::u8, Output::same, false};
  EXPECT_EQ(PieceList(large, storage_).add_fill(0, {0, 0, 1, 1}).error().code, Errc::unsupported);
  large.patch = {1 << 20, 1 << 20};
  EXPECT_EQ(PieceList(large, storage_).add_fill(0, {0, 0, 1 << 20, 1 << 20}).error().code, Errc::unsupported);
  EXPECT_TRUE(PieceList(large, storage_).add_fill(0, {0, 0, 1 << 20, 1 << 10}).ok());
}

TEST(ScatterBatches, MustBeAligned) {
  const BatchShape shape{1, {8, 8}, 3, SampleType::u8, Output::f32, false};
  EXPECT_EQ(describe(shape, {4098, 0, 0}).error().to_string(),
            "internal: scatter: a batch at 0x1002 is not aligned to its samples of 4 bytes");
  EXPECT_TRUE(describe(shape, {4100, 0, 0}).ok());
}

TEST(Normalisation, IsCheckedAndExact) {
  const Affine affine = normalisation(0.485 * 255, 0.229 * 255).value();
  for (int value = 0; value < 256; ++value)
    EXPECT_NEAR(std::fma(value, affine.scale, affine.offset), (value / 255.0 - 0.485) / 0.229, 1e-14);
  for (const auto& [mean, deviation] :
       {std::array{0.0, 0.0}, {0.0, -1.0}, {NAN, 1.0}, {0.0, NAN}, {0.0, HUGE_VAL}, {HUGE_VAL, 1.0}})
    EXPECT_EQ(normalisation(mean, deviation).error().code, Errc::invalid_argument);
}

TEST(ScatterColours, OfJpeg2000AreTheCpusForAllValues) {
  for (int cb = 0; cb < 256; ++cb) {
    for (int cr = 0; cr < 256; ++cr) {
      const std::array<int32_t, kRun> y{0, 77, 128, 255}, cbs{cb, cb, cb, cb}, crs{cr, cr, cr, cr};
      std::array<uint8_t, 3 * kRun> expected{};
      simd::ycc_to_rgb(y.data(), cbs.data(), crs.data(), kRun, expected.data());
      Colours found{};
      for (size_t i = 0; i < kRun; ++i) {
        found.value[0][i] = y[i];
        found.value[1][i] = cb;
        found.value[2][i] = cr;
      }
      core::to_exact_rgb(found);
      for (size_t i = 0; i < kRun; ++i)
        for (size_t c = 0; c < 3; ++c) ASSERT_EQ(found.value[c][i], expected[3 * i + c]) << cb << " " << cr;
    }
  }
}

}  // namespace
}  // namespace microtome::gpu::test
