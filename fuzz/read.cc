// Any bytes as a slide whose pixels are read: every image of the file, as stored and as RGB, at its corners,
// with whatever layout, codec and samples its directories claim. What is refused is refused with an error of
// the kinds that files can cause; memory stays bounded by the limit that is set.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "microtome/read/reader.h"
#include "microtome/slide/slide.h"

namespace {

using namespace microtome;

constexpr uint64_t kMaxTileBytes = 1 << 20;
constexpr size_t kMaxImages = 4;
constexpr int kMaxGrids = 8;

void require(bool holds) {
  if (!holds) std::abort();
}

Reader& reader() {
  static Reader reader(std::make_shared<Executor>(), std::make_shared<TileCache>(0),
                       std::make_shared<WorkerPool>(), BufferPool::make(0), std::make_shared<ReadCounters>());
  return reader;
}

void read_part(const std::shared_ptr<const Slide>& slide, int image, const Rect& region) {
  const TileFormat& format = slide->image(image).format;
  ImageView view{nullptr, region.size(), 0, format.samples, format.type};
  view.row_stride = static_cast<int64_t>(view.row_bytes());
  std::vector<std::byte> pixels(view.row_bytes() * static_cast<size_t>(region.h));
  view.data = pixels.data();
  ReadOptions options;
  options.fill.assign(view.pixel_bytes(), std::byte{0});
  const Status status = reader().read(slide, image, region, view, options, nullptr);
  if (status.ok()) return;
  const Errc code = status.error().code;
  require(code == Errc::corrupt || code == Errc::unsupported || code == Errc::out_of_memory);
}

void read_corners(const std::shared_ptr<const Slide>& slide) {
  for (int image = 0; image < std::min(slide->image_count(), kMaxGrids); ++image) {
    const TileGrid& grid = slide->image(image);
    if (grid.format.samples > 16) continue;
    const int64_t w = std::min<int64_t>(grid.size.w, 40), h = std::min<int64_t>(grid.size.h, 40);
    read_part(slide, image, {0, 0, w, h});
    read_part(slide, image, {grid.size.w - w, grid.size.h - h, w + 1, h + 1});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  auto owner = std::make_shared<const std::vector<std::byte>>(
      reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
  size_t images = 1;
  for (size_t image = 0; image < std::min(images, kMaxImages); ++image) {
    for (const Channels channels : {Channels::stored, Channels::rgb}) {
      const auto slide = Slide::open(make_memory_source({*owner, owner}),
                                     {.image = image, .channels = channels, .max_tile_bytes = kMaxTileBytes});
      if (!slide.ok()) {
        require(slide.error().code == Errc::corrupt || slide.error().code == Errc::unsupported);
        continue;
      }
      images = (*slide)->file_images().size();
      read_corners(*slide);
    }
  }
  return 0;
}
