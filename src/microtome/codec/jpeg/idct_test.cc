// The transforms against libjpeg-turbo: coefficients are written to a file by the library and decoded by it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/codec/jpeg/idct_test.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "microtome/codec/jpeg/idct-inl.h"
#include "microtome/codec/jpeg/idct_reduced-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg::HWY_NAMESPACE {
bool Transform(int reduce, int16_t* group, const int16_t* quant, uint8_t* out, size_t stride) {
  switch (reduce) {
    case 0:
      return idct_group(group, quant, out, stride);
    case 1:
      return idct_group_reduced<4>(group, quant, out, stride);
    case 2:
      return idct_group_reduced<2>(group, quant, out, stride);
    default:
      return idct_group_reduced<1>(group, quant, out, stride);
  }
}
}  // namespace microtome::jpeg::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "microtome/simd/targets_for_test.h"

namespace microtome::jpeg {
HWY_EXPORT(Transform);

namespace {

using Block = std::array<int16_t, 64>;   // natural order
using Table = std::array<uint16_t, 64>;  // natural order

// A grey image of `columns` blocks a row, by the library; its samples at 1 / 2^reduce, row by row.
std::vector<uint8_t> library_samples(const std::vector<Block>& blocks, size_t columns, const Table& quant,
                                     int reduce) {
  unsigned char* file = nullptr;
  unsigned long bytes = 0;
  jpeg_error_mgr error;
  {
    jpeg_compress_struct c;
    c.err = jpeg_std_error(&error);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &file, &bytes);
    c.image_width = static_cast<JDIMENSION>(8 * columns);
    c.image_height = static_cast<JDIMENSION>(8 * (blocks.size() / columns));
    c.input_components = 1;
    c.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&c);
    c.optimize_coding = TRUE;
    std::copy(quant.begin(), quant.end(), c.quant_tbl_ptrs[0]->quantval);
    jvirt_barray_ptr array = c.mem->request_virt_barray(reinterpret_cast<j_common_ptr>(&c), JPOOL_IMAGE,
                                                        FALSE, static_cast<JDIMENSION>(columns),
                                                        static_cast<JDIMENSION>(blocks.size() / columns), 1);
    c.mem->realize_virt_arrays(reinterpret_cast<j_common_ptr>(&c));
    jpeg_write_coefficients(&c, &array);
    for (size_t i = 0; i < blocks.size(); ++i) {
      JBLOCKARRAY row = c.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&c), array,
                                                  static_cast<JDIMENSION>(i / columns), 1, TRUE);
      std::copy(blocks[i].begin(), blocks[i].end(), row[0][i % columns]);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
  }
  jpeg_decompress_struct d;
  d.err = jpeg_std_error(&error);
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, file, bytes);
  jpeg_read_header(&d, TRUE);
  d.dct_method = JDCT_ISLOW;
  d.scale_num = static_cast<unsigned>(8 >> reduce);
  d.scale_denom = 8;
  jpeg_start_decompress(&d);
  std::vector<uint8_t> samples(size_t{d.output_width} * d.output_height);
  while (d.output_scanline < d.output_height) {
    JSAMPROW row = samples.data() + size_t{d.output_scanline} * d.output_width;
    jpeg_read_scanlines(&d, &row, 1);
  }
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
  std::free(file);
  return samples;
}

// The smallest and largest coefficients that the library's encoder writes (10 bits; a difference of the
// first: 11).
constexpr int kMost = 1023;

struct Kind {
  const char* name;
  int most;          // magnitude of coefficients
  double density;    // part that is not zero
  int corner;        // only in the upper left corner of this size
  int largest_step;  // of the quantisation table
  int columns = 8;   // only in these
};

Block random_block(const Kind& kind, std::mt19937& random) {
  std::uniform_int_distribution<int> value(-kind.most, kind.most);
  std::bernoulli_distribution present(kind.density), at_the_end(0.3);
  Block block{};
  for (int r = 0; r < kind.corner; ++r) {
    for (int c = 0; c < std::min(kind.corner, kind.columns); ++c) {
      if (!present(random)) continue;
      int v = value(random);
      if (kind.most == kMost && at_the_end(random)) v = v < 0 ? -kMost : kMost;
      block[static_cast<size_t>(8 * r + c)] = static_cast<int16_t>(v);
    }
  }
  return block;
}

int product(const Block& block, const Table& quant, size_t row, size_t column) {
  const size_t i = 8 * row + column;
  return static_cast<int16_t>(block[i] * static_cast<int>(static_cast<int16_t>(quant[i])));
}

// Whether a result of the first pass over this column is beyond -16384 to 16383, two fractional bits
// included: sums of cosines as the transform rounds them (see Note [Where implementations of the transform
// agree]).
bool is_large(const Block& block, const Table& quant, size_t column) {
  const auto x = [&](size_t row) { return int64_t{product(block, quant, row, column)}; };
  const int64_t even[4] = {
      8192 * (x(0) + x(4)) + 10703 * x(2) + 4433 * x(6), 8192 * (x(0) - x(4)) + 4433 * x(2) - 10704 * x(6),
      8192 * (x(0) - x(4)) - 4433 * x(2) + 10704 * x(6), 8192 * (x(0) + x(4)) - 10703 * x(2) - 4433 * x(6)};
  const int64_t odd[4] = {11363 * x(1) + 9633 * x(3) + 6437 * x(5) + 2260 * x(7),
                          9633 * x(1) - 2259 * x(3) - 11362 * x(5) - 6436 * x(7),
                          6437 * x(1) - 11362 * x(3) + 2261 * x(5) + 9633 * x(7),
                          2260 * x(1) - 6436 * x(3) + 9633 * x(5) - 11363 * x(7)};
  for (size_t i = 0; i < 4; ++i) {
    for (const int64_t sum : {even[i] + odd[i], even[i] - odd[i]}) {
      const int64_t result = (sum + 1024) >> 11;
      if (result < -16384 || result > 16383) return true;
    }
  }
  return false;
}

// The rule of the note, for a reduced size only of the columns that count: there, a first coefficient beyond
// +-8191.
bool is_beyond(const Block& block, const Table& quant, int reduce) {
  for (size_t c = 0; c < 8; ++c) {
    if (reduce == 0 && is_large(block, quant, c)) return true;
    const int v = product(block, quant, 0, c);
    const bool counts = reduce == 1 || (reduce == 2 && (c == 0 || c % 2 == 1));
    if (counts && (v > 8191 || v < -8192)) return true;
  }
  return false;
}

// Transforms with every target and compares; returns how many groups were declined.
size_t compare(const std::vector<Block>& blocks, const Table& quant, int reduce) {
  constexpr size_t kColumns = 32;
  const auto expected = library_samples(blocks, kColumns, quant, reduce);
  const size_t n = static_cast<size_t>(8 >> reduce), width = kColumns * n;
  alignas(16) int16_t table[64];
  for (size_t i = 0; i < 64; ++i) {
    table[8 * group_row(i / 8, i % 8) + word_of_block(i / 8, i % 8)] = static_cast<int16_t>(quant[i]);
  }
  size_t declined = 0;
  simd::on_every_target([&] {
    declined = 0;
    for (size_t i = 0; i < blocks.size(); i += 4) {
      alignas(64) int16_t group[8 * 32];
      std::vector<uint8_t> out(n * 40, 0xA5);
      bool beyond = false;
      for (size_t b = 0; b < 4; ++b) {
        for (size_t k = 0; k < 64; ++k) {
          const size_t row = group_row(k / 8, k % 8), word = word_of_block(k / 8, k % 8);
          group[row * kGroupRow + 8 * b + word] = blocks[i + b][k];
        }
        beyond |= is_beyond(blocks[i + b], quant, reduce);
      }
      const bool refused = MICROTOME_DISPATCH(Transform)(reduce, group, table, out.data(), 40);
      ASSERT_TRUE(std::all_of(group, group + 256, [](int16_t v) { return v == 0; }));
      ASSERT_TRUE(refused || !beyond) << "group " << i / 4;
#if HWY_ARCH_X86
      ASSERT_EQ(refused, beyond) << "group " << i / 4;
#endif
      declined += refused;
      if (refused) continue;
      for (size_t r = 0; r < n; ++r) {
        for (size_t x = 0; x < 40; ++x) {
          const size_t column = i % kColumns * n + x;
          const uint8_t sample = x < 4 * n ? expected[(i / kColumns * n + r) * width + column] : 0xA5;
          ASSERT_EQ(out[r * 40 + x], sample) << "group " << i / 4 << " row " << r << " column " << x;
        }
      }
    }
  });
  return declined;
}

constexpr Kind kKinds[] = {
    {"flat", 300, 1.0, 1, 16},
    {"corner of 2", 70, 0.8, 2, 32},
    {"corner of 4", 50, 0.7, 4, 32},
    {"left half", 60, 0.3, 8, 16, 4},
    {"sparse", 100, 0.06, 8, 40},
    {"dense", 100, 0.9, 8, 8},
    {"saturating", 250, 0.5, 8, 8},
    {"extreme", kMost, 1.0, 8, 255},
    {"extreme, 16-bit tables", kMost, 0.5, 8, 65535},
    {"extreme corners, 16-bit tables", kMost, 0.5, 4, 65535},
    {"extreme first ones", kMost, 1.0, 1, 255},
};

class Idct : public testing::TestWithParam<int> {};

TEST_P(Idct, EqualsTheLibraryOnEveryTarget) {
  const int reduce = GetParam();
  std::mt19937 random(7);
  size_t all = 0, declined = 0;
  for (const Kind& kind : kKinds) {
    for (int round = 0; round < 6; ++round) {
      SCOPED_TRACE(testing::Message() << kind.name << " round " << round);
      Table quant;
      std::uniform_int_distribution<int> step(1, kind.largest_step);
      for (auto& q : quant) q = static_cast<uint16_t>(step(random));
      if (round == 0) quant.fill(1);
      if (round == 1) quant.fill(static_cast<uint16_t>(kind.largest_step));
      std::vector<Block> blocks(512);
      for (auto& block : blocks) block = random_block(kind, random);
      all += blocks.size() / 4;
      declined += compare(blocks, quant, reduce);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_LT(declined, all * 2 / 3);  // enough of the comparison happened
}

// Neighbours of different kinds in one vector: the class is that of the richest.
TEST_P(Idct, MixedGroups) {
  std::mt19937 random(11);
  std::uniform_int_distribution<size_t> pick(0, 5);
  Table quant;
  quant.fill(2);
  std::vector<Block> blocks(2048);
  for (auto& block : blocks) block = random_block(kKinds[pick(random)], random);
  EXPECT_EQ(compare(blocks, quant, GetParam()), 0u);
}

// One coefficient at each place, with every sign and large enough to clamp, next to an empty block.
TEST_P(Idct, EachCoefficientAlone) {
  Table quant;
  quant.fill(2);
  std::vector<Block> blocks;
  for (size_t k = 0; k < 64; ++k) {
    for (const int v : {1, -1, 30, -30, 255, -255, 1023, -1023}) {
      Block block{};
      block[k] = static_cast<int16_t>(v);
      blocks.push_back(block);
      blocks.push_back(Block{});
    }
  }
  EXPECT_EQ(compare(blocks, quant, GetParam()), 0u);
}

INSTANTIATE_TEST_SUITE_P(Reduced, Idct, testing::Values(0, 1, 2, 3));

}  // namespace
}  // namespace microtome::jpeg
#endif  // HWY_ONCE
