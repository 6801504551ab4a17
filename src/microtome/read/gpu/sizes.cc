#include "microtome/read/gpu/sizes.h"

#include <algorithm>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/read/gpu/decode_tile.h"

namespace microtome::gpu {
namespace {

// More than this in one copy gains nothing.
constexpr size_t kLargestSlab = size_t{32} << 20;
constexpr size_t kSmallestSlab = size_t{1} << 20;
constexpr uint64_t kMostStagedSlabs = 3;
constexpr size_t kFew = 2;
constexpr size_t kTooMuch = size_t{1} << 60;

size_t times(size_t a, uint64_t b) noexcept {
  return std::min(checked_mul(a, static_cast<size_t>(b)).value_or(kTooMuch), kTooMuch);
}

size_t aligned(size_t bytes) noexcept {
  constexpr size_t kStep = 4096;
  return (bytes + kStep - 1) / kStep * kStep;
}

/// Tiles of `tile` pixels that a stretch of `length` may touch.
int64_t touched(int64_t length, int64_t tile) noexcept {
  return (length - 1) / tile + 2;
}

}  // namespace

void PipelineNeed::add(const Slide& slide, int number, Size size) noexcept {
  const TileGrid& grid = slide.image(number);
  Size slot = grid.tile;
  if (pixel_slot_bytes(grid.format, slot) > kLargestWholeSlot)
    slot = {std::min(slot.w, size.w), std::min(slot.h, size.h)};
  const size_t pixels = pixel_slot_bytes(grid.format, slot);
  const size_t bytes = std::min(pixels + pixels / 4 + SlabRing::kAlign, kTooMuch);  // as slot_bytes() may be
  const auto across = static_cast<uint64_t>(std::min(touched(size.w, grid.tile.w), grid.cols)),
             down = static_cast<uint64_t>(std::min(touched(size.h, grid.tile.h), grid.rows));
  largest_slot = std::max(largest_slot, bytes);
  region_bytes = std::max(region_bytes, times(times(bytes, across), down));
  constants_bytes = std::max(constants_bytes, most_constants_bytes(grid.format.samples));
}

size_t PipelineNeed::least_slab() const noexcept {
  return aligned(largest_slot + step_overhead(constants_bytes));
}

Result<PipelineSizes> choose_sizes(const PipelineNeed& need, uint64_t regions, uint64_t reads, uint64_t ahead,
                                   size_t limit_bytes) {
  const size_t least = need.least_slab();
  if (limit_bytes / kFew < least)
    return invalid_argument(
        "device_memory_limit is {} bytes, expected {} at least: two tiles, and what goes with "
        "each",
        limit_bytes, kFew * least);
  const size_t read =
      std::min(times(need.region_bytes, regions), kLargestSlab) + step_overhead(need.constants_bytes);
  PipelineSizes sizes;
  sizes.slab_bytes = std::max({least, std::min(aligned(read), aligned(limit_bytes / 8)), kSmallestSlab});
  if (sizes.slab_bytes > limit_bytes / kFew) sizes.slab_bytes = least;
  // No more than all reads together can fill.
  const size_t all =
      times(times(need.region_bytes, regions) + 2 * step_overhead(need.constants_bytes), reads);
  sizes.slabs = std::clamp<size_t>(limit_bytes / sizes.slab_bytes, kFew, all / sizes.slab_bytes + kFew);
  sizes.staging_bytes =
      sizes.slab_bytes * static_cast<size_t>(std::clamp<uint64_t>(ahead, 1, kMostStagedSlabs));
  return sizes;
}

Result<size_t> default_limit(const cuda::Device& device) {
  constexpr size_t kMost = size_t{2} << 30, kShare = 10;
  MICROTOME_ASSIGN(const cuda::MemoryInfo memory, device.memory());
  return std::min(kMost, memory.free_bytes / kShare);
}

}  // namespace microtome::gpu
