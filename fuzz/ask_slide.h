// What every fuzz target of slides does with one that opened: everything it can be asked has an answer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "microtome/slide/slide.h"
#include "microtome/slide/text.h"

namespace microtome::fuzz {

inline constexpr int64_t kMaxTilesAsked = 256;  // of one image, from both ends

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void ask_for_tile(const Slide& slide, int image, int64_t index) {
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

inline void ask_everything(const Slide& slide) {
  require(!slide.levels().empty());
  for (const Level& level : slide.levels()) require(level.downsample_x >= 1 && level.downsample_y >= 1);
  for (const auto& [key, value] : slide.properties()) require(is_utf8(key) && is_utf8(value));
  require(is_utf8(slide.raw_description()));
  require(slide.channels().empty() || slide.channels().size() == slide.image(0).format.samples);
  for (const Channel& channel : slide.channels()) require(is_utf8(channel.name));
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

/// Opens any bytes as a slide, and each of its first images.
inline void open_and_ask(const std::shared_ptr<const ByteSource>& source) {
  constexpr size_t kMaxImages = 4;
  for (size_t image = 0; image < kMaxImages; ++image) {
    const auto slide = Slide::open(source, {.image = image});
    if (!slide.ok()) {
      const Errc code = slide.error().code;
      require(code == Errc::corrupt || code == Errc::unsupported ||
              (image > 0 && code == Errc::out_of_range));
      return;
    }
    ask_everything(**slide);
  }
}

}  // namespace microtome::fuzz
