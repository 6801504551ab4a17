// Writes a JPEG stream from a plan and its blocks: markers in any legal order, tables where the plan wants
// them, entropy-coded scans. For tests only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/base/pixels.h"
#include "microtome/codec/jpeg/for_test/huffman_writer.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"

namespace microtome::jpeg::test {

/// What is legal, or taken by libjpeg-turbo without a word, and yet rare: at most one of these in a stream.
enum class Oddity : uint8_t {
  none,
  sampling,         // neither grey nor 4:4:4, 4:2:2, 4:4:0, 4:2:0
  wide,             // coefficients of more bits than baseline has
  overrun,          // blocks that run past their last coefficient
  other_end,        // run/size symbols 0x10, 0x20, ... 0xE0, which end a block like 0x00
  empty_runs,       // runs of 16 zeros before the end of a block
  separate_scans,   // a scan for each component
  tables_of_each,   // Huffman tables of their own for all three components
  zero_quantiser,   // a quantisation table with a 0
  fill_bytes,       // 0xFF before markers
  zero_padding,     // last bits before a marker 0 instead of 1
  bytes_after_end,  // anything behind the end-of-image marker
  no_end,           // no end-of-image marker
  no_tables,        // no Huffman tables: the standard ones are meant
  other_size,       // larger than the tile it is stored for
};
constexpr int kOddities = 15;

struct StreamPlan {
  Size size{1, 1};
  std::vector<StreamComponent> components;
  std::array<QuantValues, 4> quant{};
  std::array<bool, 4> quant_used{};
  std::array<TableStyle, 2> styles{};  ///< Of DC and AC tables.
  int restart_interval = 0;
  bool extended = false;     ///< SOF1 instead of SOF0.
  bool abbreviated = false;  ///< Tables, some or all, in a stream of their own.
  Oddity oddity = Oddity::none;
};

struct WrittenStream {
  std::vector<std::byte> tables, packed;
};

/// Writes the stream of `plan`. Where the plan's oddity changes coefficients (overrun), its blocks are
/// changed with it.
WrittenStream write_stream(StreamPlan& plan, Random& random);

/// Largest sampling factors and numbers of MCUs of a frame.
struct McuGrid {
  int max_h = 1, max_v = 1, w = 0, h = 0;
};
McuGrid mcu_grid(Size size, const std::vector<StreamComponent>& components);

}  // namespace microtome::jpeg::test
