// Random DCT coefficients: what tiles are made of (flat background, tissue, noise) and what they never should
// be (values that saturate, lone coefficients at the end of a block). For tests only.
#pragma once

#include <array>
#include <cstdint>

#include "microtome/codec/for_test/random.h"

namespace microtome::jpeg::test {

using microtome::test::Random;

using Block =
    std::array<int16_t, 64>;  ///< Quantised coefficients in zigzag order; [0] is the DC value itself.
using QuantValues = std::array<uint16_t, 64>;  ///< In zigzag order.

/// Makes the blocks of one stream, one MCU after the other: a kind of content for some MCUs, then another.
class BlockSource {
 public:
  /// `wide`: coefficients may need more bits than baseline JPEG has (10 for AC, 11 for differences of DC).
  BlockSource(Random& random, bool wide);

  void next_mcu();
  /// The next block of a component whose last DC value is `previous_dc`.
  Block block(const QuantValues& quant, int previous_dc);

 private:
  enum class Kind : uint8_t {
    flat,  // the previous block's DC value, nothing else
    dc_only,
    smooth,   // in the upper left 4x4
    texture,  // declining with the frequency
    noise,
    sparse,   // a few coefficients anywhere: long runs of zeros
    last,     // the coefficient at 63
    lines,    // the first row or the first column, where transforms take shortcuts
    extreme,  // dequantised values near the limits of 8, 11, 13 and 16 bits
  };
  static constexpr int kKinds = 9;

  void set(Block& block, int zigzag, int dequantised, int quant) const;
  void set_quantised(Block& block, int zigzag, int value) const;
  void fill_ac(Block& block, const QuantValues& quant);

  Random& random_;  // unowned: the stream's
  bool wide_;
  int amplitude_;
  int kinds_;  // how many occur: all, or all but extreme
  int favourite_;
  bool pure_;  // nothing but the favourite, where there is one
  int left_ = 0;
  Kind kind_ = Kind::flat;
};

/// Row-major place of each coefficient in zigzag order (T.81, figure 5).
extern const std::array<uint8_t, 64> kNaturalOfZigzag;

}  // namespace microtome::jpeg::test
