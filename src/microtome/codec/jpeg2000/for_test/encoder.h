// OpenJPEG's encoder, as a function of planes and options. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/base/geometry.h"

namespace microtome::jpeg2000::test {

struct EncoderPlane {
  uint32_t dx = 1, dy = 1, bits = 8;
  bool is_signed = false;
  std::vector<int32_t> samples;  ///< Of the size that plane_size() gives.
};

struct EncoderOptions {
  bool irreversible = false;
  int resolutions = 6;
  bool colour_transform = false;
  int progression = 0;          ///< As in COD.
  std::vector<float> rates{0};  ///< Of each layer: compression of bytes; 0: all there is.
  int block_w = 64, block_h = 64;
  int style = 0;  ///< Of code-blocks, as in COD.
  bool sop = false, eph = false;
  struct Sides {
    int w, h;
  };
  std::vector<Sides> precincts;  ///< From the last resolution down; none: as large as there are.
  Sides tile{0, 0};              ///< 0: one tile.
  Sides tile_origin{0, 0};       ///< With tiles.
  char part_divider = 0;         ///< Tile parts by 'R' or 'L'; 0: one part.
  int region_shift = 0;          ///< RGN, of one component.
  int region_component = 0;
  std::vector<const char*> extra;  ///< "PLT=YES" and the like.
};

struct EncoderPlan {
  Rect grid;  ///< The image on the reference grid.
  std::vector<EncoderPlane> planes;
  EncoderOptions options;
};

Size plane_size(const Rect& grid, const EncoderPlane& plane);

/// A codestream; empty where the encoder refuses the options.
std::vector<std::byte> encode(const EncoderPlan& plan);

}  // namespace microtome::jpeg2000::test
