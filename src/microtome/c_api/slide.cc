// microtome_slide: opening, and what a slide says about itself.
#include <algorithm>
#include <cstring>

#include "microtome/base/fail.h"
#include "microtome/c_api/handles.h"
#include "microtome/c_api/options.h"
#include "microtome/io/byte_source.h"

namespace microtome::c_api {
namespace {

Status open(const char* path, microtome_slide** slide) {
  MICROTOME_TRY(check_pointer(path, "path"));
  MICROTOME_TRY(check_pointer(slide, "slide"));
  MICROTOME_ASSIGN(std::shared_ptr<const ByteSource> source, open_file(path));
  auto handle = std::make_unique<microtome_slide>();
  MICROTOME_ASSIGN(handle->slide, Slide::open(std::move(source)));
  for (const auto& [name, value] : handle->slide->properties())
    handle->properties.emplace_back(name.c_str(), value.c_str());
  *slide = handle.release();
  return ok_status();
}

Status describe_level(const microtome_slide* slide, int32_t number, microtome_level_info* info) {
  MICROTOME_TRY(check_pointer(slide, "slide"));
  MICROTOME_TRY(check_pointer(info, "info"));
  const std::span<const Level> levels = slide->slide->levels();
  if (number < 0 || static_cast<size_t>(number) >= levels.size())
    return out_of_range("level {}: {} has {} levels", number, slide->slide->name(), levels.size());
  const Level& level = levels[static_cast<size_t>(number)];
  const TileFormat& format = slide->slide->image(number).format;
  *info = {};
  info->w = level.size.w;
  info->h = level.size.h;
  info->tile_w = level.tile.w;
  info->tile_h = level.tile.h;
  info->downsample_x = level.downsample_x;
  info->downsample_y = level.downsample_y;
  if (level.mpp) {
    info->mpp_x = level.mpp->x;
    info->mpp_y = level.mpp->y;
  }
  info->channels = format.samples;
  info->sample = to_sample(format.type);
  return ok_status();
}

Status describe_associated(const microtome_slide* slide, int32_t index, microtome_associated_info* info) {
  MICROTOME_TRY(check_pointer(slide, "slide"));
  MICROTOME_TRY(check_pointer(info, "info"));
  const std::span<const AssociatedImage> all = slide->slide->associated();
  if (index < 0 || static_cast<size_t>(index) >= all.size())
    return out_of_range("associated image {}: {} has {}", index, slide->slide->name(), all.size());
  const AssociatedImage& image = all[static_cast<size_t>(index)];
  const TileFormat& format = slide->slide->image(image.image).format;
  *info = {};
  info->name = image.name.c_str();
  info->w = image.size.w;
  info->h = image.size.h;
  info->channels = format.samples;
  info->sample = to_sample(format.type);
  return ok_status();
}

}  // namespace
}  // namespace microtome::c_api

using namespace microtome;
using namespace microtome::c_api;

microtome_status microtome_open(const char* path, microtome_slide** slide, microtome_error* error) {
  return guard(error, [&] { return c_api::open(path, slide); });
}

void microtome_close(microtome_slide* slide) {
  delete slide;
}

// A view of a std::string of the slide's: it ends in NUL.
const char* microtome_format(const microtome_slide* slide) {
  return slide == nullptr ? nullptr : slide->slide->format().data();
}

int32_t microtome_level_count(const microtome_slide* slide) {
  return slide == nullptr ? 0 : static_cast<int32_t>(slide->slide->levels().size());
}

microtome_status microtome_level(const microtome_slide* slide, int32_t level, microtome_level_info* info,
                                 microtome_error* error) {
  return guard(error, [&] { return describe_level(slide, level, info); });
}

double microtome_objective_power(const microtome_slide* slide) {
  return slide == nullptr ? 0 : slide->slide->objective_power().value_or(0);
}

size_t microtome_property_count(const microtome_slide* slide) {
  return slide == nullptr ? 0 : slide->properties.size();
}

const char* microtome_property_name(const microtome_slide* slide, size_t index) {
  return index < microtome_property_count(slide) ? slide->properties[index].first : nullptr;
}

const char* microtome_property(const microtome_slide* slide, const char* name) {
  if (slide == nullptr || name == nullptr) return nullptr;
  const auto found = std::lower_bound(
      slide->properties.begin(), slide->properties.end(), name,
      [](const auto& property, const char* wanted) { return std::strcmp(property.first, wanted) < 0; });
  return found != slide->properties.end() && std::strcmp(found->first, name) == 0 ? found->second : nullptr;
}

const void* microtome_icc_profile(const microtome_slide* slide, size_t* size) {
  const bool has = slide != nullptr && slide->slide->icc_profile().has_value();
  const std::span<const std::byte> data =
      has ? slide->slide->icc_profile()->data : std::span<const std::byte>();
  if (size != nullptr) *size = data.size();
  return has ? data.data() : nullptr;
}

int32_t microtome_associated_count(const microtome_slide* slide) {
  return slide == nullptr ? 0 : static_cast<int32_t>(slide->slide->associated().size());
}

microtome_status microtome_associated(const microtome_slide* slide, int32_t index,
                                      microtome_associated_info* info, microtome_error* error) {
  return guard(error, [&] { return describe_associated(slide, index, info); });
}
