// How much of each resolution a tile's parts need: what need not be decoded is left out.
//
// Chosen per tile by tile.cc, from the layout and the parts that are asked for; read by tile-inl.h and
// wavelet-inl.h. Internal to this folder; pure. Source: ITU-T T.800 annex F.3 (how far filters reach).
//
// Note [Windows]
// A window is a rectangle of a resolution's image that is calculated as if it were all of it. It begins at an
// even place, or where the image does. Where an edge of it is none of the image, samples are mirrored that
// should be others, and what they are lifted into is wrong: windows are larger than what is needed of them by
// that much. Of the resolution below, and of sub-bands, half of a window is needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/base/geometry.h"
#include "microtome/codec/jpeg2000/layout.h"

namespace microtome::jpeg2000 {

/// In places of an image (Note [Odd places] in layout.h), or in samples of a sub-band.
struct Window {
  uint32_t x = 0, y = 0, w = 0, h = 0;
};

class Windows {
 public:
  /// `bounds` in pixels of the tile's picture at 1 / 2^reduce of its resolution, inside of it and not empty.
  void choose(const Layout& layout, unsigned reduce, const Rect& bounds);

  /// The last resolution of a component that is decoded.
  size_t top(size_t component) const { return tops_[component].resolution; }
  /// Of resolution `r`, up to top().
  const Window& of(size_t component, size_t r) const { return windows_[component][r]; }
  /// What that takes of one of the resolution's sub-bands.
  Window of_band(size_t component, size_t r, Orientation orientation) const;

  /// Where in the last window the sample of the picture's column `x` is, or of its row `y`: the one at or
  /// before it, the first one where there is none.
  size_t column_of(size_t component, int64_t x) const { return tops_[component].across.of(x); }
  size_t row_of(size_t component, int64_t y) const { return tops_[component].down.of(y); }

 private:
  // From pixels of the picture to samples.
  struct Axis {
    int64_t origin = 0;  // the picture's first pixel, on the reduced grid
    int64_t sampling = 1;
    int64_t first = 0;   // the component's first sample
    int64_t window = 0;  // that the window begins with

    size_t of(int64_t at) const {
      const int64_t pixel = origin + at, sample = sampling == 1 ? pixel : pixel / sampling;
      return static_cast<size_t>((sample > first ? sample : first) - window);
    }
  };
  struct Top {
    size_t resolution = 0;
    Axis across, down;
  };

  const Layout* layout_ = nullptr;  // unowned: the caller's
  std::array<Top, kMaxComponents> tops_;
  std::array<std::array<Window, kMaxLevels + 1>, kMaxComponents> windows_;
};

}  // namespace microtome::jpeg2000
