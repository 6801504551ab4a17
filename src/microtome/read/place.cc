#include "microtome/read/place.h"

#include <algorithm>
#include <array>
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

void fill_pixels(const ImageView& view, std::span<const std::byte> pixel, Stores stores) {
  if (view.size.empty()) return;
  if (contiguous(view) && view.size.h > 1) {
    const Size line{view.size.w * view.size.h, 1};
    fill_pixels({view.data, line, view.row_stride * view.size.h, view.samples, view.type}, pixel, stores);
    return;
  }
  const auto width = static_cast<size_t>(view.size.w), height = static_cast<size_t>(view.size.h);
  if (height == 1 && stores == Stores::cached) {
    simd::fill(pixel.data(), pixel.size(), width, view.data);
    return;
  }
  // One row is made and then copied; of a long one a part that is a whole number of cache lines.
  constexpr size_t kLine = 64;
  std::array<std::byte, 4096> made;
  const size_t row_bytes = view.row_bytes();
  const size_t made_pixels = row_bytes <= made.size() ? width : made.size() / pixel.size() / kLine * kLine;
  if (made_pixels == 0) {
    for (int64_t y = 0; y < view.size.h; ++y) simd::fill(pixel.data(), pixel.size(), width, view.row(y));
    return;
  }
  const size_t made_bytes = made_pixels * pixel.size();
  simd::fill(pixel.data(), pixel.size(), made_pixels, made.data());
  for (int64_t y = 0; y < view.size.h; ++y) {
    for (size_t at = 0; at < row_bytes; at += made_bytes) {
      const size_t bytes = std::min(made_bytes, row_bytes - at);
      if (stores == Stores::streaming) {
        simd::stream_copy(made.data(), bytes, view.row(y) + at);
      } else {
        std::memcpy(view.row(y) + at, made.data(), bytes);
      }
    }
  }
  if (stores == Stores::streaming) simd::stream_end();
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
