// Slides with known pixels, and loaders over them, for tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/io/byte_source.h"
#include "microtome/loader/loader.h"

namespace microtome {

/// Of most tests' slides.
inline constexpr Size kSmallTile{16, 16};

/// An uncompressed RGB slide in memory, and its levels' pixels as plain images to crop from.
class KnownSlide {
 public:
  using Levels = std::vector<std::pair<Size, Size>>;  ///< Sizes of image and tile.
  using Tile = std::tuple<int, int64_t, int64_t>;     ///< Level, column, row.
  static constexpr int64_t kSamples = 3;

  using Wrap = std::function<std::shared_ptr<const ByteSource>(std::shared_ptr<const ByteSource>)>;

  /// Tiles of `broken` lack their last byte, those of `absent` all their bytes. `wrap` puts a source of the
  /// test's own around the bytes.
  explicit KnownSlide(const Levels& levels, uint32_t seed = 1, const std::set<Tile>& broken = {},
                      const std::set<Tile>& absent = {}, const Wrap& wrap = {}) {
    auto file = std::make_shared<std::vector<std::byte>>();
    SlideIndex index;
    for (const auto& [size, tile] : levels) {
      make_image(size, seed++);
      index.levels.push_back(store(size, tile, broken, absent, *file));
    }
    auto source = make_memory_source({*file, file}, "known slide");
    if (wrap) source = wrap(std::move(source));
    auto made = Slide::make(std::move(source), "test", std::move(index));
    EXPECT_TRUE(made.ok()) << made.error().to_string();
    slide = *std::move(made);
  }

  /// What a read of the region gives: the image's pixels, `fill` outside and in absent tiles.
  std::vector<std::byte> crop(int level, Rect region, std::byte fill) const {
    const Size size = sizes_[static_cast<size_t>(level)];
    std::vector<std::byte> pixels(static_cast<size_t>(region.w * region.h * kSamples), fill);
    const int64_t begin = std::max<int64_t>(region.x, 0), end = std::min(region.x + region.w, size.w);
    if (begin >= end) return pixels;
    for (int64_t y = 0; y < region.h; ++y) {
      const int64_t from_y = region.y + y;
      if (from_y < 0 || from_y >= size.h) continue;
      const std::byte* from =
          images_[static_cast<size_t>(level)].data() + (from_y * size.w + begin) * kSamples;
      std::copy_n(from, (end - begin) * kSamples,
                  pixels.data() + (y * region.w + begin - region.x) * kSamples);
    }
    return pixels;
  }

  std::shared_ptr<const Slide> slide;

 private:
  void make_image(Size size, uint32_t seed) {
    std::vector<std::byte> image(static_cast<size_t>(size.w * size.h * kSamples));
    uint32_t state = seed;
    for (std::byte& sample : image) {
      state = state * 1664525 + 1013904223;
      sample = static_cast<std::byte>(state >> 24);
    }
    sizes_.push_back(size);
    images_.push_back(std::move(image));
  }

  std::unique_ptr<TileGrid> store(Size size, Size tile, const std::set<Tile>& broken,
                                  const std::set<Tile>& absent, std::vector<std::byte>& file) const {
    auto grid = std::make_unique<TileGrid>();
    grid->size = size;
    grid->tile = grid->format.size = tile;
    grid->cols = ceil_div(size.w, tile.w);
    grid->rows = ceil_div(size.h, tile.h);
    const int level = static_cast<int>(sizes_.size()) - 1;
    std::vector<uint64_t> offsets, counts;
    for (int64_t row = 0; row < grid->rows; ++row) {
      for (int64_t col = 0; col < grid->cols; ++col) {
        const auto bytes = crop(level, {col * tile.w, row * tile.h, tile.w, tile.h}, std::byte{0x5A});
        offsets.push_back(file.size());
        counts.push_back(
            absent.contains({level, col, row}) ? 0 : bytes.size() - broken.contains({level, col, row}));
        file.insert(file.end(), bytes.begin(), bytes.end());
      }
    }
    grid->offsets = tiff::LazyArray::of(std::move(offsets));
    grid->byte_counts = tiff::LazyArray::of(std::move(counts));
    return grid;
  }

  std::vector<Size> sizes_;
  std::vector<std::vector<std::byte>> images_;
};

/// Everything loaders need, none of it shared with other tests.
inline LoaderContext context_for_test(size_t cache_bytes = 0, size_t pool_bytes = 64u << 20) {
  return {std::make_shared<Executor>(), std::make_shared<TileCache>(cache_bytes),
          std::make_shared<WorkerPool>(), BufferPool::make(pool_bytes), std::make_shared<ReadCounters>()};
}

inline constexpr std::byte kFill{0xEE};

inline LoaderOptions options_for_test(Size size, int64_t batch_size, int workers) {
  LoaderOptions options;
  options.size = size;
  options.batch_size = batch_size;
  options.workers = workers;
  options.fill.assign(KnownSlide::kSamples, kFill);
  return options;
}

inline std::vector<int64_t> in_order(size_t count) {
  std::vector<int64_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<int64_t>(i);
  return order;
}

inline std::unique_ptr<Loader> open_loader(const LoaderContext& context,
                                           std::vector<std::shared_ptr<const Slide>> slides,
                                           std::vector<Patch> patches, std::vector<int64_t> order,
                                           LoaderOptions options) {
  auto loader =
      Loader::open(context, std::move(slides), std::make_shared<const std::vector<Patch>>(std::move(patches)),
                   std::move(order), std::move(options));
  EXPECT_TRUE(loader.ok()) << loader.error().to_string();
  return *std::move(loader);
}

/// The next batch, which must be there.
inline Batch take(Loader& loader) {
  auto batch = loader.next();
  EXPECT_TRUE(batch.ok()) << batch.error().to_string();
  EXPECT_TRUE(batch->has_value());
  return **std::move(batch);
}

inline std::span<const std::byte> row_of(const Batch& batch, size_t row) {
  const size_t bytes = batch.pixels.buffer->size() / batch.indices.size();
  return std::span(batch.pixels.data(), batch.pixels.buffer->size()).subspan(row * bytes, bytes);
}

/// A grid over a level, shifted by half a tile, that reaches beyond every side.
inline std::vector<Patch> half_offset_grid(Size image, Size tile) {
  std::vector<Patch> patches;
  for (int64_t y = -tile.h / 2; y < image.h; y += tile.h)
    for (int64_t x = -tile.w / 2; x < image.w; x += tile.w) patches.push_back({0, 0, x, y});
  return patches;
}

}  // namespace microtome
