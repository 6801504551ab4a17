// Integer geometry. x, y and w, h in pixels of whatever frame the name says (level 0, a level, a tile).
#pragma once

#include <algorithm>
#include <cstdint>

namespace microtome {

struct Size {
  int64_t w = 0, h = 0;
  bool operator==(const Size&) const = default;
  bool empty() const noexcept { return w <= 0 || h <= 0; }
};

struct Point {
  int64_t x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

/// Half-open: [x, x + w) by [y, y + h). The caller keeps x + w and y + h within int64.
struct Rect {
  int64_t x = 0, y = 0, w = 0, h = 0;
  bool operator==(const Rect&) const = default;
  bool empty() const noexcept { return w <= 0 || h <= 0; }
  int64_t right() const noexcept { return x + w; }
  int64_t bottom() const noexcept { return y + h; }
  Size size() const noexcept { return {w, h}; }
  bool contains(const Rect& r) const noexcept {
    return r.x >= x && r.y >= y && r.right() <= right() && r.bottom() <= bottom();
  }
};

/// The common part; an empty Rect (w = h = 0) where there is none.
inline Rect intersect(const Rect& a, const Rect& b) noexcept {
  const int64_t x0 = std::max(a.x, b.x), y0 = std::max(a.y, b.y);
  const int64_t x1 = std::min(a.right(), b.right()), y1 = std::min(a.bottom(), b.bottom());
  if (x1 <= x0 || y1 <= y0) return {};
  return {x0, y0, x1 - x0, y1 - y0};
}

inline Rect unite(const Rect& a, const Rect& b) noexcept {
  if (a.empty()) return b;
  if (b.empty()) return a;
  const int64_t x0 = std::min(a.x, b.x), y0 = std::min(a.y, b.y);
  return {x0, y0, std::max(a.right(), b.right()) - x0, std::max(a.bottom(), b.bottom()) - y0};
}

}  // namespace microtome
