// Any bytes as a slide: it opens or is refused, and everything that an opened one can be asked has an answer.
#include "microtome/slide/slide.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "microtome/slide/text.h"

namespace {

using namespace microtome;

constexpr int64_t kMaxTilesAsked = 256;  // of one image, from both ends

void require(bool holds) {
  if (!holds) std::abort();
}

void ask_for_tile(const Slide& slide, int image, int64_t index) {
  const TileGrid& grid = slide.image(image);
  const int64_t col = index % grid.cols, row = index / grid.cols;
  const Rect shown = grid.shown(col, row);
  require(shown.w >= 1 && shown.h >= 1 && shown.w <= grid.tile.w && shown.h <= grid.tile.h);
  const auto tile = slide.tile(image, col, row);
  if (!tile.ok()) {
    require(!tile.error().message.empty());
    return;
  }
  if (!*tile) return;
  const TileRef& ref = **tile;
  require(ref.bytes.size > 0 && ref.bytes.offset <= slide.source().size() &&
          ref.bytes.size <= slide.source().size() - ref.bytes.offset);
  require(ref.format->size.w == grid.tile.w && ref.format->size.h >= shown.h);
}

void ask_everything(const Slide& slide) {
  require(!slide.levels().empty());
  for (const Level& level : slide.levels()) require(level.downsample_x >= 1 && level.downsample_y >= 1);
  for (const auto& [key, value] : slide.properties()) require(is_utf8(key) && is_utf8(value));
  require(is_utf8(slide.raw_description()));
  for (const AssociatedImage& image : slide.associated())
    require(slide.find_associated(image.name) == &image);
  for (int image = 0; image < slide.image_count(); ++image) {
    require(!slide.image_name(image).empty());
    const int64_t count = slide.image(image).cols * slide.image(image).rows;
    const int64_t asked = std::min(count, kMaxTilesAsked);
    for (int64_t i = 0; i < asked; ++i) {
      ask_for_tile(slide, image, i);
      ask_for_tile(slide, image, count - 1 - i);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  auto owner = std::make_shared<const std::vector<std::byte>>(
      reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
  const auto slide = Slide::open(make_memory_source({*owner, owner}));
  if (slide.ok())
    ask_everything(**slide);
  else
    require(slide.error().code == Errc::corrupt || slide.error().code == Errc::unsupported);
  return 0;
}
