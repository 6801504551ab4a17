// How much memory a pipeline takes, from what it is to read.
//
// Asked by the loader and by single reads before they make one. Pure arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/read/gpu/pipeline.h"
#include "microtome/slide/slide.h"

namespace microtome::gpu {

/// What the reads of one pipeline may need; grows with each kind of image they are of.
struct PipelineNeed {
  size_t largest_slot = 0;     ///< Of one tile.
  size_t region_bytes = 0;     ///< Of the slots of one region's tiles, none of them shared.
  size_t constants_bytes = 0;  ///< Of a read.

  /// Regions of `size` are read of image `number` of `slide`.
  void add(const Slide& slide, int number, Size size) noexcept;
  /// A slab must have this much.
  size_t least_slab() const noexcept;
};

/// Of `regions` together in one read, `reads` of these, as many as `ahead` at once, within `limit_bytes` of
/// the device. Errors: invalid_argument, `limit_bytes` is less than two slabs.
Result<PipelineSizes> choose_sizes(const PipelineNeed& need, uint64_t regions, uint64_t reads, uint64_t ahead,
                                   size_t limit_bytes);

/// What a pipeline may take of a device unless it is told: 2 GiB, or a tenth of what is free. Errors: the
/// device's.
Result<size_t> default_limit(const cuda::Device& device);

}  // namespace microtome::gpu
