// Reading regions and associated images.
#include <string>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/c_api/handles.h"
#include "microtome/c_api/options.h"
#include "microtome/plan/region.h"
#include "microtome/runtime/runtime.h"

namespace microtome::c_api {
namespace {

/// Memory of the caller's, and how it is to be filled.
struct Destination {
  void* pixels;
  size_t size_bytes;
  microtome_read_options options;
};

/// `to` as an image of `size`. Errors: invalid_argument when it is too small.
Result<ImageView> to_view(const Destination& to, Size size, const TileFormat& format) {
  MICROTOME_TRY(check_pointer(to.pixels, "pixels"));
  if (size.empty())
    return invalid_argument("a region of {}x{} pixels, expected at least 1x1", size.w, size.h);
  const size_t pixel_bytes = format.samples * sample_bytes(format.type);
  const auto packed = checked_mul(static_cast<size_t>(size.w), pixel_bytes);
  const size_t stride = to.options.row_bytes == 0 && packed ? *packed : to.options.row_bytes;
  if (packed && stride < *packed)
    return invalid_argument("row_bytes is {}, expected at least {}: {} pixels of {} bytes", stride, *packed,
                            size.w, pixel_bytes);
  const auto before_last = checked_mul(static_cast<size_t>(size.h - 1), stride);
  const auto needed = before_last && packed ? checked_add(*before_last, *packed) : std::nullopt;
  if (!needed || *needed > to.size_bytes)
    return invalid_argument("size_bytes is {}, expected {}: {}x{} pixels of {} {} samples", to.size_bytes,
                            needed ? std::to_string(*needed) : "more than there is memory", size.w, size.h,
                            format.samples, sample_name(format.type));
  return ImageView{static_cast<std::byte*>(to.pixels), size, static_cast<int64_t>(stride), format.samples,
                   format.type};
}

Result<ReadOptions> to_read_options(const microtome_read_options& from, const TileFormat& format) {
  MICROTOME_TRY(check_reserved(from.reserved));
  ReadOptions options;
  MICROTOME_ASSIGN(options.workers, to_workers(from.workers));
  MICROTOME_ASSIGN(options.on_error, to_on_error(from.on_error));
  if (options.on_error == OnError::fill && from.report == nullptr)
    return invalid_argument("on_error is MICROTOME_FILL and report NULL: nothing is filled silently");
  MICROTOME_ASSIGN(options.fill, to_fill(from.fill, from.fill_count, format));
  return options;
}

/// Reads `region`, in pixels of image `image` itself.
Status read_image(const microtome_slide& slide, int image, Rect region, const Destination& to) {
  const TileFormat& format = slide.slide->image(image).format;
  MICROTOME_ASSIGN(const ImageView view, to_view(to, region.size(), format));
  MICROTOME_ASSIGN(const ReadOptions options, to_read_options(to.options, format));
  std::vector<RegionError> filled;
  MICROTOME_TRY(runtime().reader.read(slide.slide, image, region, view, options, &filled));
  for (const RegionError& each : filled) to.options.report(to.options.user, each.error.message.c_str());
  return ok_status();
}

Status read(const microtome_slide* slide, const microtome_region* region, const Destination& to) {
  MICROTOME_TRY(check_pointer(slide, "slide"));
  MICROTOME_TRY(check_pointer(region, "region"));
  const size_t levels = slide->slide->levels().size();
  if (region->level < 0 || static_cast<size_t>(region->level) >= levels)
    return out_of_range("level {}: {} has {} levels", region->level, slide->slide->name(), levels);
  const Point at = to_level(*slide->slide, region->level, {region->x, region->y});
  return read_image(*slide, region->level, {at.x, at.y, region->w, region->h}, to);
}

Status read_associated(const microtome_slide* slide, const char* name, const Destination& to) {
  MICROTOME_TRY(check_pointer(slide, "slide"));
  MICROTOME_TRY(check_pointer(name, "name"));
  const AssociatedImage* image = slide->slide->find_associated(name);
  if (image == nullptr) {
    std::string names;
    for (const AssociatedImage& each : slide->slide->associated())
      names += (names.empty() ? "" : ", ") + each.name;
    return not_found("no associated image \"{}\" in {}, which has {}", name, slide->slide->name(),
                     names.empty() ? "none" : names);
  }
  return read_image(*slide, image->image, {0, 0, image->size.w, image->size.h}, to);
}

microtome_read_options given(const microtome_read_options* options) noexcept {
  return options == nullptr ? microtome_read_options{} : *options;
}

}  // namespace
}  // namespace microtome::c_api

using namespace microtome;
using namespace microtome::c_api;

microtome_status microtome_read(const microtome_slide* slide, const microtome_region* region, void* pixels,
                                size_t size_bytes, const microtome_read_options* options,
                                microtome_error* error) {
  return guard(error, [&] { return c_api::read(slide, region, {pixels, size_bytes, given(options)}); });
}

microtome_status microtome_read_associated(const microtome_slide* slide, const char* name, void* pixels,
                                           size_t size_bytes, const microtome_read_options* options,
                                           microtome_error* error) {
  return guard(error, [&] { return read_associated(slide, name, {pixels, size_bytes, given(options)}); });
}
