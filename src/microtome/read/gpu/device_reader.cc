#include "microtome/read/gpu/device_reader.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"
#include "microtome/read/gpu/cpu_backend.h"
#include "microtome/read/gpu/news.h"
#include "microtome/read/gpu/sizes.h"

namespace microtome::gpu {
namespace {

constexpr size_t kIdleBytes = size_t{256} << 20;     // of results that were dropped
constexpr size_t kPipelineBytes = size_t{64} << 20;  // unless tiles are larger

Result<size_t> bytes_of(Size size, uint16_t samples, SampleType type) {
  if (size.empty())
    return invalid_argument("a region of {}x{} pixels, expected 1x1 at least", size.w, size.h);
  const auto bytes = checked_mul(static_cast<size_t>(size.w), static_cast<size_t>(size.h), size_t{samples},
                                 sample_bytes(type));
  if (!bytes) return out_of_memory("{}x{} pixels pass the address space", size.w, size.h);
  return *bytes;
}

}  // namespace

DeviceReader::DeviceReader(std::shared_ptr<const Gpu> gpu, std::shared_ptr<Executor> executor,
                           std::shared_ptr<WorkerPool> workers, std::shared_ptr<ReadCounters> counters)
    : gpu_(std::move(gpu)),
      executor_(std::move(executor)),
      workers_(std::move(workers)),
      counters_(std::move(counters)),
      pool_(cuda::DevicePool::make(gpu_->device, kIdleBytes)) {}

DeviceReader::~DeviceReader() = default;

/// The idle one if it will do; else a new one, and the idle one is freed.
Result<std::unique_ptr<Pipeline>> DeviceReader::take_pipeline(const Slide& slide, int image, Size size) {
  PipelineNeed need;
  need.add(slide, image, size);
  std::unique_ptr<Pipeline> idle;
  {
    const std::lock_guard lock(mutex_);
    idle = std::move(idle_);
  }
  if (idle != nullptr && idle->sizes().slab_bytes >= need.least_slab()) return idle;
  idle.reset();
  const size_t limit = std::max(kPipelineBytes, 2 * need.least_slab());
  PipelineSizes sizes;
  sizes.slab_bytes = std::max(limit / 4, need.least_slab());
  sizes.slabs = std::max<size_t>(2, limit / sizes.slab_bytes);
  sizes.staging_bytes = 2 * sizes.slab_bytes;
  return Pipeline::make(gpu_, sizes);
}

Result<std::optional<cuda::DeviceTensor>> DeviceReader::read(std::shared_ptr<const Slide> slide, int image,
                                                             Rect region, const DeviceReadOptions& how,
                                                             const DeviceTarget* target,
                                                             std::vector<RegionError>* errors) try {
  MICROTOME_TRY(gpu_->device->driver().usable());
  const ReadOptions& options = how.read;
  if (options.workers < 1) return invalid_argument("{} workers, expected at least 1", options.workers);
  if (options.on_error == OnError::fill && errors == nullptr)
    return invalid_argument("on_error fill without a place for what it fills");
  const TileFormat& format = slide->image(image).format;
  const SampleType type = how.format.type(format.type);
  MICROTOME_ASSIGN(const size_t bytes, bytes_of(region.size(), format.samples, type));
  MICROTOME_ASSIGN(std::unique_ptr<Pipeline> pipeline, take_pipeline(*slide, image, region.size()));
  const auto read = std::make_shared<DeviceRead>();
  read->shape = {1, region.size(), format.samples, format.type, how.format.output, how.format.planar};
  MICROTOME_ASSIGN(read->constants, make_constants(read->shape, how.format, options.fill));
  read->on_error = options.on_error;
  read->counters = counters_.get();
  if (target != nullptr) {
    read->pixels = target->address;
  } else {
    MICROTOME_ASSIGN(read->block, pool_->allocate(bytes, pipeline->writer()));
    read->pixels = read->block->address();
  }
  // Only now, because a plan is as large as its region, and memory that exists bounds that.
  MICROTOME_ASSIGN(const RegionPlan planned, plan_region(*slide, 0, image, region));
  read->plan = plan_batch({&planned, 1});
  read->slides = {slide};

  const Status status = run(*pipeline, read, options.workers, target);
  pipeline->stop();
  MICROTOME_TRY(status);
  {
    const std::lock_guard lock(mutex_);
    if (idle_ == nullptr) idle_ = std::move(pipeline);
  }
  if (read->error) return *std::move(read->error);
  if (errors != nullptr) std::move(read->errors.begin(), read->errors.end(), std::back_inserter(*errors));
  if (target != nullptr) return std::optional<cuda::DeviceTensor>();
  return std::optional(cuda::DeviceTensor{
      std::move(read->block), how.format.shape(std::nullopt, region.size(), format.samples), type});
} catch (const std::bad_alloc&) {
  return Error{Errc::out_of_memory, "no memory left"};
}

Status DeviceReader::run(Pipeline& pipeline, const std::shared_ptr<DeviceRead>& read, int workers,
                         const DeviceTarget* target) {
  if (target != nullptr && target->after) {
    MICROTOME_ASSIGN(const cuda::Event before, gpu_->device->make_event());
    MICROTOME_TRY(gpu_->device->record(before, *target->after));
    MICROTOME_TRY(gpu_->device->wait(pipeline.writer(), before));
  }
  const auto news = std::make_shared<News>();
  CrewOptions options;
  options.executor = executor_;
  options.workers = workers_;
  options.threads = static_cast<int>(std::min<size_t>(static_cast<size_t>(workers_->useful(workers)),
                                                      read->plan.tiles.size())) -
                    1;
  options.on_ready = [news] { news->tell(); };
  pipeline.start(std::make_unique<CpuBackend>(std::move(options), counters_.get()), workers_);
  MICROTOME_TRY(pipeline.add(read));
  while (!read->finished) {
    MICROTOME_ASSIGN(const bool moved, pipeline.advance());
    if (!moved && !pipeline.help()) news->wait(pipeline.is_device_busy());
  }
  return ok_status();
}

}  // namespace microtome::gpu
