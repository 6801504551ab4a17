// Loaders and batches.
#include "microtome/loader/loader.h"

#include <limits>
#include <optional>
#include <span>

#include "microtome/base/fail.h"
#include "microtome/c_api/handles.h"
#include "microtome/c_api/options.h"
#include "microtome/loader/order.h"
#include "microtome/plan/region.h"
#include "microtome/runtime/runtime.h"

namespace microtome::c_api {
namespace {

constexpr int64_t kBatchSize = 64, kPrefetch = 2;

/// The slides themselves. Errors: invalid_argument, out_of_range where one lacks the level.
Result<std::vector<std::shared_ptr<const Slide>>> to_slides(std::span<const microtome_slide* const> handles,
                                                            int32_t level) {
  std::vector<std::shared_ptr<const Slide>> slides;
  for (size_t i = 0; i < handles.size(); ++i) {
    if (handles[i] == nullptr) return invalid_argument("slides[{}] is NULL", i);
    const Slide& slide = *handles[i]->slide;
    if (level < 0 || static_cast<size_t>(level) >= slide.levels().size())
      return out_of_range("level {}: {} has {} levels", level, slide.name(), slide.levels().size());
    slides.push_back(handles[i]->slide);
  }
  if (slides.empty()) return invalid_argument("slide_count is 0, expected at least 1");
  return slides;
}

Result<std::shared_ptr<const std::vector<Patch>>> to_patches(
    std::span<const std::shared_ptr<const Slide>> slides, std::span<const microtome_patch> patches,
    int32_t level) {
  auto list = std::make_shared<std::vector<Patch>>();
  list->reserve(patches.size());
  for (size_t i = 0; i < patches.size(); ++i) {
    const microtome_patch& patch = patches[i];
    if (patch.slide < 0 || static_cast<uint64_t>(patch.slide) >= slides.size())
      return out_of_range("patch {}: slide {}: there are {} slides", i, patch.slide, slides.size());
    const auto slide = static_cast<size_t>(patch.slide);
    const Point at = to_level(*slides[slide], level, {patch.x, patch.y});
    list->push_back({static_cast<uint32_t>(slide), static_cast<uint16_t>(level), at.x, at.y});
  }
  return std::shared_ptr<const std::vector<Patch>>(std::move(list));
}

Result<LoaderOptions> to_loader_options(const microtome_loader_options& from, const TileFormat& format) {
  MICROTOME_TRY(check_reserved(from.reserved));
  LoaderOptions options;
  options.size = {from.w, from.h};
  options.batch_size = from.batch_size == 0 ? kBatchSize : from.batch_size;
  options.drop_last = from.drop_last != 0;
  if (from.prefetch < -1) return invalid_argument("prefetch is {}, expected -1 or more", from.prefetch);
  options.prefetch = from.prefetch == 0 ? kPrefetch : from.prefetch == -1 ? 0 : from.prefetch;
  MICROTOME_ASSIGN(const int workers, to_workers(from.workers));
  options.workers = from.workers == 1 ? 0 : workers;
  MICROTOME_ASSIGN(options.on_error, to_on_error(from.on_error));
  MICROTOME_ASSIGN(options.fill, to_fill(from.fill, from.fill_count, format));
  return options;
}

Result<std::vector<int64_t>> to_order(const microtome_loader_options& from, size_t patch_count) {
  OrderOptions options;
  options.shuffle = from.shuffle != 0;
  options.seed = from.seed;
  options.epoch = from.epoch;
  options.rank = from.rank;
  options.world_size = from.world_size == 0 ? 1 : from.world_size;
  return make_order(static_cast<int64_t>(patch_count), options);
}

struct Request {
  std::span<const microtome_slide* const> slides;
  std::span<const microtome_patch> patches;
  const microtome_loader_options* options;
};

Status open(const Request& request, microtome_loader** loader) {
  MICROTOME_TRY(check_pointer(loader, "loader"));
  const microtome_loader_options& options = *request.options;
  MICROTOME_ASSIGN(auto slides, to_slides(request.slides, options.level));
  MICROTOME_ASSIGN(auto patches, to_patches(slides, request.patches, options.level));
  MICROTOME_ASSIGN(auto how, to_loader_options(options, slides.front()->image(options.level).format));
  MICROTOME_ASSIGN(auto order, to_order(options, request.patches.size()));
  auto handle = std::make_unique<microtome_loader>();
  MICROTOME_ASSIGN(handle->loader, Loader::open(runtime().loader_context(), std::move(slides),
                                                std::move(patches), std::move(order), std::move(how)));
  *loader = handle.release();
  return ok_status();
}

Status next(microtome_loader* loader, microtome_batch** batch) {
  MICROTOME_TRY(check_pointer(loader, "loader"));
  MICROTOME_TRY(check_pointer(batch, "batch"));
  auto handle = std::make_unique<microtome_batch>();
  MICROTOME_ASSIGN(std::optional<Batch> delivered, loader->loader->next());
  *batch = nullptr;
  if (!delivered) return ok_status();
  handle->batch = *std::move(delivered);
  *batch = handle.release();
  return ok_status();
}

Status get(const microtome_batch* handle, microtome_batch_info* info) {
  MICROTOME_TRY(check_pointer(handle, "batch"));
  MICROTOME_TRY(check_pointer(info, "info"));
  const Batch& batch = handle->batch;
  *info = {};
  info->pixels = batch.pixels.data();
  info->indices = batch.indices.data();
  info->count = batch.pixels.shape[0];
  info->h = batch.pixels.shape[1];
  info->w = batch.pixels.shape[2];
  info->channels = static_cast<int32_t>(batch.pixels.shape[3]);
  info->sample = to_sample(batch.pixels.type);
  info->error_count = static_cast<int64_t>(batch.errors.size());
  return ok_status();
}

}  // namespace
}  // namespace microtome::c_api

using namespace microtome;
using namespace microtome::c_api;

microtome_status microtome_loader_open(const microtome_slide* const* slides, size_t slide_count,
                                       const microtome_patch* patches, size_t patch_count,
                                       const microtome_loader_options* options, microtome_loader** loader,
                                       microtome_error* error) {
  return guard(error, [&]() -> Status {
    MICROTOME_TRY(check_pointer(slides, "slides"));
    if (patch_count != 0) MICROTOME_TRY(check_pointer(patches, "patches"));
    MICROTOME_TRY(check_pointer(options, "options"));
    return c_api::open({{slides, slide_count}, {patches, patch_count}, options}, loader);
  });
}

void microtome_loader_close(microtome_loader* loader) {
  delete loader;
}

int64_t microtome_loader_batch_count(const microtome_loader* loader) {
  return loader == nullptr ? 0 : static_cast<int64_t>(loader->loader->batch_count());
}

microtome_status microtome_loader_next(microtome_loader* loader, microtome_batch** batch,
                                       microtome_error* error) {
  return guard(error, [&] { return next(loader, batch); });
}

void microtome_batch_free(microtome_batch* batch) {
  delete batch;
}

microtome_status microtome_batch_get(const microtome_batch* batch, microtome_batch_info* info,
                                     microtome_error* error) {
  return guard(error, [&] { return get(batch, info); });
}

const char* microtome_batch_error(const microtome_batch* batch, int64_t index, int64_t* row) {
  if (batch == nullptr || index < 0 || static_cast<uint64_t>(index) >= batch->batch.errors.size())
    return nullptr;
  const RegionError& filled = batch->batch.errors[static_cast<size_t>(index)];
  if (row != nullptr) *row = filled.region;
  return filled.error.message.c_str();
}
