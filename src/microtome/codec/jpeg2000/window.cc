#include "microtome/codec/jpeg2000/window.h"

#include <algorithm>

namespace microtome::jpeg2000 {
namespace {

struct Range {
  uint32_t begin, end;
};

// The pairs of an even and an odd place, in a row or column whose places end at `end`, that are lifted to
// make `wanted` exact. Of the four lifting steps of 9/7 each reaches for a neighbour: from an even sample to
// the even one of two pairs before (whose own first step, without the odd one before it, is the wrong one),
// from an odd one to the odd one of two pairs behind. 5/3 reaches for less.
Range pairs_for(const Range& wanted, uint32_t end) {
  constexpr uint32_t kBefore = 2, kBehind = 3;
  const uint32_t first = wanted.begin / 2;
  return {first > kBefore ? first - kBefore : 0, std::min((end + 1) / 2, (wanted.end - 1) / 2 + kBehind)};
}

// In an image's places, which go from `begin` to `end`.
Range places_of(const Range& pairs, uint32_t begin, uint32_t end) {
  return {std::max(2 * pairs.begin, begin), std::min(2 * pairs.end, end)};
}

// The low frequencies of pairs, in places of the image below. One that is before the image's first sample, or
// behind the last one, is none.
Range below(const Range& pairs, uint32_t begin, uint32_t begin_below, uint32_t size_below) {
  const uint32_t end = begin_below + size_below;
  return {std::max(pairs.begin + begin_below, begin_below + begin) - begin,
          std::min(pairs.end + begin_below - begin, end)};
}

}  // namespace

void Windows::choose(const Layout& layout, unsigned reduce, const Rect& bounds) {
  layout_ = &layout;
  const Area& tile = layout.coding.tile;
  const auto reduced = [reduce](uint32_t at) {
    return static_cast<int64_t>((uint64_t{at} + (1u << reduce) - 1) >> reduce);
  };
  for (size_t c = 0; c < layout.components.size(); ++c) {
    const ComponentCoding& coding = layout.coding.component[c];
    Top& top = tops_[c];
    top.resolution = size_t{coding.levels} - reduce;
    const Resolution& last = layout.resolution(c, top.resolution);
    top.across = {reduced(tile.x0), coding.dx, last.x0, int64_t{last.x0} - last.begin_x};
    top.down = {reduced(tile.y0), coding.dy, last.y0, int64_t{last.y0} - last.begin_y};
    const auto samples_under = [](const Axis& axis, int64_t begin, int64_t size) {
      return Range{static_cast<uint32_t>(axis.of(begin)),
                   static_cast<uint32_t>(axis.of(begin + size - 1) + 1)};
    };
    Range across = samples_under(top.across, bounds.x, bounds.w),
          down = samples_under(top.down, bounds.y, bounds.h);
    for (size_t r = top.resolution;; --r) {
      Range x = across, y = down;
      if (r > 0) {
        const Resolution &image = layout.resolution(c, r), &lower = layout.resolution(c, r - 1);
        const uint32_t end_x = image.begin_x + image.w, end_y = image.begin_y + image.h;
        const Range pairs_x = pairs_for(across, end_x), pairs_y = pairs_for(down, end_y);
        x = places_of(pairs_x, image.begin_x, end_x);
        y = places_of(pairs_y, image.begin_y, end_y);
        across = below(pairs_x, image.begin_x, lower.begin_x, lower.w);
        down = below(pairs_y, image.begin_y, lower.begin_y, lower.h);
      }
      windows_[c][r] = {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
      if (r == 0) break;
    }
    top.across.window += windows_[c][top.resolution].x;
    top.down.window += windows_[c][top.resolution].y;
  }
}

Window Windows::of_band(size_t component, size_t r, Orientation orientation) const {
  const Window& image = of(component, r);
  if (r == 0) return image;
  const Resolution& resolution = layout_->resolution(component, r);
  // Of the places of a row or column, the even or the odd ones.
  const auto half = [](bool high, uint32_t begin, uint32_t size, uint32_t first) {
    if (high) return Range{begin / 2, (begin + size) / 2};
    return Range{(begin + 1) / 2 - first, (begin + size + 1) / 2 - first};
  };
  const bool high_x = orientation == Orientation::hl || orientation == Orientation::hh;
  const bool high_y = orientation == Orientation::lh || orientation == Orientation::hh;
  const Range x = half(high_x, image.x, image.w, resolution.begin_x),
              y = half(high_y, image.y, image.h, resolution.begin_y);
  return {x.begin, y.begin, x.end - x.begin, y.end - y.begin};
}

}  // namespace microtome::jpeg2000
