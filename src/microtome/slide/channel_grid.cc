#include "microtome/slide/channel_grid.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/slide/grid.h"

namespace microtome {
namespace {

/// All that a decoder of one sample's tile is told.
bool same_coding(const TileFormat& a, const TileFormat& b) {
  return a.compression == b.compression && a.color == b.color && a.predictor == b.predictor &&
         a.type == b.type && a.samples == b.samples && a.bits == b.bits && a.planar == b.planar &&
         a.big_endian == b.big_endian && a.lsb_first == b.lsb_first && a.ycbcr == b.ycbcr &&
         a.size == b.size && std::ranges::equal(a.tables.data, b.tables.data);
}

bool alike(const TileGrid& a, const TileGrid& b) {
  return a.size == b.size && a.tile == b.tile && a.last_row_is_short == b.last_row_is_short &&
         same_coding(a.format, b.format);
}

std::string text(const TileGrid& grid) {
  return fmt::format("{}x{} {} in tiles of {}x{}, {}", grid.size.w, grid.size.h,
                     sample_name(grid.format.type), grid.tile.w, grid.tile.h,
                     compression_name(grid.format.compression));
}

}  // namespace

Result<std::unique_ptr<TileGrid>> make_channel_grid(std::span<const TiffPlane> planes) {
  MICROTOME_ASSIGN(auto grid, make_tiff_grid(*planes[0].directory, *planes[0].image));
  if (planes.size() == 1) return grid;
  TileFormat& format = grid->format;
  if (format.samples > 1 && !format.planar)
    return unsupported("{} channels of {} samples in each tile; one of the channels can be read at a time",
                       planes.size(), format.samples);
  std::vector<tiff::LazyArray> offsets, byte_counts;
  offsets.push_back(std::move(grid->offsets));
  byte_counts.push_back(std::move(grid->byte_counts));
  for (size_t i = 1; i < planes.size(); ++i) {
    MICROTOME_ASSIGN(auto other, make_tiff_grid(*planes[i].directory, *planes[i].image));
    if (!alike(*grid, *other))
      return unsupported("channel {} ({}) is kept otherwise than channel 0 ({})", i, text(*other),
                         text(*grid));
    offsets.push_back(std::move(other->offsets));
    byte_counts.push_back(std::move(other->byte_counts));
  }
  const auto samples = checked_cast<uint16_t>(planes.size() * format.samples);
  if (!samples) return unsupported("{} channels, expected at most {}", planes.size(), UINT16_MAX);
  const uint64_t each =
      static_cast<uint64_t>(grid->cols) * static_cast<uint64_t>(grid->rows) * uint64_t{format.samples};
  grid->offsets = tiff::LazyArray::joined(std::move(offsets), each);
  grid->byte_counts = tiff::LazyArray::joined(std::move(byte_counts), each);
  format.samples = *samples;
  format.planar = true;
  MICROTOME_TRY(check_grid(*grid));
  return grid;
}

}  // namespace microtome
