// Reads what stands before a tile's entropy-coded data.
//
// Called by the tile decoder; knows bytes and nothing of pixels. Not thread-safe: one Headers per decoder.
//
// Note [Declining]
// Nothing here is an error. Either a header is one that we are sure to understand as the library does, or it
// is declined and the library decides. So everything unusual is declined, though the library may take it:
// fill bytes between segments, markers other than tables, frame, scan, APPn and COM, components in another
// order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "microtome/codec/jpeg/frame.h"

namespace microtome::jpeg {

class Headers {
 public:
  /// The frame of `packed`, which starts from the tables of `tables`, a TIFF's JPEGTables (Adobe TIFF
  /// Technical Note 2) or empty. Null: declined. Valid until the next call; Frame::scan is a part of
  /// `packed`.
  ///
  /// Tables of one tile are never those of the next. `tables` is read again only where its bytes differ from
  /// the last call's.
  const Frame* read(std::span<const std::byte> packed, std::span<const std::byte> tables);

 private:
  bool keep(std::span<const std::byte> tables);

  std::vector<std::byte> kept_bytes_;  // what `kept_` was read from
  bool kept_declined_ = false;
  TableSet kept_;
  bool own_tables_ = false;  // those of `frame_` may differ from `kept_`
  Frame frame_;
};

}  // namespace microtome::jpeg
