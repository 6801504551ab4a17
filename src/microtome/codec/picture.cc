#include "microtome/codec/picture.h"

#include <cstring>

#include "microtome/simd/kernels.h"

namespace microtome {

Result<Picture> Picture::make(const Size& size, const TileFormat& format, const Want& want, Rows rows,
                              Scratch& scratch) {
  MICROTOME_TRY(check_stream_size(size, format, want));
  Picture picture;
  picture.want_ = &want;
  picture.size_ = size;
  const TilePart& first = want.parts.front();
  picture.row_bytes_ = static_cast<size_t>(size.w) * first.dst.pixel_bytes();
  const bool whole = want.parts.size() == 1 && first.src == Rect{0, 0, size.w, size.h};
  const auto stride = static_cast<size_t>(first.dst.row_stride);
  if (whole && (rows == Rows::any_stride || stride == picture.row_bytes_)) {
    picture.in_place_ = true;
    picture.data_ = first.dst.data;
    picture.stride_ = stride;
    return picture;
  }
  MICROTOME_ASSIGN(const std::span<std::byte> memory,
                   scratch.at_least(picture.row_bytes_ * static_cast<size_t>(size.h)));
  picture.data_ = memory.data();
  picture.stride_ = picture.row_bytes_;
  return picture;
}

void Picture::put(const std::byte* from, size_t bytes_each, size_t at) const {
  const auto width = static_cast<size_t>(size_.w), pixel = row_bytes_ / width;
  for (int64_t y = 0; y < size_.h; ++y) {
    std::byte* const row = data_ + static_cast<size_t>(y) * stride_ + at;
    for (size_t x = 0; x < width; ++x, from += bytes_each) std::memcpy(row + x * pixel, from, bytes_each);
  }
}

void Picture::place() const {
  if (in_place_) return;
  const bool streaming = want_->stores == Stores::streaming;
  for (const TilePart& part : want_->parts) {
    const size_t left = static_cast<size_t>(part.src.x) * part.dst.pixel_bytes();
    for (int64_t y = 0; y < part.src.h; ++y) {
      const std::byte* const from = data_ + static_cast<size_t>(part.src.y + y) * stride_ + left;
      if (streaming) {
        simd::stream_copy(from, part.dst.row_bytes(), part.dst.row(y));
      } else {
        std::memcpy(part.dst.row(y), from, part.dst.row_bytes());
      }
    }
  }
  if (streaming) simd::stream_end();
}

}  // namespace microtome
