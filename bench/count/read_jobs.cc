#include <array>

#include "count/jobs.h"

namespace count {
namespace {

using microtome::ImageView;
using microtome::Rect;
using microtome::Size;

struct Reading {
  explicit Reading(const std::string& path, size_t cache_bytes = 0)
      : slide(open_in_memory(path)), context(make_context(cache_bytes)) {
    options.fill = white();
  }

  void read(const Rect& region, std::vector<std::byte>& to) {
    const ImageView view{to.data(), region.size(), region.w * 3, 3, microtome::SampleType::u8};
    reader.read(slide, 0, region, view, options, nullptr).value();
  }

  std::shared_ptr<const microtome::Slide> slide;
  microtome::LoaderContext context;
  microtome::Reader reader{context.executor, context.cache, context.workers, context.buffers,
                           context.counters};
  microtome::ReadOptions options;
};

/// The whole of level 0 into memory that stays.
Run whole_level(const std::string& path) {
  auto reading = std::make_shared<Reading>(path);
  const Size size = reading->slide->levels()[0].size;
  auto level = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(size.w * size.h * 3));
  return [reading, level, size] { reading->read({0, 0, size.w, size.h}, *level); };
}

/// 64 tiles of level 0, of seven kinds: what is stored once and pointed at again and again.
Run identical_tiles(const std::string& path) {
  auto reading = std::make_shared<Reading>(path);
  const int64_t side = 8 * reading->slide->levels()[0].tile.w;
  auto pixels = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(side * side * 3));
  return [reading, pixels, side] { reading->read({0, 0, side, side}, *pixels); };
}

/// 200 reads across four tiles, all of them cached.
Run cached(const std::string& path) {
  auto reading = std::make_shared<Reading>(path, 64u << 20);
  auto patch = std::make_shared<std::vector<std::byte>>(64 * 64 * 3);
  return [reading, patch] {
    for (int64_t i = 0; i < 200; ++i) reading->read({96 + i % 50, 96 + i % 40, 64, 64}, *patch);
  };
}

constexpr std::array kJobs{
    JobKind{"level-jpeg-420", "aperio-jpeg-420.svs", whole_level},
    JobKind{"level-j2k-33003", "aperio-j2k-33003.svs", whole_level},
    JobKind{"level-j2k-33005", "aperio-j2k-33005.svs", whole_level},
    JobKind{"level-jpeg-blank", "E.tif", whole_level},
    JobKind{"identical-tiles", "many-tiles.tif", identical_tiles},
    JobKind{"level-deflate-predictor", "generic-deflate-predictor.tif", whole_level},
    JobKind{"tile-cache-hits", "generic-jpeg-420.tif", cached},
};

}  // namespace

std::span<const JobKind> read_jobs() {
  return kJobs;
}

}  // namespace count
