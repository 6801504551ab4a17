#include <array>
#include <numeric>

#include "count/jobs.h"

namespace count {
namespace {

using microtome::Loader;
using microtome::Patch;
using microtome::Size;

struct Loading {
  Loading(const std::string& path, Size size) : slide(open_in_memory(path)), context(make_context(0)) {
    options.size = size;
    options.batch_size = 8;
    options.workers = 0;
    options.fill = white();
  }

  void add_grid(int64_t step, int64_t start) {
    const Size level = slide->levels()[0].size;
    for (int64_t y = start; y + options.size.h <= level.h; y += step) {
      for (int64_t x = start; x + options.size.w <= level.w; x += step) patches->push_back({0, 0, x, y});
    }
  }

  void load() {
    std::vector<int64_t> order(patches->size());
    std::iota(order.begin(), order.end(), 0);
    auto loader = must(Loader::open(context, {slide}, patches, std::move(order), options));
    while (must(loader->next())) {
    }
  }

  std::shared_ptr<const microtome::Slide> slide;
  microtome::LoaderContext context;
  microtome::LoaderOptions options;
  std::shared_ptr<std::vector<Patch>> patches = std::make_shared<std::vector<Patch>>();
};

/// A patch a tile.
Run grid_aligned(const std::string& path) {
  auto loading = std::make_shared<Loading>(path, Size{128, 128});
  loading->add_grid(128, 0);
  return [loading] { loading->load(); };
}

/// Each patch across four tiles, each tile in up to four patches and two batches.
Run grid_half(const std::string& path) {
  auto loading = std::make_shared<Loading>(path, Size{128, 128});
  loading->add_grid(128, 64);
  return [loading] { loading->load(); };
}

/// One small patch in every other tile, at places that a fixed rule scatters: parts of tiles that nothing
/// else wants.
Run random_sparse(const std::string& path) {
  auto loading = std::make_shared<Loading>(path, Size{96, 80});
  uint32_t state = 1;
  const auto random_below = [&state](uint32_t limit) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int64_t>((state >> 16) % limit);
  };
  for (int64_t tile = 0; tile < 12; tile += 2) {
    const int64_t col = tile % 4, row = tile / 4;
    loading->patches->push_back({0, 0, col * 256 + random_below(160), row * 256 + random_below(176)});
  }
  return [loading] { loading->load(); };
}

constexpr std::array kJobs{
    JobKind{"grid-aligned", "generic-jpeg-420.tif", grid_aligned},
    JobKind{"grid-half", "generic-jpeg-420.tif", grid_half},
    JobKind{"random-sparse", "aperio-jpeg-420.svs", random_sparse},
};

}  // namespace

std::span<const JobKind> patch_jobs() {
  return kJobs;
}

}  // namespace count
