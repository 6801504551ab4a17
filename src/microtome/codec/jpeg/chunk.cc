#include "microtome/codec/jpeg/chunk.h"

namespace microtome::jpeg {
namespace {

constexpr auto kNowhereInGroup = static_cast<uint16_t>(8 * kGroupRow);

// T.81 figure A.6: diagonals, every other one upwards.
constexpr ZigzagTable zigzag() {
  ZigzagTable table{};
  for (uint16_t& place : table.places) place = kNowhereInGroup;
  size_t k = 0;
  for (size_t diagonal = 0; diagonal < 15; ++diagonal) {
    for (size_t i = 0; i <= diagonal; ++i) {
      const size_t row = diagonal % 2 == 0 ? diagonal - i : i, column = diagonal - row;
      if (row < 8 && column < 8)
        table.places[k++] =
            static_cast<uint16_t>(group_row(row, column) * kGroupRow + word_of_block(row, column));
    }
  }
  return table;
}

constexpr ZigzagTable dc_only() {
  ZigzagTable table{};
  for (uint16_t& place : table.places) place = kNowhereInGroup;
  table.places[0] = 0;
  return table;
}

}  // namespace

const ZigzagTable kZigzag = zigzag();
const ZigzagTable kDcOnly = dc_only();

}  // namespace microtome::jpeg
