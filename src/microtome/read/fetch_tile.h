// A tile's packed bytes, in one piece whatever way the file stores them.
//
// Called by whoever decodes tiles, for each of them, with a worker that nobody else has. Knows slides and
// ranges of bytes; decodes nothing.
#pragma once

#include <cstdint>
#include <span>

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"
#include "microtome/plan/region.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// The bytes of `ref`, which is `key` of `slide`: for planar samples those of all of them, as
/// codec/planar.h has them. Valid until the worker fetches another tile.
///
/// `next`          ranges of the same source that this thread will ask for next; unused for planar samples.
/// `packed_bytes`  is added to.
/// Errors          corrupt: more bytes than such a tile can have. Those of Slide::planes, of the source and
/// of
///                 memory. All without the tile's place.
Result<std::span<const std::byte>> fetch_tile(Worker& worker, const Slide& slide, const TileKey& key,
                                              const TileRef& ref, std::span<const ByteRange> next,
                                              uint64_t& packed_bytes);

}  // namespace microtome
