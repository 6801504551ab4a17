#include "microtome/loader/device_loader.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/loader/batch_list.h"
#include "microtome/plan/batch.h"
#include "microtome/read/gpu/cpu_backend.h"
#include "microtome/read/gpu/news.h"
#include "microtome/read/gpu/sizes.h"

namespace microtome {
namespace {

/// A batch that the device thread has begun.
struct DeviceFlight {
  uint64_t number = 0;
  std::shared_ptr<gpu::DeviceRead> read;
  std::vector<int64_t> indices;
};

}  // namespace

struct DeviceLoader::State {
  State(LoaderContext shared, std::shared_ptr<const gpu::Gpu> device, BatchList batches,
        DeviceLoaderOptions how)
      : context(std::move(shared)),
        gpu(std::move(device)),
        list(std::move(batches)),
        memory_bytes(how.memory_bytes),
        format(std::move(how.format)),
        decode(how.decode),
        direct(how.direct),
        reads(std::move(how.reads)),
        decoders(std::move(how.decoders)),
        options(std::move(how.loader)),
        pool(cuda::DevicePool::make(gpu->device, SIZE_MAX)),
        meter(std::make_shared<LoaderMeter>(context.counters.get())) {}
  ~State() { stop(); }

  Status open();
  void start();
  void stop() noexcept;
  Result<std::optional<DeviceBatch>> next();

  // The device thread's.
  void run() noexcept;
  Status work();
  bool may_start();
  void begin_batch();
  Status begin(const std::shared_ptr<gpu::DeviceRead>& read);
  void deliver(DeviceFlight flight);
  void fail(Error error) noexcept;

  const LoaderContext context;
  const std::shared_ptr<const gpu::Gpu> gpu;
  const BatchList list;
  const size_t memory_bytes;  // as asked for
  const gpu::OutputFormat format;
  const gpu::Decode decode;
  const gpu::Direct direct;
  const std::shared_ptr<gpu::DirectReads> reads;
  const std::shared_ptr<gpu::DirectReport> report = std::make_shared<gpu::DirectReport>();
  const std::shared_ptr<gpu::Decoders> decoders;
  const LoaderOptions options;
  const std::shared_ptr<cuda::DevicePool> pool;
  const std::shared_ptr<LoaderMeter> meter;
  const std::shared_ptr<gpu::News> news = std::make_shared<gpu::News>();  // for the device thread
  std::optional<Error> error;                                             // the consumer's
  std::string lacking;

  std::mutex mutex;  // of what follows, up to the device thread's
  std::condition_variable ready_changed;
  std::deque<DeviceBatch> ready;
  std::optional<Error> failure;  // after `ready`
  uint64_t delivered = 0;
  bool waiting = false, stopping = false;

  uint64_t begun = 0;
  size_t batch_bytes = 0;
  std::deque<DeviceFlight> flights;
  std::unique_ptr<gpu::Pipeline> pipeline;
  std::thread thread;
};

Status DeviceLoader::State::open() {
  MICROTOME_TRY(gpu->device->driver().usable());
  if (list.count() == 0) return ok_status();
  const auto bytes = checked_mul(static_cast<size_t>(options.size.w), static_cast<size_t>(options.size.h),
                                 size_t{list.pixel().samples}, sample_bytes(format.type(list.pixel().type)),
                                 static_cast<size_t>(list.rows_per_batch()));
  if (!bytes)
    return out_of_memory("batches of {} patches of {}x{} pass the address space", list.rows_per_batch(),
                         options.size.w, options.size.h);
  batch_bytes = *bytes;
  gpu::PipelineNeed need;
  std::vector<gpu::ImageToRead> images;
  std::vector<std::vector<bool>> known(list.slides().size());
  for (const Patch& patch : list.patches()) {
    std::vector<bool>& levels = known[patch.slide];
    if (levels.empty()) levels.resize(list.slides()[patch.slide]->levels().size());
    if (levels[patch.level]) continue;
    levels[patch.level] = true;
    need.add(*list.slides()[patch.slide], patch.level, options.size);
    images.push_back({list.slides()[patch.slide].get(), patch.level});
  }
  size_t limit = memory_bytes;
  if (limit == 0) {
    MICROTOME_ASSIGN(const size_t most, gpu::default_limit(*gpu->device));
    limit = std::max(most, 2 * need.least_slab());
  }
  MICROTOME_ASSIGN(const gpu::PipelineSizes sizes,
                   gpu::choose_sizes(need, list.rows_per_batch(), list.count(),
                                     static_cast<uint64_t>(options.prefetch) + 1, limit));
  MICROTOME_ASSIGN(pipeline, gpu::Pipeline::make(gpu, sizes));
  gpu::CrewOptions how;
  how.executor = context.executor;
  how.workers = context.workers;
  how.threads = context.workers->useful(options.workers);
  how.on_ready = [told = news] { told->tell(); };
  how.on_work = [counted = meter](bool begins) { counted->works(begins); };
  std::unique_ptr<gpu::DecodeBackend> backend;
  if (decode == gpu::Decode::exact) {
    backend = std::make_unique<gpu::CpuBackend>(how, &meter->read);
  } else {
    MICROTOME_ASSIGN(gpu::Decoders::Made made, decoders->make_backend(decode, images, how, &meter->read));
    lacking = std::move(made.lacking);
    backend = std::move(made.backend);
  }
  if (direct != gpu::Direct::off) {
    MICROTOME_ASSIGN(
        backend, reads->wrap(direct, std::move(backend), images, {pipeline->slabs(), sizes.device_bytes()},
                             std::move(how), &meter->read, report));
  }
  pipeline->start(std::move(backend), context.workers);
  return ok_status();
}

void DeviceLoader::State::start() {
  meter->start(options.workers);
  thread = std::thread([this] { run(); });
}

/// Ends the device thread and frees the memory for tiles; batches live on.
void DeviceLoader::State::stop() noexcept {
  if (thread.joinable()) {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    news->tell();
    thread.join();
    meter->stop();
  }
  flights.clear();
  pipeline.reset();
}

void DeviceLoader::State::run() noexcept {
  try {
    if (Status status = work(); !status.ok()) fail(std::move(status).error());
  } catch (const std::bad_alloc&) {
    fail({Errc::out_of_memory, "no memory left"});
  }
}

Status DeviceLoader::State::work() {
  for (;;) {
    bool moved = false;
    for (; may_start(); moved = true) begin_batch();
    MICROTOME_ASSIGN(const bool advanced, pipeline->advance());
    for (; !flights.empty() && flights.front().read->finished; moved = true) {
      if (flights.front().read->error) return *flights.front().read->error;
      DeviceFlight flight = std::move(flights.front());
      flights.pop_front();
      deliver(std::move(flight));
    }
    {
      const std::lock_guard lock(mutex);
      if (stopping) return ok_status();
    }
    if (moved || advanced) continue;
    if (options.workers == 0 && !flights.empty()) {
      const LoaderMeter::Working working(*meter);
      if (pipeline->help()) continue;
    }
    news->wait(pipeline->is_device_busy());
  }
}

bool DeviceLoader::State::may_start() {
  const std::lock_guard lock(mutex);
  const uint64_t most = static_cast<uint64_t>(options.prefetch) + (waiting ? 1 : 0);
  return !stopping && begun < list.count() && begun - delivered < most;
}

/// A batch that cannot begin fails when its turn comes, not the batches before it; none is begun after it.
void DeviceLoader::State::begin_batch() {
  const auto rows = list.rows_of(begun);
  DeviceFlight flight{begun, std::make_shared<gpu::DeviceRead>(), {rows.begin(), rows.end()}};
  Status status;
  try {
    status = begin(flight.read);
  } catch (const std::bad_alloc&) {
    status = Error{Errc::out_of_memory, "no memory left"};
  }
  ++begun;
  if (!status.ok()) {
    flight.read->error = std::move(status).error();
    flight.read->finished = true;
    begun = list.count();
  }
  flights.push_back(std::move(flight));
}

Status DeviceLoader::State::begin(const std::shared_ptr<gpu::DeviceRead>& read) {
  MICROTOME_ASSIGN(const std::vector<RegionPlan> regions, list.plan_rows(begun));
  read->slides = list.slides();
  read->plan = plan_batch(regions);
  const PixelKind& pixel = list.pixel();
  read->shape.images = static_cast<uint32_t>(regions.size());
  read->shape.patch = options.size;
  read->shape.samples = pixel.samples;
  read->shape.type = pixel.type;
  read->shape.output = format.output;
  read->shape.planar = format.planar;
  MICROTOME_ASSIGN(read->constants, gpu::make_constants(read->shape, format, options.fill));
  read->on_error = options.on_error;
  read->counters = &meter->read;
  // The last batch too, so that its block is one that there is.
  MICROTOME_ASSIGN(read->block, pool->allocate(batch_bytes, pipeline->writer()));
  read->pixels = read->block->address();
  meter->begin(read->plan.tiles);
  return pipeline->add(read);
}

void DeviceLoader::State::deliver(DeviceFlight flight) {
  const gpu::DeviceRead& read = *flight.read;
  const auto count = static_cast<int64_t>(flight.indices.size());
  DeviceBatch batch{{flight.read->block, format.shape(count, options.size, read.shape.samples),
                     format.type(read.shape.type)},
                    std::move(flight.indices),
                    std::move(flight.read->errors),
                    flight.number};
  {
    const std::lock_guard lock(mutex);
    ready.push_back(std::move(batch));
  }
  ready_changed.notify_all();
}

void DeviceLoader::State::fail(Error what) noexcept {
  {
    const std::lock_guard lock(mutex);
    failure = std::move(what);
  }
  ready_changed.notify_all();
}

Result<std::optional<DeviceBatch>> DeviceLoader::State::next() {
  if (!thread.joinable()) {
    try {
      start();
    } catch (const std::system_error&) {
      return unavailable("the system gives no thread to drive the device with (process or memory limit)");
    }
  }
  const LoaderMeter::Waiting timed(*meter);
  std::unique_lock lock(mutex);
  if (ready.empty()) {
    waiting = true;
    lock.unlock();
    news->tell();
    lock.lock();
    ready_changed.wait(lock, [this] { return !ready.empty() || failure; });
    waiting = false;
  }
  if (ready.empty()) return *failure;
  DeviceBatch batch = std::move(ready.front());
  ready.pop_front();
  delivered = batch.number + 1;
  lock.unlock();
  meter->delivered();
  if (batch.number + 1 == list.count()) {
    stop();
  } else {
    news->tell();
  }
  return std::optional(std::move(batch));
}

DeviceLoader::DeviceLoader(std::unique_ptr<State> state) : state_(std::move(state)) {}

DeviceLoader::~DeviceLoader() {
  // In a forked child there is no device thread, and what it had locked stays so.
  if (state_ != nullptr && !state_->gpu->device->driver().is_own_process())
    static_cast<void>(state_.release());
}

Result<std::unique_ptr<DeviceLoader>> DeviceLoader::open(LoaderContext context,
                                                         std::shared_ptr<const gpu::Gpu> gpu,
                                                         std::vector<std::shared_ptr<const Slide>> slides,
                                                         std::shared_ptr<const std::vector<Patch>> patches,
                                                         std::vector<int64_t> order,
                                                         DeviceLoaderOptions options) {
  MICROTOME_ASSIGN(BatchList list,
                   BatchList::make(std::move(slides), std::move(patches), std::move(order), options.loader));
  auto state =
      std::make_unique<State>(std::move(context), std::move(gpu), std::move(list), std::move(options));
  MICROTOME_TRY(state->open());
  return std::unique_ptr<DeviceLoader>(new DeviceLoader(std::move(state)));
}

uint64_t DeviceLoader::batch_count() const noexcept {
  return state_->list.count();
}

std::shared_ptr<const LoaderMeter> DeviceLoader::meter() const noexcept {
  return state_->meter;
}

const gpu::DirectReport& DeviceLoader::direct() const noexcept {
  return *state_->report;
}

const std::string& DeviceLoader::lacking() const noexcept {
  return state_->lacking;
}

Status DeviceLoader::usable() const {
  return state_->gpu->device->driver().usable();
}

Result<std::optional<DeviceBatch>> DeviceLoader::next() {
  State& state = *state_;
  MICROTOME_TRY(usable());
  if (state.error) return *state.error;
  if (state.delivered == state.list.count()) return std::optional<DeviceBatch>();
  auto batch = state.next();
  if (!batch.ok()) {
    state.error = batch.error();
    state.stop();
  }
  return batch;
}

}  // namespace microtome
