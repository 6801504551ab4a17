// Rows of a tile on their way to the parts that were asked for, each while it is in the nearest cache.
//
// For the codecs' own .cc files: a decoder asks where to make a row, makes it, and says that it is done. Not
// thread-safe.
//
// Note [A part that has every row]
// Where one part takes all that is decoded, which is the usual case, rows are made in it and copied from
// there to the others, if any; otherwise they are made in a band of scratch memory. Its stores are not
// streamed: rows that are read again, and the decoder's own scattered writes, want a cache.
#pragma once

#include <cstddef>

#include "microtome/codec/codec.h"
#include "microtome/codec/request.h"

namespace microtome {

class PartRows {
 public:
  /// For rows of `want.bounds()`, `band` of which at most are being made at any time. `scratch` is used until
  /// the rows are done. Errors: out_of_memory.
  static Result<PartRows> make(const Want& want, int64_t band, Scratch& scratch);

  /// Of what is decoded.
  const Rect& bounds() const noexcept { return bounds_; }
  size_t row_bytes() const noexcept { return row_bytes_; }
  size_t pixel_bytes() const noexcept { return pixel_bytes_; }

  /// Where to make row `y` of the tile, from bounds().x on: row_bytes() bytes. Rows of one band are made, and
  /// then done.
  std::byte* row(int64_t y) const noexcept;
  /// Row `y` was made at row(y).
  void done(int64_t y) const;
  /// Row `y` was made elsewhere.
  void put(int64_t y, const std::byte* row) const;
  /// After the last row.
  void end() const;

 private:
  PartRows() = default;
  void copy(int64_t y, const std::byte* row, const TilePart* but) const;

  const Want* want_ = nullptr;
  Rect bounds_;
  const TilePart* home_ = nullptr;
  int64_t band_ = 0;
  std::byte* scratch_ = nullptr;
  size_t row_bytes_ = 0, pixel_bytes_ = 0;
};

}  // namespace microtome
