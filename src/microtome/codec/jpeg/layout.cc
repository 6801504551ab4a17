#include "microtome/codec/jpeg/layout.h"

#include <algorithm>

#include "microtome/codec/jpeg/chunk.h"

namespace microtome::jpeg {
namespace {

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Note [Chroma is reduced less]
// In a reduced picture the library gives a component that is subsampled both ways, or neither, a larger
// inverse DCT instead of upsampling it (jdmaster.c): its block doubles while it stays at most 8 and both
// directions still divide.
int block_side(const Component& component, int h_max, int v_max, int smallest) {
  int side = smallest;
  while (side < 8 && h_max * smallest % (component.h * side * 2) == 0 &&
         v_max * smallest % (component.v * side * 2) == 0) {
    side *= 2;
  }
  return side;
}

Stretch stretch(int64_t samples, int64_t pixels, bool fancy) {
  if (samples == pixels) return Stretch::none;
  return fancy ? Stretch::fancy : Stretch::replicate;
}

// The rows (or columns) of a chroma plane that pixels begin…end - 1 take samples from.
struct Span {
  int64_t first, last;
};

Span samples_for(int64_t begin, int64_t end, Stretch kind, int64_t size) {
  if (kind == Stretch::none) return {begin, end - 1};
  if (kind == Stretch::replicate) return {begin / 2, (end - 1) / 2};
  return {std::max<int64_t>(0, (begin - 1) >> 1), std::min(size - 1, end / 2)};
}

}  // namespace

Layout make_layout(const Frame& frame, int reduce) {
  // The MCU of a single component is one block, whatever its sampling factors (T.81 A.2.2).
  const bool grey = frame.components == 1;
  const int smallest = 8 >> reduce, h_max = grey ? 1 : frame.h_max(), v_max = grey ? 1 : frame.v_max();
  Layout layout;
  layout.components = frame.components;
  layout.size = {ceil_div(frame.size.w * smallest, 8), ceil_div(frame.size.h * smallest, 8)};
  layout.mcus_across = ceil_div(frame.size.w, 8 * h_max);
  layout.mcus_down = ceil_div(frame.size.h, 8 * v_max);
  layout.mcu_width = h_max * smallest;
  layout.mcu_height = v_max * smallest;
  if (grey) layout.rows_at_once = frame.component[0].v;
  for (size_t c = 0; c < frame.components; ++c) {
    Component from = frame.component[c];
    if (grey) from.h = from.v = 1;
    ComponentLayout& to = layout.component[c];
    to.h = from.h;
    to.v = from.v;
    to.block = block_side(from, h_max, v_max, smallest);
    to.first_slot = layout.blocks;
    to.width = ceil_div(frame.size.w * from.h * to.block, int64_t{h_max} * 8);
    to.height = ceil_div(frame.size.h * from.v * to.block, int64_t{v_max} * 8);
    layout.blocks += to.h * to.v;
  }
  layout.chunk_mcus = chunk_mcus(layout.blocks);
  if (layout.components == 3) {
    const ComponentLayout& chroma = layout.component[1];
    // Across, the library's triangle filter needs three samples; at 1/8 there is none at all.
    const bool fancy = smallest > 1;
    layout.across = stretch(chroma.h * chroma.block, layout.mcu_width, fancy && chroma.width > 2);
    layout.down = stretch(chroma.v * chroma.block, layout.mcu_height, fancy);
    // Both ways at once is one filter, fancy or not as a whole.
    if (layout.down == Stretch::fancy && layout.across == Stretch::replicate)
      layout.down = Stretch::replicate;
  }
  return layout;
}

Needed needed_for(const Layout& layout, const Rect& bounds) {
  const ComponentLayout& luma = layout.component[0];
  const ComponentLayout& chroma = layout.component[layout.components == 3 ? 1 : 0];
  const int64_t luma_rows = luma.v * luma.block, chroma_rows = chroma.v * chroma.block;
  const int64_t luma_columns = luma.h * luma.block, chroma_columns = chroma.h * chroma.block;
  const Span rows = samples_for(bounds.y, bounds.bottom(), layout.down, chroma.height);
  const Span columns = samples_for(bounds.x, bounds.right(), layout.across, chroma.width);
  Needed needed;
  needed.first_row = std::min(bounds.y / luma_rows, rows.first / chroma_rows);
  needed.last_row = std::max((bounds.bottom() - 1) / luma_rows, rows.last / chroma_rows);
  needed.first_mcu = std::min(bounds.x / luma_columns, columns.first / chroma_columns);
  needed.last_mcu = std::max((bounds.right() - 1) / luma_columns, columns.last / chroma_columns);
  needed.first_chunk = needed.first_mcu / layout.chunk_mcus;
  needed.last_chunk = needed.last_mcu / layout.chunk_mcus;
  needed.whole = bounds.bottom() == layout.size.h;
  // With vertical filtering the library gives the last row group of an MCU row only when it has read the next
  // MCU row.
  const int64_t last = bounds.bottom() - 1;
  needed.stop_row = last / layout.mcu_height;
  if (layout.context() && last % layout.mcu_height >= layout.mcu_height - luma.v) ++needed.stop_row;
  needed.stop_row = (needed.stop_row / layout.rows_at_once + 1) * layout.rows_at_once - 1;
  if (needed.whole) needed.stop_row = layout.mcus_down - 1;
  needed.stop_row = std::min(needed.stop_row, layout.mcus_down - 1);
  return needed;
}

}  // namespace microtome::jpeg
