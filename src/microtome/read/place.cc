#include "microtome/read/place.h"

#include <cstring>

#include "microtome/simd/kernels.h"

namespace microtome {

namespace {

/// Whether rows follow each other without a gap, so that all of them can be done as one.
bool contiguous(const ImageView& view) noexcept {
  return view.row_stride == static_cast<int64_t>(view.row_bytes());
}

}  // namespace

void copy_pixels(const ImageView& from, const ImageView& to, Stores stores) {
  const size_t row_bytes = to.row_bytes();
  if (stores == Stores::streaming) {
    for (int64_t y = 0; y < to.size.h; ++y) simd::stream_copy(from.row(y), row_bytes, to.row(y));
    simd::stream_end();
    return;
  }
  if (contiguous(from) && contiguous(to)) {
    std::memcpy(to.data, from.data, row_bytes * static_cast<size_t>(to.size.h));
    return;
  }
  for (int64_t y = 0; y < to.size.h; ++y) std::memcpy(to.row(y), from.row(y), row_bytes);
}

void fill_pixels(const ImageView& view, std::span<const std::byte> pixel) {
  if (view.size.empty()) return;
  const auto width = static_cast<size_t>(view.size.w), height = static_cast<size_t>(view.size.h);
  if (contiguous(view)) {
    simd::fill(pixel.data(), pixel.size(), width * height, view.data);
    return;
  }
  for (int64_t y = 0; y < view.size.h; ++y) simd::fill(pixel.data(), pixel.size(), width, view.row(y));
}

void fill_around(const ImageView& view, const Rect& covered, std::span<const std::byte> pixel) {
  const auto [w, h] = view.size;
  if (covered.empty()) {
    fill_pixels(view, pixel);
    return;
  }
  fill_pixels(view.part({0, 0, w, covered.y}), pixel);
  fill_pixels(view.part({0, covered.y, covered.x, covered.h}), pixel);
  fill_pixels(view.part({covered.right(), covered.y, w - covered.right(), covered.h}), pixel);
  fill_pixels(view.part({0, covered.bottom(), w, h - covered.bottom()}), pixel);
}

}  // namespace microtome
