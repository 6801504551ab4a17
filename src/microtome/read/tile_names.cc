#include "microtome/read/tile_names.h"

#include <iterator>

#include "microtome/base/fail.h"

namespace microtome {

std::string place_name(const Slide& slide, const TileKey& tile, const std::optional<ByteRange>& bytes) {
  std::string place =
      fmt::format("tile {},{} {}", tile.col, tile.row, slide.image_name(static_cast<int>(tile.image)));
  if (bytes) fmt::format_to(std::back_inserter(place), ", bytes {}+{}", bytes->offset, bytes->size);
  return place + fmt::format(", {}", slide.name());
}

bool forgivable(Errc code) noexcept {
  return code == Errc::corrupt || code == Errc::unsupported || code == Errc::io;
}

}  // namespace microtome
