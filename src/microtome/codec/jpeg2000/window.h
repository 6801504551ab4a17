// How much of each resolution a tile's parts need: what need not be decoded is left out.
//
// Chosen per tile by tile.cc, from the layout and the parts that are asked for; read by tile-inl.h and
// wavelet-inl.h. Internal to this folder; pure. Source: ITU-T T.800 annex F.3 (how far filters reach).
//
// Note [Windows]
// A window is a rectangle of a resolution's image that is calculated as if it were all of it. It begins at
// even places, as images do. Where an edge of it is none of the image, samples are mirrored that should be
// others, and what they are lifted into is wrong: windows are larger than what is needed of them by that
// much. Of the resolution below, and of sub-bands, half of a window is needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/base/geometry.h"
#include "microtome/codec/jpeg2000/layout.h"

namespace microtome::jpeg2000 {

struct Window {
  uint32_t x = 0, y = 0, w = 0, h = 0;  ///< In samples of an image or a sub-band.
};

class Windows {
 public:
  /// `bounds` in pixels of the picture at resolution `top`, inside of it and not empty.
  void choose(const Layout& layout, size_t top, const Rect& bounds);

  /// The last resolution that is decoded.
  size_t top() const { return top_; }
  /// Of resolution `r`, up to top().
  const Window& of(size_t component, size_t r) const { return windows_[component][r]; }
  /// What that takes of one of the resolution's sub-bands.
  Window of_band(size_t component, size_t r, Orientation orientation) const;

 private:
  size_t top_ = 0;
  std::array<std::array<Window, kMaxLevels + 1>, kMaxComponents> windows_;
};

}  // namespace microtome::jpeg2000
