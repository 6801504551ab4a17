#include "microtome/slide/grid.h"

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {
namespace {

Status check_tile_bytes(Size tile, const TileFormat& format) {
  if (format.samples == 0) return corrupt("0 samples per pixel, expected at least 1");
  const auto bytes = checked_mul(static_cast<uint64_t>(tile.w), static_cast<uint64_t>(tile.h),
                                 uint64_t{format.samples}, uint64_t{sample_bytes(format.type)});
  if (!bytes || *bytes > kLargestTileBytes)
    return unsupported("a tile of {}x{} pixels of {} {} samples; a tile may decode to at most {} bytes",
                       tile.w, tile.h, format.samples, sample_name(format.type), kLargestTileBytes);
  return ok_status();
}

/// Tiles in the arrays: with planar samples, every sample has a set of its own.
uint64_t tile_count(const TileGrid& grid) noexcept {
  const auto planes = grid.format.planar ? uint64_t{grid.format.samples} : uint64_t{1};
  return checked_mul(static_cast<uint64_t>(grid.cols), static_cast<uint64_t>(grid.rows), planes)
      .value_or(UINT64_MAX);
}

}  // namespace

uint64_t tile_bytes(const TileGrid& grid) noexcept {
  return static_cast<uint64_t>(grid.tile.w) * static_cast<uint64_t>(grid.tile.h) * grid.format.samples *
         sample_bytes(grid.format.type);
}

Status check_size(std::string_view what, Size size) {
  if (size.w < 1 || size.h < 1 || size.w > kMaxSide || size.h > kMaxSide)
    return corrupt("{} {}x{}, expected 1 to {} each way", what, size.w, size.h, kMaxSide);
  return ok_status();
}

Status set_geometry(TileGrid& grid, Size image, Size tile) {
  MICROTOME_TRY(check_size("image size", image));
  MICROTOME_TRY(check_size("tile size", tile));
  MICROTOME_TRY(check_tile_bytes(tile, grid.format));
  grid.size = image;
  grid.tile = tile;
  grid.cols = ceil_div(image.w, tile.w);
  grid.rows = ceil_div(image.h, tile.h);
  grid.format.size = tile;
  return ok_status();
}

Status check_grid(const TileGrid& grid) {
  MICROTOME_TRY(check_size("image size", grid.size));
  MICROTOME_TRY(check_size("tile size", grid.tile));
  MICROTOME_TRY(check_tile_bytes(grid.tile, grid.format));
  const int64_t cols = ceil_div(grid.size.w, grid.tile.w), rows = ceil_div(grid.size.h, grid.tile.h);
  if (grid.cols != cols || grid.rows != rows)
    return corrupt("{}x{} tiles, expected {}x{} for {}x{} pixels in tiles of {}x{}", grid.cols, grid.rows,
                   cols, rows, grid.size.w, grid.size.h, grid.tile.w, grid.tile.h);
  if (grid.format.size != grid.tile)
    return corrupt("tiles are encoded as {}x{}, expected {}x{}", grid.format.size.w, grid.format.size.h,
                   grid.tile.w, grid.tile.h);
  const uint64_t tiles = tile_count(grid);
  if (grid.offsets.size() < tiles) return corrupt("{} tile offsets, expected {}", grid.offsets.size(), tiles);
  if (grid.byte_counts.size() < tiles)
    return corrupt("{} tile byte counts, expected {}", grid.byte_counts.size(), tiles);
  return ok_status();
}

Rect TileGrid::shown(int64_t col, int64_t row) const noexcept {
  return {0, 0, std::min(tile.w, size.w - col * tile.w), std::min(tile.h, size.h - row * tile.h)};
}

}  // namespace microtome
