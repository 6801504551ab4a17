// Slides of JPEG tiles in memory, and a loader's batches on the device against the CPU's, for tests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "microtome/base/pixels.h"
#include "microtome/io/byte_source.h"
#include "microtome/slide/slide.h"
#include "tests/fake_cuda/jpeg_for_test.h"

namespace microtome::test {

struct JpegSlideOptions {
  Size size{500, 300};
  JpegKind kind;
  Color color = Color::ycbcr;
  bool abbreviated = true;  ///< Tables apart.
  /// Changes tile `number`'s bytes.
  std::function<void(size_t number, std::vector<std::byte>& packed)> change;
  /// What tile `number` is coded as, if not as `kind`.
  std::function<JpegKind(size_t number)> kinds;
};

/// A slide whose tile `number` has the bytes that `tile` gives. `format.size` is a tile's.
inline std::shared_ptr<const Slide> make_slide_of_tiles(
    Size size, const TileFormat& format, const std::function<std::vector<std::byte>(size_t)>& tile) {
  auto file = std::make_shared<std::vector<std::byte>>();
  auto grid = std::make_unique<TileGrid>();
  grid->size = size;
  grid->tile = format.size;
  grid->format = format;
  grid->cols = (size.w + format.size.w - 1) / format.size.w;
  grid->rows = (size.h + format.size.h - 1) / format.size.h;
  std::vector<uint64_t> offsets, counts;
  for (size_t i = 0; i < static_cast<size_t>(grid->cols * grid->rows); ++i) {
    const std::vector<std::byte> packed = tile(i);
    offsets.push_back(file->size());
    counts.push_back(packed.size());
    file->insert(file->end(), packed.begin(), packed.end());
  }
  grid->offsets = tiff::LazyArray::of(std::move(offsets));
  grid->byte_counts = tiff::LazyArray::of(std::move(counts));
  SlideIndex index;
  index.levels.push_back(std::move(grid));
  return Slide::make(make_memory_source({*file, file}, "made slide"), "test", std::move(index)).value();
}

inline std::shared_ptr<const Slide> make_jpeg_slide(const JpegSlideOptions& options) {
  TileFormat format;
  format.size = options.kind.size;
  format.compression = Compression::jpeg;
  format.color = options.kind.components == 1 ? Color::black_is_zero : options.color;
  format.samples = static_cast<uint16_t>(options.kind.components);
  if (options.abbreviated) {
    auto tables = std::make_shared<std::vector<std::byte>>(encode_jpeg_tables(options.kind));
    format.tables = {*tables, tables};
  }
  return make_slide_of_tiles(options.size, format, [&](size_t i) {
    const JpegKind kind = options.kinds ? options.kinds(i) : options.kind;
    const auto seed = static_cast<uint32_t>(i);
    auto packed =
        options.abbreviated && !options.kinds ? encode_jpeg_abbreviated(kind, seed) : encode_jpeg(kind, seed);
    if (options.change) options.change(i, packed);
    return packed;
  });
}

}  // namespace microtome::test
