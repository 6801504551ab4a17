// Which tiles need no decoding: their bytes in the file are their pixels.
//
// Asked by the backend that has such tiles read straight into memory of the device (direct_backend.h). Pure
// arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "microtome/base/bytes.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"

namespace microtome::gpu {

/// Rows of a tile as they are in the file, and whole pages around them.
struct DirectRange {
  ByteRange pages;   ///< Multiples of kPage; may pass the end of the file.
  size_t lead = 0;   ///< Bytes of `pages` before the first row.
  size_t bytes = 0;  ///< Of the rows.
  size_t pitch = 0;  ///< Bytes of a row: of the tile's whole width.
  int64_t first_row = 0, rows = 0;

  static constexpr size_t kPage = 4096;
  /// Of a slot in which `pages` fit at a multiple of kPage, wherever it begins.
  size_t slot_bytes() const noexcept { return static_cast<size_t>(pages.size) + kPage - 1; }
};

/// Reads of less are not worth the way: opening one costs as much as copying them.
inline constexpr size_t kLeastDirectBytes = size_t{64} << 10;

/// Whether tiles of this size may be such: what a look at the format tells.
bool may_be_direct(const TileFormat& format, Size tile) noexcept;

/// Where the rows of `part` are in a tile that is stored as `packed`; nothing where its samples are packed,
/// converted, of another byte order, in planes or not aligned, where it is shorter than they are, where it is
/// small, or where whole rows are much more than the part.
std::optional<DirectRange> direct_range(const TileFormat& format, const ByteRange& packed, const Rect& part);

}  // namespace microtome::gpu
