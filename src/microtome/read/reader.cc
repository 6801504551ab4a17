#include "microtome/read/reader.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <new>
#include <span>
#include <thread>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"

namespace microtome {

namespace {

Status check_arguments(Rect region, const ImageView& dst, const ReadOptions& options,
                       const std::vector<RegionError>* errors) {
  if (dst.size != region.size())
    return invalid_argument("the destination is {}x{} pixels, expected {}x{} as the region", dst.size.w,
                            dst.size.h, region.w, region.h);
  if (options.workers < 1) return invalid_argument("{} workers, expected at least 1", options.workers);
  if (options.on_error == OnError::fill && errors == nullptr)
    return invalid_argument("on_error fill without a place for what it fills");
  return ok_status();
}

/// Whether `tiles` whole tiles of `grid` fit into `capacity_bytes`.
bool fits(const TileGrid& grid, size_t tiles, size_t capacity_bytes) noexcept {
  const size_t tile_bytes = static_cast<size_t>(grid.tile.w) * static_cast<size_t>(grid.tile.h) *
                            grid.format.samples * sample_bytes(grid.format.type);
  return tiles <= capacity_bytes / tile_bytes;
}

// Copying this much takes about as long as waking a thread to share it with.
constexpr size_t kCopiedAlone = size_t{1} << 20;

/// Whether all that `plan` wants of `slide` is in `cache`, so that a read of `bytes` is a few copies.
bool is_quick(const Slide& slide, const BatchPlan& plan, size_t bytes, const TileCache& cache) {
  return bytes <= kCopiedAlone &&
         std::all_of(plan.tiles.begin(), plan.tiles.end(), [&](const PlannedTile& planned) {
           const TileKey& tile = planned.tile;
           return cache.holds({slide.source().id(), slide.tile_space(tile.image), tile.col, tile.row});
         });
}

}  // namespace

Reader::Reader(std::shared_ptr<Executor> executor, std::shared_ptr<TileCache> cache,
               std::shared_ptr<WorkerPool> workers, std::shared_ptr<BufferPool> buffers,
               std::shared_ptr<ReadCounters> counters)
    : executor_(std::move(executor)),
      cache_(std::move(cache)),
      workers_(std::move(workers)),
      buffers_(std::move(buffers)),
      counters_(std::move(counters)) {}

Status Reader::read(std::shared_ptr<const Slide> slide, int image, Rect region, ImageView dst,
                    const ReadOptions& options, std::vector<RegionError>* errors) try {
  // First, because a plan is as large as its region, and a destination that exists bounds that.
  MICROTOME_TRY(check_arguments(region, dst, options, errors));
  BatchPlan plan;
  {
    MICROTOME_ASSIGN(const RegionPlan planned, plan_region(*slide, 0, image, region));
    MICROTOME_TRY(check_pixels(dst, *slide, image));
    plan = plan_batch(std::span(&planned, 1));
  }
  int workers = options.workers;
  BatchReadOptions how;
  how.fill = options.fill;
  how.on_error = options.on_error;
  how.counters = counters_.get();
  if (const size_t capacity = cache_->capacity_bytes(); capacity != 0) {
    how.cache = cache_.get();
    how.buffers = buffers_.get();
    if (!fits(slide->image(image), plan.tiles.size(), capacity)) how.cache_use = CacheUse::consult;
    const size_t bytes = dst.row_bytes() * static_cast<size_t>(dst.size.h);
    if (workers > 1 && is_quick(*slide, plan, bytes, *cache_)) workers = 1;
  }
  BatchRead read({std::move(slide)}, std::move(plan), {dst}, std::move(how));
  MICROTOME_TRY(drain(read, workers));
  if (errors != nullptr) {
    std::vector<RegionError> filled = read.take_errors();
    std::move(filled.begin(), filled.end(), std::back_inserter(*errors));
  }
  return ok_status();
} catch (const std::bad_alloc&) {
  return Error{Errc::out_of_memory, "no memory left"};
}

Status Reader::drain(BatchRead& read, int workers) {
  const auto width = static_cast<int>(std::min<size_t>(
      static_cast<size_t>(std::min(workers_->useful(workers), Executor::kMaxThreads)), read.unit_count()));
  if (width <= 1) {
    const WorkerPool::Lease worker = workers_->lease();
    return read.drain(*worker);
  }
  Executor::Group group(executor_, width, Executor::Group::Mode::caller_helps);
  const auto caller = std::this_thread::get_id();
  // The executor's threads give way to other reads and loaders that have fewer; this one is ours.
  const std::function<Status()> work = [&]() -> Status {
    const WorkerPool::Lease worker = workers_->lease();
    if (std::this_thread::get_id() == caller) return read.drain(*worker);
    MICROTOME_TRY(read.drain(*worker, &group.gives_way()));
    // It may have been told to give way, however that is by now.
    if (!group.cancelled() && (!read.all_taken() || read.puts_off())) group.run(work);
    return ok_status();
  };
  for (int i = 0; i < width; ++i) group.run(work);
  return group.wait();
}

}  // namespace microtome
