// Prints the mean colour of each patch of a grid, decoded in batches while this thread adds up.
//
//     patch_colours slide.svs SIZE [LEVEL]
//
// One line a patch: its level-0 x and y, and its mean red, green and blue.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <microtome/microtome.hpp>
#include <vector>

namespace {

/// Locations, in level-0 pixels, of patches of `side` pixels of the level that lie wholly inside the slide.
std::vector<microtome_patch> grid(const microtome::Slide& slide, int64_t side, int32_t level) {
  const microtome_level_info info = slide.level(level);
  std::vector<microtome_patch> patches;
  for (int64_t y = 0; y + side <= info.h; y += side)
    for (int64_t x = 0; x + side <= info.w; x += side)
      patches.push_back({std::llround(static_cast<double>(x) * info.downsample_x),
                         std::llround(static_cast<double>(y) * info.downsample_y), 0});
  return patches;
}

std::array<double, 3> mean_colour(const uint8_t* patch, int64_t pixels) {
  std::array<double, 3> sums{};
  for (int64_t i = 0; i < pixels; ++i)
    for (size_t c = 0; c < 3; ++c) sums[c] += patch[3 * i + static_cast<int64_t>(c)];
  for (double& sum : sums) sum /= static_cast<double>(pixels);
  return sums;
}

void print_colours(const char* path, int64_t side, int32_t level) {
  const microtome::Slide slide(path);
  const std::vector<microtome_patch> patches = grid(slide, side, level);
  microtome_loader_options options{};
  options.w = options.h = side;
  options.level = level;
  options.batch_size = 32;
  microtome::Loader loader(slide, patches, options);
  while (const auto batch = loader.next()) {
    for (int64_t row = 0; row < batch->count(); ++row) {
      const auto [red, green, blue] = mean_colour(batch->patch(row), side * side);
      const microtome_patch& patch = patches[static_cast<size_t>(batch->index(row))];
      std::printf("%lld %lld %.3f %.3f %.3f\n", static_cast<long long>(patch.x),
                  static_cast<long long>(patch.y), red, green, blue);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t side = argc == 3 || argc == 4 ? std::atoll(argv[2]) : 0;
  if (side < 1) {
    std::fprintf(stderr, "usage: %s SLIDE SIZE [LEVEL], with a SIZE of at least 1\n", argv[0]);
    return 1;
  }
  try {
    print_colours(argv[1], side, argc == 4 ? std::atoi(argv[3]) : 0);
  } catch (const microtome::Error& error) {
    std::fprintf(stderr, "%s: %s\n", microtome_status_name(error.status()), error.what());
    return 1;
  }
  return 0;
}
