// The geometry of a TileGrid, and what is refused.
//
// Called by the adapters, which fill grids, and by Slide::make, which believes none of them. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "microtome/base/error.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// Sides of images and tiles: anything that fits here can be multiplied once within int64.
inline constexpr int64_t kMaxSide = INT32_MAX;

/// What one tile may decode to at most, whatever limit the caller sets (OpenOptions::max_tile_bytes).
/// Decoders may therefore use int for a tile's sides and size_t for its bytes without checks.
inline constexpr uint64_t kLargestTileBytes = uint64_t{1} << 31;

/// What one tile of `grid` decodes to, whose geometry is set.
uint64_t tile_bytes(const TileGrid& grid) noexcept;

/// Both sides in 1 … kMaxSide. `what` begins the message: "image size". Errors: corrupt.
Status check_size(std::string_view what, Size size);

/// Sets size, tile, cols, rows and format.size of `grid`, whose format.samples and format.type are set.
/// Errors: corrupt for sizes that are not positive or absurd; unsupported for a tile beyond
/// kLargestTileBytes.
Status set_geometry(TileGrid& grid, Size image, Size tile);

/// Whether a filled grid is one: sizes as above, cols and rows that cover the image exactly once, arrays of
/// at least as many values. Errors: corrupt, unsupported.
Status check_grid(const TileGrid& grid);

}  // namespace microtome
