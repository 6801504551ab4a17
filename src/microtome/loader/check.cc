#include "microtome/loader/check.h"

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {

Status check_options(const LoaderOptions& options) {
  if (options.size.empty())
    return invalid_argument("patches of {}x{} pixels, expected at least 1x1", options.size.w, options.size.h);
  if (options.batch_size < 1)
    return invalid_argument("batch_size is {}, expected at least 1", options.batch_size);
  if (options.prefetch < 0) return invalid_argument("prefetch is {}, expected 0 or more", options.prefetch);
  if (options.workers < 0) return invalid_argument("workers is {}, expected 0 or more", options.workers);
  return ok_status();
}

Status check_order(std::span<const int64_t> order, size_t patch_count) {
  for (const int64_t position : order) {
    if (position < 0 || static_cast<uint64_t>(position) >= patch_count)
      return out_of_range("the order names patch {} of {}", position, patch_count);
  }
  return ok_status();
}

Status check_fill(std::span<const std::byte> fill, const PixelKind& pixel) {
  if (fill.size() == pixel.bytes()) return ok_status();
  return invalid_argument("fill is {} bytes, expected {}: one pixel of {} {} samples", fill.size(),
                          pixel.bytes(), pixel.samples, sample_name(pixel.type));
}

Result<PixelKind> check_patches(std::span<const std::shared_ptr<const Slide>> slides,
                                std::span<const Patch> patches, Size size) {
  PixelKind first;
  std::vector<std::vector<bool>> known(slides.size());  // levels whose pixels have been looked at
  for (size_t i = 0; i < patches.size(); ++i) {
    const Patch& patch = patches[i];
    if (patch.slide >= slides.size())
      return out_of_range("patch {} is of slide {}; there are {} slides", i, patch.slide, slides.size());
    const Slide& slide = *slides[patch.slide];
    const size_t levels = slide.levels().size();
    if (patch.level >= levels)
      return out_of_range("patch {} is of level {}; {} has {} levels", i, patch.level, slide.name(), levels);
    if (!checked_add(patch.x, size.w) || !checked_add(patch.y, size.h))
      return invalid_argument("patch {} of {}x{} pixels at {},{} passes 64-bit coordinates", i, size.w,
                              size.h, patch.x, patch.y);
    std::vector<bool>& looked_at = known[patch.slide];
    if (looked_at.empty()) looked_at.resize(levels);
    if (looked_at[patch.level]) continue;
    looked_at[patch.level] = true;
    const TileFormat& format = slide.image(patch.level).format;
    const PixelKind kind{format.samples, format.type};
    if (i == 0) first = kind;
    if (kind != first)
      return invalid_argument("{} of {} has {} {} samples, expected {} {} as patch 0",
                              slide.image_name(patch.level), slide.name(), kind.samples,
                              sample_name(kind.type), first.samples, sample_name(first.type));
  }
  return first;
}

}  // namespace microtome
