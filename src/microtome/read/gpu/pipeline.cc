#include "microtome/read/gpu/pipeline.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/decode_tile.h"
#include "microtome/read/gpu/kernels.h"
#include "microtome/read/tile_names.h"

namespace microtome::gpu {
namespace {

/// Whether what the slab has of the part's tile is not what the part needs: Note [Odd tiles]. A tile that
/// failed for what another batch needed of it may do for this one.
bool is_odd(const StepPart& part) {
  const SlabTile& tile = *part.tile;
  switch (tile.verdict) {
    case TileVerdict::ok:
      return !tile.have.contains(part.planned->needed);
    case TileVerdict::failed:
      return tile.have != part.planned->needed;
    case TileVerdict::elsewhere:
      return true;
    case TileVerdict::absent:
    case TileVerdict::refused:
      break;
  }
  return false;
}

/// With the read's constants at an address.
BatchMemory batch_memory(const DeviceRead& read, cuda::DeviceAddress constants) {
  return {read.pixels, constants + read.constants.fill_at, constants};
}

}  // namespace

/// A step from when it is cut until it is done.
struct Pipeline::Active {
  std::unique_ptr<Step> step;
  size_t staging = 0;  // where in the pinned memory
  std::optional<cuda::Event> copied, done;
  bool preparing = false;  // its backend waits for the device
  bool finished = false;   // its backend knows that all was done
  std::vector<const StepPart*> odd;
  size_t repaired = 0;  // of `odd`
};

/// Memory for one odd tile and its pieces.
struct Pipeline::Lane {
  cuda::DeviceMemory memory;
  cuda::PinnedMemory pinned;
  cuda::Event done;  // the last tile's
};

Result<std::shared_ptr<const Gpu>> Gpu::open(std::shared_ptr<const cuda::Driver> driver, int ordinal) {
  MICROTOME_ASSIGN(std::shared_ptr<const cuda::Device> device,
                   cuda::Device::open(std::move(driver), ordinal));
  MICROTOME_ASSIGN(const std::shared_ptr<const cuda::Module> kernels, load_kernels(device));
  MICROTOME_ASSIGN(ScatterKernel scatter, ScatterKernel::load(*kernels));
  MICROTOME_ASSIGN(MarkKernels marks, MarkKernels::load(*kernels));
  return std::shared_ptr<const Gpu>(new Gpu{std::move(device), std::move(scatter), std::move(marks)});
}

Pipeline::Pipeline(std::shared_ptr<const Gpu> gpu, const PipelineSizes& sizes)
    : gpu_(std::move(gpu)), sizes_(sizes), ring_(sizes.slabs, sizes.slab_bytes) {}

Result<std::unique_ptr<Pipeline>> Pipeline::make(std::shared_ptr<const Gpu> gpu, const PipelineSizes& sizes) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline(std::move(gpu), sizes));
  MICROTOME_TRY(pipeline->make_memory());
  return pipeline;
}

Status Pipeline::make_memory() {
  MICROTOME_ASSIGN(copy_, device().make_stream());
  MICROTOME_ASSIGN(scatter_, device().make_stream());
  MICROTOME_ASSIGN(slabs_, device().allocate(ring_.bytes()));
  MICROTOME_ASSIGN(staging_, device().allocate_pinned(sizes_.staging_bytes));
  return ok_status();
}

Pipeline::~Pipeline() {
  stop();
}

void Pipeline::start(std::unique_ptr<DecodeBackend> backend, std::shared_ptr<WorkerPool> workers) {
  backend_ = std::move(backend);
  workers_ = std::move(workers);
}

void Pipeline::stop() noexcept {
  if (backend_ != nullptr) backend_->cancel();
  // What was launched may still read and write; errors are those of a device that is lost.
  const bool is_busy = is_device_busy();
  for (const cuda::Stream* stream : {&copy_, &scatter_})
    if (is_busy) static_cast<void>(device().synchronize(*stream));
  for (auto* steps : {&cut_, &submitted_, &launched_}) steps->clear();
  staged_.clear();
  ring_.forget();
  backend_.reset();
}

bool Pipeline::is_device_busy() const noexcept {
  if (!launched_.empty()) return true;
  return !submitted_.empty() && (submitted_.front()->done || submitted_.front()->preparing);
}

Status Pipeline::add(std::shared_ptr<DeviceRead> read) {
  StepPlanner planner(ring_, *backend_, last_step_);
  MICROTOME_ASSIGN(auto steps, planner.cut(read));
  for (auto& step : steps) {
    cut_.push_back(std::make_unique<Active>());
    cut_.back()->step = std::move(step);
  }
  return ok_status();
}

Result<bool> Pipeline::advance() {
  MICROTOME_ASSIGN(const bool finished, finish_steps());
  MICROTOME_ASSIGN(const bool launched, launch_steps());
  MICROTOME_ASSIGN(const bool submitted, submit_steps());
  return finished || launched || submitted;
}

/// Pinned memory is given back in the order in which it was taken.
std::optional<size_t> Pipeline::take_staging(size_t bytes) {
  size_t at = 0;
  if (!staged_.empty()) {
    const size_t first = staged_.front().first, end = staged_.back().second;
    const bool wrapped = end <= first;
    at = end;
    if (!wrapped && bytes > staging_.size_bytes - at) at = 0;
    if (at <= first && bytes >= first - at) return std::nullopt;
  }
  staged_.emplace_back(at, at + SlabRing::aligned(bytes));
  return at;
}

Result<bool> Pipeline::submit_steps() {
  bool any = false;
  for (; !cut_.empty(); any = true) {
    const Step& step = *cut_.front()->step;
    const std::optional<size_t> staging = take_staging(step.bytes);
    if (!staging) break;
    std::unique_ptr<Active> active = std::move(cut_.front());
    cut_.pop_front();
    active->staging = *staging;
    for (TileJob& job : step.list->jobs) {
      job.room.pinned = staging_.data() + *staging + (job.room.address - step.begin);
      job.room.address += slabs_.address();
    }
    submitted_.push_back(std::move(active));
    MICROTOME_TRY(backend_->submit(step.list));
  }
  return any;
}

/// Of a step before the first one that is not launched.
bool Pipeline::is_done(uint64_t step) const noexcept {
  return launched_.empty() || launched_.front()->step->number > step;
}

Result<bool> Pipeline::launch_steps() {
  bool any = false;
  while (!submitted_.empty()) {
    Active& active = *submitted_.front();
    const Step& step = *active.step;
    if (!backend_->is_ready(*step.list) || !is_done(step.must_be_done)) break;
    if (!active.done) {
      MICROTOME_ASSIGN(const bool prepared, backend_->prepare(*step.list));
      active.preparing = !prepared;
      if (!prepared) break;
      MICROTOME_TRY(launch(active));
      any = true;
    }
    MICROTOME_ASSIGN(const bool repaired, repair(active));
    if (!repaired) break;
    MICROTOME_TRY(device().record(*active.done, scatter_));
    launched_.push_back(std::move(submitted_.front()));
    submitted_.pop_front();
    any = true;
  }
  return any;
}

Status Pipeline::launch(Active& active) {
  const Step& step = *active.step;
  DeviceRead& read = *step.read;
  if (idle_events_.empty()) {
    MICROTOME_ASSIGN(cuda::Event copied, device().make_event());
    MICROTOME_ASSIGN(cuda::Event done, device().make_event());
    idle_events_.emplace_back(std::move(copied), std::move(done));
  }
  active.copied = std::move(idle_events_.back().first);
  active.done = std::move(idle_events_.back().second);
  idle_events_.pop_back();

  MICROTOME_TRY(backend_->queue(*step.list, scatter_));
  std::byte* const pinned = staging_.data() + active.staging;
  const std::span storage(reinterpret_cast<ScatterPiece*>(pinned + (step.pieces_at - step.begin)),
                          step.piece_count);
  PieceList pieces(read.shape, storage);
  list_pieces(active, pieces);
  const std::vector<std::byte>& constants = read.constants.bytes;
  std::memcpy(pinned + (step.constants_at - step.begin), constants.data(), constants.size());
  MICROTOME_TRY(send_up(step, pinned));
  MICROTOME_TRY(device().record(*active.copied, copy_));
  MICROTOME_TRY(device().wait(scatter_, *active.copied));
  if (read.error) return ok_status();
  return gpu_->scatter.launch(pieces, slabs_.address() + step.pieces_at,
                              batch_memory(read, slabs_.address() + step.constants_at), scatter_);
}

/// All of the step's stretch but the slots that the device writes by itself.
Status Pipeline::send_up(const Step& step, const std::byte* pinned) {
  size_t begin = step.begin;
  const auto send_until = [&](size_t end) -> Status {
    if (begin == end) return ok_status();
    return device().copy_to_device(slabs_.address() + begin, pinned + (begin - step.begin), end - begin,
                                   copy_);
  };
  for (const TileJob& job : step.list->jobs) {
    if (!job.tile->on_device) continue;
    const size_t at = job.room.address - slabs_.address();
    MICROTOME_TRY(send_until(at));
    begin = at + SlabRing::aligned(job.room.bytes);
  }
  return send_until(step.begin + step.bytes);
}

/// What is wrong here is the read's error.
void Pipeline::list_pieces(Active& active, PieceList& pieces) const {
  Step& step = *active.step;
  DeviceRead& read = *step.read;
  Status status;
  for (const auto& [region, rect] : step.background)
    if (status.ok()) status = pieces.add_fill(region, rect);
  uint64_t placed = 0;
  for (StepPart& part : step.parts) {
    if (!status.ok() || read.error) break;
    part.is_odd = is_odd(part);
    if (part.is_odd) {
      active.odd.push_back(&part);
    } else {
      status = list_part(read, part, *part.tile, pieces);
    }
    placed += part.count;
  }
  if (!status.ok() && !read.error) read.error = std::move(status).error();
  const uint64_t shared = placed - std::min<uint64_t>(placed, step.list->jobs.size());
  for (ReadCounters* counters = read.counters; counters != nullptr; counters = counters->total)
    counters->shared.fetch_add(shared, std::memory_order_relaxed);
}

Status Pipeline::list_part(DeviceRead& read, const StepPart& part, const SlabTile& tile,
                           PieceList& pieces) const {
  switch (tile.verdict) {
    case TileVerdict::ok:
      for (uint32_t i = part.first; i < part.first + part.count; ++i) {
        const Placement& placement = read.plan.placements[i];
        const Rect src{placement.src.x - tile.origin.x, placement.src.y - tile.origin.y, placement.src.w,
                       placement.src.h};
        MICROTOME_TRY(pieces.add_tile(tile.slot, src, placement.region, placement.dst));
      }
      return ok_status();
    case TileVerdict::absent:
      return fill_part(read, part, pieces);
    case TileVerdict::failed:
    case TileVerdict::refused:
      break;
    case TileVerdict::elsewhere:
      return internal("a tile that has no place ({})",
                      place_name(*read.slides[tile.key.slide], tile.key, std::nullopt));
  }
  if (read.on_error == OnError::raise || !forgivable(tile.error.code)) return tile.error;
  for (uint32_t i = part.first; i < part.first + part.count; ++i)
    read.broken.push_back({{read.plan.placements[i].region, tile.error}, tile.key});
  return fill_part(read, part, pieces);
}

Status Pipeline::fill_part(DeviceRead& read, const StepPart& part, PieceList& pieces) const {
  for (uint32_t i = part.first; i < part.first + part.count; ++i) {
    const Placement& placement = read.plan.placements[i];
    MICROTOME_TRY(pieces.add_fill(placement.region,
                                  {placement.dst.x, placement.dst.y, placement.src.w, placement.src.h}));
  }
  return ok_status();
}

/// Note [Odd tiles]. False: the lane is not free yet.
Result<bool> Pipeline::repair(Active& active) {
  DeviceRead& read = *active.step->read;
  for (; active.repaired < active.odd.size() && !read.error; ++active.repaired) {
    if (lane_ != nullptr) {
      MICROTOME_ASSIGN(const bool is_free, device().is_done(lane_->done));
      if (!is_free) return false;
    }
    MICROTOME_TRY(repair_part(read, *active.odd[active.repaired]));
  }
  return true;
}

Status Pipeline::repair_part(DeviceRead& read, const StepPart& part) {
  const TileKey& key = part.tile->key;
  const Slide& slide = *read.slides[key.slide];
  const auto ref = slide.tile(static_cast<int>(key.image), key.col, key.row);
  if (!ref.ok() || !*ref) {
    read.error = internal("a tile that was there is gone ({})", place_name(slide, key, std::nullopt));
    return ok_status();
  }
  const Rect& needed = part.planned->needed;
  const size_t slot = pixel_slot_bytes(*(*ref)->format, needed.size());
  const size_t pieces_at = (slot + SlabRing::kAlign - 1) / SlabRing::kAlign * SlabRing::kAlign;
  const size_t constants_at = pieces_at + part.count * sizeof(ScatterPiece);
  const size_t bytes = constants_at + read.constants.bytes.size();
  MICROTOME_TRY(make_lane(bytes));

  const auto tile = std::make_shared<SlabTile>();
  tile->key = key;
  tile->part = needed;
  std::byte* const pinned = lane_->pinned.data();
  const cuda::DeviceAddress address = lane_->memory.address();
  const WorkerPool::Lease worker = workers_->lease();
  worker->bytes.reset();
  decode_tile({tile, &slide, **ref, needed, {address, pinned, slot}}, *worker, {}, read.counters);

  PieceList pieces(read.shape, {reinterpret_cast<ScatterPiece*>(pinned + pieces_at), part.count});
  if (Status listed = list_part(read, part, *tile, pieces); !listed.ok()) {
    read.error = std::move(listed).error();
    return ok_status();
  }
  std::memcpy(pinned + constants_at, read.constants.bytes.data(), read.constants.bytes.size());
  MICROTOME_TRY(device().copy_to_device(address, pinned, bytes, scatter_));
  MICROTOME_TRY(gpu_->scatter.launch(pieces, address + pieces_at, batch_memory(read, address + constants_at),
                                     scatter_));
  return device().record(lane_->done, scatter_);
}

Status Pipeline::make_lane(size_t bytes) {
  if (lane_ != nullptr && lane_->pinned.size_bytes >= bytes) return ok_status();
  auto lane = std::make_unique<Lane>();
  MICROTOME_ASSIGN(lane->done, device().make_event());
  MICROTOME_ASSIGN(lane->memory, device().allocate(bytes));
  MICROTOME_ASSIGN(lane->pinned, device().allocate_pinned(bytes));
  lane_ = std::move(lane);
  return ok_status();
}

Result<bool> Pipeline::finish_steps() {
  bool any = false;
  for (; !launched_.empty(); any = true) {
    Active& active = *launched_.front();
    MICROTOME_ASSIGN(const bool done, device().is_done(*active.done));
    if (!done) break;
    if (!active.finished) look_back(active);
    if (active.repaired < active.odd.size() && !active.step->read->error) {
      MICROTOME_ASSIGN(const bool repaired, repair(active));
      if (!repaired) break;
      MICROTOME_TRY(device().record(*active.done, scatter_));
      continue;
    }
    finish(active);
    idle_events_.emplace_back(*std::move(active.copied), *std::move(active.done));
    launched_.pop_front();
    staged_.pop_front();
  }
  return any;
}

/// Tiles that were said to be in their slots and are not: of this step, or of one before it.
void Pipeline::look_back(Active& active) {
  active.finished = true;
  backend_->finish(*active.step->list);
  for (StepPart& part : active.step->parts) {
    if (part.is_odd || !is_odd(part)) continue;
    part.is_odd = true;
    active.odd.push_back(&part);
  }
}

void Pipeline::finish(const Active& active) {
  DeviceRead& read = *active.step->read;
  if (--read.steps_left > 0) return;
  const auto before = [](const auto& a, const auto& b) {
    return std::tie(a.first.region, a.second) < std::tie(b.first.region, b.second);
  };
  const auto same = [](const auto& a, const auto& b) {
    return a.first.region == b.first.region && a.second == b.second;
  };
  std::sort(read.broken.begin(), read.broken.end(), before);
  read.broken.erase(std::unique(read.broken.begin(), read.broken.end(), same), read.broken.end());
  for (auto& [broken, tile] : read.broken) read.errors.push_back(std::move(broken));
  read.broken.clear();
  read.finished = true;
}

}  // namespace microtome::gpu
