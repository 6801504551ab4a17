#include "microtome/codec/jpeg2000/window.h"

#include <algorithm>

namespace microtome::jpeg2000 {
namespace {

struct Range {
  uint32_t begin, end;
};

// The pairs of an even and an odd sample, in a row or column of `size`, that are lifted to make `wanted`
// exact. Of the four lifting steps of 9/7 each reaches for a neighbour: from an even sample to the even one
// of two pairs before (whose own first step, without the odd one before it, is the wrong one), from an odd
// one to the odd one of two pairs behind. 5/3 reaches for less.
Range pairs_for(const Range& wanted, uint32_t size) {
  constexpr uint32_t kBefore = 2, kBehind = 3;
  const uint32_t first = wanted.begin / 2;
  return {first > kBefore ? first - kBefore : 0, std::min((size + 1) / 2, (wanted.end - 1) / 2 + kBehind)};
}

Range samples_of(const Range& pairs, uint32_t size) {
  return {2 * pairs.begin, std::min(2 * pairs.end, size)};
}

// The samples of pixels [begin, begin + size).
Range samples_under(int64_t begin, int64_t size, uint8_t sampling) {
  return {static_cast<uint32_t>(begin / sampling), static_cast<uint32_t>((begin + size - 1) / sampling + 1)};
}

}  // namespace

void Windows::choose(const Layout& layout, size_t top, const Rect& bounds) {
  top_ = top;
  for (size_t c = 0; c < layout.components.size(); ++c) {
    const ComponentCoding& coding = layout.coding.component[c];
    Range across = samples_under(bounds.x, bounds.w, coding.dx),
          down = samples_under(bounds.y, bounds.h, coding.dy);
    for (size_t r = top;; --r) {
      Range x = across, y = down;
      if (r > 0) {
        const Resolution& image = layout.resolution(c, r);
        across = pairs_for(across, image.w);
        down = pairs_for(down, image.h);
        x = samples_of(across, image.w);
        y = samples_of(down, image.h);
      }
      windows_[c][r] = {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
      if (r == 0) break;
    }
  }
}

Window Windows::of_band(size_t component, size_t r, Orientation orientation) const {
  const Window& image = of(component, r);
  if (r == 0) return image;
  const bool high_x = orientation == Orientation::hl || orientation == Orientation::hh;
  const bool high_y = orientation == Orientation::lh || orientation == Orientation::hh;
  return {image.x / 2, image.y / 2, (image.w + (high_x ? 0 : 1)) / 2, (image.h + (high_y ? 0 : 1)) / 2};
}

}  // namespace microtome::jpeg2000
