// The picture that a library decodes whole, on its way to the parts that were asked for.
//
// For the .cc files of codecs whose libraries give no single rows: WebP, JPEG XL, LERC. The picture is
// decoded in the one part that takes all of it, or else in scratch memory. Not thread-safe.
#pragma once

#include <cstddef>

#include "microtome/codec/codec.h"
#include "microtome/codec/request.h"

namespace microtome {

class Picture {
 public:
  /// What the library can do with gaps between rows.
  enum class Rows : uint8_t { any_stride, without_gaps };

  /// For a stream whose own size is `size`. `scratch` is used until the picture is placed. Errors: those of
  /// check_stream_size, and out_of_memory.
  static Result<Picture> make(const Size& size, const TileFormat& format, const Want& want, Rows rows,
                              Scratch& scratch);

  /// Where to decode to: rows of row_bytes() bytes, stride() bytes apart.
  std::byte* data() const noexcept { return data_; }
  size_t row_bytes() const noexcept { return row_bytes_; }
  size_t stride() const noexcept { return stride_; }
  /// From the first row to the last one's end.
  size_t bytes() const noexcept { return stride_ * static_cast<size_t>(size_.h - 1) + row_bytes_; }

  /// Writes `bytes_each` bytes of every pixel, from the pixel's byte `at` on; in `from` they lie without
  /// gaps. For libraries that give channels apart from each other.
  void put(const std::byte* from, size_t bytes_each, size_t at) const;

  /// Gives every part its pixels, once they are decoded.
  void place() const;

 private:
  Picture() = default;

  const Want* want_ = nullptr;
  Size size_;
  std::byte* data_ = nullptr;
  size_t row_bytes_ = 0, stride_ = 0;
  bool in_place_ = false;
};

}  // namespace microtome
