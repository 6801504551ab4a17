// Where blocks, MCUs, planes and pixels of a frame lie, at full size and reduced; and which of them a
// rectangle needs. Integers only.
#pragma once

#include <array>
#include <cstdint>

#include "microtome/base/geometry.h"
#include "microtome/codec/jpeg/frame.h"

namespace microtome::jpeg {

/// How a component's samples become pixels in one direction.
enum class Stretch : uint8_t {
  none,
  replicate,  ///< Each sample twice.
  fancy,      ///< Triangle filter: 3/4 of the nearer sample, 1/4 of the next.
};

struct ComponentLayout {
  int h = 1, v = 1;               ///< Blocks of an MCU across and down.
  int block = 8;                  ///< Side of a block once it is transformed: 8, or 4, 2 or 1 when reduced.
  int first_slot = 0;             ///< Its first block in an MCU.
  int64_t width = 0, height = 0;  ///< Of its plane, in samples that belong to the image.
};

struct Layout {
  Size size;  ///< Of the picture, reduced.
  int components = 0;
  int blocks = 0;      ///< Of an MCU.
  int chunk_mcus = 4;  ///< MCUs that are decoded at once.
  std::array<ComponentLayout, 3> component;
  int mcu_width = 0, mcu_height = 0;  ///< In pixels of the reduced picture.
  int64_t mcus_across = 0, mcus_down = 0;
  int rows_at_once = 1;                                  ///< MCU rows that the library reads together.
  Stretch across = Stretch::none, down = Stretch::none;  ///< Of both chroma components.

  /// Whether a row of pixels takes chroma from the MCU row above or below.
  bool context() const noexcept { return down == Stretch::fancy; }
};

/// The layout of `frame` at 1 / 2^reduce, as the library chooses it for scale_num = 8 >> reduce.
Layout make_layout(const Frame& frame, int reduce);

/// What must be done for a rectangle of pixels; MCU rows and chunks are counted from 0, both ends included.
struct Needed {
  int64_t first_row = 0, last_row = 0;      ///< MCU rows to transform.
  int64_t first_mcu = 0, last_mcu = 0;      ///< MCUs of such a row.
  int64_t first_chunk = 0, last_chunk = 0;  ///< Chunks that hold them.
  int64_t stop_row = 0;                     ///< The last MCU row to decode: where the library stops reading.
  bool whole = false;  ///< The last row of pixels is needed: the library reads up to the end of the stream.
};

Needed needed_for(const Layout& layout, const Rect& bounds);

}  // namespace microtome::jpeg
