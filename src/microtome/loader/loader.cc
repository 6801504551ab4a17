#include "microtome/loader/loader.h"

#include <algorithm>
#include <deque>
#include <new>
#include <utility>

#include "microtome/loader/batch_list.h"
#include "microtome/loader/crew.h"
#include "microtome/loader/flight.h"
#include "microtome/loader/window.h"
#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"

namespace microtome {
namespace {

/// Everything that must be made anew in a forked child, where worker threads no longer exist: see
/// Loader::State::restart().
struct Run {
  uint64_t generation = 0;
  uint64_t dispatched = 0;          // the next batch to start
  std::unique_ptr<TileCache> kept;  // null where the process's cache serves
  std::unique_ptr<Window> window;   // with `kept`
  std::unique_ptr<Crew> crew;       // last: goes first, waiting for its threads
};

}  // namespace

struct Loader::State {
  State(LoaderContext shared, BatchList batches, LoaderOptions how)
      : context(std::move(shared)), list(std::move(batches)), options(std::move(how)) {}

  const LoaderContext context;
  const BatchList list;
  const LoaderOptions options;
  uint64_t delivered = 0;
  std::optional<Error> error;
  std::shared_ptr<LoaderMeter> meter;
  std::unique_ptr<Run> run;  // null before the first next() and after the last

  ~State() { stop(); }

  bool of_this_process() const noexcept { return run->generation == context.executor->generation(); }
  void stop() noexcept;
  void start();
  Result<std::vector<PartOfTile>> tiles_of(uint64_t batch) const;
  void erase(const std::vector<TileKey>& tiles) const;
  Result<std::shared_ptr<Flight>> prepare(uint64_t batch);
  Result<BatchReadOptions> read_options();
  void dispatch();
  Result<std::optional<Batch>> next();
};

/// Stops what runs and frees what is ahead. In a forked child what the parent's threads may hold locked is
/// left where it is instead.
void Loader::State::stop() noexcept {
  if (run == nullptr) return;
  meter->stop();
  if (of_this_process()) {
    run.reset();
  } else {
    static_cast<void>(run.release());
  }
}

void Loader::State::start() {
  run = std::make_unique<Run>();
  run->generation = context.executor->generation();
  run->dispatched = delivered;
  if (options.keep_bytes != 0 && context.cache->capacity_bytes() == 0) {
    run->kept = std::make_unique<TileCache>(options.keep_bytes);
    run->window = std::make_unique<Window>(
        Window::Source{
            list.count(), list.rows_per_batch(), [this](uint64_t batch) { return tiles_of(batch); },
            [this](const TileKey& tile) {
              return list.slides()[tile.slide]->image(static_cast<int>(tile.image)).shown(tile.col, tile.row);
            },
            list.pixel().bytes()},
        options.keep_bytes, delivered);
  }
  run->crew = std::make_unique<Crew>(context.executor, context.workers, options.workers, meter);
  meter->start(options.workers);
}

Result<std::vector<PartOfTile>> Loader::State::tiles_of(uint64_t batch) const {
  std::vector<PartOfTile> tiles;
  for (const int64_t position : list.rows_of(batch)) {
    MICROTOME_ASSIGN(const RegionPlan plan, list.plan_row(position));
    for (const TileCopy& copy : plan.copies) tiles.push_back({copy.tile, copy.src});
  }
  return tiles;
}

void Loader::State::erase(const std::vector<TileKey>& tiles) const {
  for (const TileKey& tile : tiles)
    run->kept->erase({list.slides()[tile.slide]->source().id(), tile.image, tile.col, tile.row});
}

/// Decides what the batch that is to be started takes through a cache.
Result<BatchReadOptions> Loader::State::read_options() {
  BatchReadOptions how;
  how.fill = options.fill;
  how.on_error = options.on_error;
  how.buffers = context.buffers.get();
  how.counters = &meter->read;
  if (run->window == nullptr) {
    if (context.cache->capacity_bytes() != 0) how.cache = context.cache.get();
  } else {
    MICROTOME_ASSIGN(Window::Decision decision, run->window->start(delivered));
    erase(decision.erase);
    if (!decision.cached.empty()) {
      how.cache = run->kept.get();
      how.keep = [cached = std::move(decision.cached)](const TileKey& tile) {
        const auto at = std::lower_bound(cached.begin(), cached.end(), tile,
                                         [](const PartOfTile& a, const TileKey& b) { return a.tile < b; });
        return at != cached.end() && at->tile == tile ? std::optional(at->part) : std::nullopt;
      };
    }
  }
  return how;
}

Result<std::shared_ptr<Flight>> Loader::State::prepare(uint64_t batch) {
  const auto rows = list.rows_of(batch);
  const PixelKind& pixel = list.pixel();
  MICROTOME_ASSIGN(BatchReadOptions how, read_options());
  MICROTOME_ASSIGN(const std::vector<RegionPlan> regions, list.plan_rows(batch));
  const auto count = static_cast<int64_t>(rows.size());
  MICROTOME_ASSIGN(
      Tensor pixels,
      make_tensor(*context.buffers, {count, options.size.h, options.size.w, pixel.samples}, pixel.type));
  std::vector<ImageView> views(rows.size());
  const auto row_stride = options.size.w * static_cast<int64_t>(pixel.bytes());
  for (size_t i = 0; i < views.size(); ++i) {
    std::byte* const data = pixels.data() + static_cast<int64_t>(i) * row_stride * options.size.h;
    views[i] = {data, options.size, row_stride, pixel.samples, pixel.type};
  }
  BatchPlan plan = plan_batch(regions);
  meter->begin(plan.tiles);
  auto flight = std::make_shared<Flight>();
  flight->read =
      std::make_unique<BatchRead>(list.slides(), std::move(plan), std::move(views), std::move(how));
  flight->pixels = std::move(pixels);
  flight->indices.assign(rows.begin(), rows.end());
  return flight;
}

/// Starts the next batch. One that cannot start fails when its turn comes, not the batches before it; none
/// after it is started.
void Loader::State::dispatch() {
  Result<std::shared_ptr<Flight>> prepared = std::shared_ptr<Flight>();
  try {
    prepared = prepare(run->dispatched);
  } catch (const std::bad_alloc&) {
    prepared = Error{Errc::out_of_memory, "no memory left"};
  }
  if (prepared.ok()) {
    (*prepared)->number = run->dispatched++;
    run->crew->add(*std::move(prepared));
  } else {
    run->dispatched = list.count();
    run->crew->add_failed(std::make_shared<Flight>(), std::move(prepared).error());
  }
}

Result<std::optional<Batch>> Loader::State::next() {
  if (run != nullptr && !of_this_process()) stop();
  if (run == nullptr) start();
  const LoaderMeter::Waiting waiting(*meter);
  const uint64_t most = options.workers == 0 ? 1 : static_cast<uint64_t>(options.prefetch) + 1;
  while (run->crew->size() < most && run->dispatched < list.count()) dispatch();

  MICROTOME_ASSIGN(const std::shared_ptr<Flight> flight, run->crew->take());
  Batch batch{std::move(flight->pixels), std::move(flight->indices), flight->read->take_errors(),
              flight->number};
  delivered = batch.number + 1;
  meter->delivered();
  if (run->window != nullptr) erase(run->window->deliver(batch.number));
  if (delivered == list.count()) stop();
  return std::optional<Batch>(std::move(batch));
}

Loader::Loader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Loader::~Loader() = default;

Result<std::unique_ptr<Loader>> Loader::open(LoaderContext context,
                                             std::vector<std::shared_ptr<const Slide>> slides,
                                             std::shared_ptr<const std::vector<Patch>> patches,
                                             std::vector<int64_t> order, LoaderOptions options) {
  MICROTOME_ASSIGN(BatchList list,
                   BatchList::make(std::move(slides), std::move(patches), std::move(order), options));
  auto state = std::make_unique<State>(std::move(context), std::move(list), std::move(options));
  state->meter = std::make_shared<LoaderMeter>(state->context.counters.get());
  return std::unique_ptr<Loader>(new Loader(std::move(state)));
}

uint64_t Loader::batch_count() const noexcept {
  return state_->list.count();
}

std::shared_ptr<const LoaderMeter> Loader::meter() const noexcept {
  return state_->meter;
}

Result<std::optional<Batch>> Loader::next() {
  State& state = *state_;
  if (state.error) return *state.error;
  if (state.delivered == state.list.count()) return std::optional<Batch>();
  Result<std::optional<Batch>> batch = std::optional<Batch>();
  try {
    batch = state.next();
  } catch (const std::bad_alloc&) {
    batch = Error{Errc::out_of_memory, "no memory left"};
  }
  if (!batch.ok()) {
    state.error = batch.error();
    state.stop();
  }
  return batch;
}

}  // namespace microtome
