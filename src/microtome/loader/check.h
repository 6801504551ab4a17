// What Loader::open refuses.
//
// Called by it alone. A million patches are checked in a few milliseconds; nothing is planned or read. Pure
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/loader/loader.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// What the pixels of all of a loader's patches are.
struct PixelKind {
  uint16_t samples = 0;
  SampleType type = SampleType::u8;
  bool operator==(const PixelKind&) const = default;
  size_t bytes() const noexcept { return samples * sample_bytes(type); }
};

Status check_options(const LoaderOptions& options);
Status check_order(std::span<const int64_t> order, size_t patch_count);
Status check_fill(std::span<const std::byte> fill, const PixelKind& pixel);

/// The one kind that all patches' levels have; of no samples where there are no patches.
Result<PixelKind> check_patches(std::span<const std::shared_ptr<const Slide>> slides,
                                std::span<const Patch> patches, Size size);

}  // namespace microtome
