#include "microtome/read/batch_read.h"

#include <algorithm>
#include <new>
#include <optional>
#include <tuple>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/read/tile_names.h"

namespace microtome {

namespace {

Status check_destination(const ImageView& view, Size size, const ImageView& first, size_t region) {
  if (view.size != size)
    return invalid_argument("destination {} is {}x{} pixels, expected {}x{} as its region", region,
                            view.size.w, view.size.h, size.w, size.h);
  if (view.samples != first.samples || view.type != first.type)
    return invalid_argument("destination {} has {} {} samples, expected {} {} as destination 0", region,
                            view.samples, sample_name(view.type), first.samples, sample_name(first.type));
  return ok_status();
}

}  // namespace

Status check_pixels(const ImageView& dst, const Slide& slide, int image) {
  const TileFormat& format = slide.image(image).format;
  if (dst.samples == format.samples && dst.type == format.type) return ok_status();
  return invalid_argument("the destination has {} {} samples, expected {} {} as {} of {}", dst.samples,
                          sample_name(dst.type), format.samples, sample_name(format.type),
                          slide.image_name(image), slide.name());
}

BatchRead::BatchRead(std::vector<std::shared_ptr<const Slide>> slides, BatchPlan plan,
                     std::vector<ImageView> dst, BatchReadOptions options)
    : job_{std::move(slides), std::move(plan), std::move(dst), std::move(options)} {
  for (size_t i = 0; i < job_.plan.sizes.size(); ++i) {
    if (job_.plan.covered[i].size() != job_.plan.sizes[i]) background_.push_back(static_cast<uint32_t>(i));
  }
  // What does not stay in a core's cache anyway is not to push out what it decodes with.
  constexpr size_t kStreamedFrom = size_t{2} << 20;
  size_t bytes = 0;
  for (const ImageView& view : job_.dst) bytes += view.row_bytes() * static_cast<size_t>(view.size.h);
  if (bytes >= kStreamedFrom) job_.stores = Stores::streaming;
  if (const Status checked = check(); !checked.ok()) fail(checked.error());
}

Status BatchRead::check() const {
  if (job_.dst.size() != job_.plan.sizes.size())
    return invalid_argument("{} destinations, expected {}, one for each region", job_.dst.size(),
                            job_.plan.sizes.size());
  if (job_.options.cache != nullptr && job_.options.cache_use == CacheUse::fill &&
      job_.options.buffers == nullptr)
    return invalid_argument("a tile cache to fill needs a buffer pool");
  if (job_.dst.empty()) return ok_status();
  const ImageView& first = job_.dst.front();
  if (job_.options.fill.size() != first.pixel_bytes())
    return invalid_argument("fill is {} bytes, expected {}: one pixel of {} {} samples",
                            job_.options.fill.size(), first.pixel_bytes(), first.samples,
                            sample_name(first.type));
  for (size_t i = 0; i < job_.dst.size(); ++i)
    MICROTOME_TRY(check_destination(job_.dst[i], job_.plan.sizes[i], first, i));
  // Tiles stand by slide and image: each image is looked at once.
  const TileKey* before = nullptr;
  for (const PlannedTile& planned : job_.plan.tiles) {
    const TileKey& tile = planned.tile;
    if (before != nullptr && before->slide == tile.slide && before->image == tile.image) continue;
    before = &tile;
    MICROTOME_TRY(check_pixels(first, *job_.slides[tile.slide], static_cast<int>(tile.image)));
  }
  return ok_status();
}

Status BatchRead::check_sources() const {
  for (auto tile = job_.plan.tiles.begin(); tile != job_.plan.tiles.end();) {
    const uint32_t slide = tile->tile.slide;
    MICROTOME_TRY(job_.slides[slide]->source().check_unchanged());
    tile = std::partition_point(tile, job_.plan.tiles.end(),
                                [slide](const PlannedTile& planned) { return planned.tile.slide <= slide; });
  }
  return ok_status();
}

Status BatchRead::drain(Worker& worker, const std::atomic<bool>* stop, TileCache::Busy busy) {
  Status status;
  try {
    TilePlacer placer(job_, worker);
    status = drain_units(placer, stop, busy);
  } catch (const std::bad_alloc&) {
    status = Error{Errc::out_of_memory, "no memory left"};
  }
  if (!status.ok()) fail(status.error());
  return status;
}

/// How many units from `next` on a thread takes at once: several while there is much to do, so that their
/// bytes are read together, and one where another thread may soon have nothing left.
size_t BatchRead::claim_size(size_t next) const noexcept {
  constexpr size_t kMost = 8, kShare = 64;
  const size_t units = unit_count();
  return next >= units ? 1 : std::clamp<size_t>((units - next) / kShare, 1, kMost);
}

Status BatchRead::drain_units(TilePlacer& placer, const std::atomic<bool>* stop, TileCache::Busy busy) {
  if (failed_.load(std::memory_order_acquire)) return failure();
  if (!sources_checked_.exchange(true, std::memory_order_relaxed)) MICROTOME_TRY(check_sources());
  const size_t units = unit_count();
  do {
    const size_t claim = claim_size(next_.load(std::memory_order_relaxed));
    size_t unit = next_.fetch_add(claim, std::memory_order_relaxed);
    if (unit >= units) return drain_put_off(placer, stop, busy);
    for (const size_t end = std::min(unit + claim, units); unit < end; ++unit) {
      if (failed_.load(std::memory_order_acquire)) return failure();
      MICROTOME_ASSIGN(const bool done, do_unit(unit, end, placer, TileCache::Busy::leave));
      if (!done) put_off(unit);
    }
  } while (stop == nullptr || !stop->load(std::memory_order_relaxed));
  return ok_status();
}

Status BatchRead::drain_put_off(TilePlacer& placer, const std::atomic<bool>* stop, TileCache::Busy busy) {
  do {
    if (failed_.load(std::memory_order_acquire)) return failure();
    const std::optional<size_t> unit = take_put_off();
    if (!unit) return ok_status();
    MICROTOME_ASSIGN(const bool done, do_unit(*unit, *unit + 1, placer, busy));
    if (!done) {
      put_off(*unit);
      return ok_status();
    }
  } while (stop == nullptr || !stop->load(std::memory_order_relaxed));
  return ok_status();
}

/// False: not now, see Note [Tiles being decoded elsewhere].
Result<bool> BatchRead::do_unit(size_t unit, size_t claim_end, TilePlacer& placer, TileCache::Busy busy) {
  const size_t tiles = job_.plan.tiles.size();
  bool done = true;
  if (unit < tiles) {
    MICROTOME_ASSIGN(done, do_tile(unit, std::min(claim_end, tiles), placer, busy));
  } else {
    placer.fill_background(background_[unit - tiles]);
  }
  if (done) finished_.fetch_add(1, std::memory_order_acq_rel);
  return done;
}

void BatchRead::put_off(size_t unit) {
  const std::lock_guard lock(put_off_mutex_);
  put_off_.push_back(unit);
}

/// The one that was put off first.
std::optional<size_t> BatchRead::take_put_off() {
  const std::lock_guard lock(put_off_mutex_);
  if (put_off_.empty()) return std::nullopt;
  const size_t unit = put_off_.front();
  put_off_.erase(put_off_.begin());
  return unit;
}

bool BatchRead::puts_off() const {
  const std::lock_guard lock(put_off_mutex_);
  return !put_off_.empty();
}

Result<bool> BatchRead::do_tile(size_t number, size_t claim_end, TilePlacer& placer, TileCache::Busy busy) {
  Result<bool> placed = placer.place(number, claim_end, busy);
  if (placed.ok()) [[likely]]
    return placed;
  const PlannedTile& planned = job_.plan.tiles[number];
  Error error = std::move(placed).error().with_place(
      place_name(job_.slide_of(planned), planned.tile, placer.last_bytes()));
  if (job_.options.on_error == OnError::raise || !forgivable(error.code)) return error;
  placer.fill_tile(planned);
  report(number, error);
  return true;
}

void BatchRead::report(size_t number, const Error& error) {
  const std::lock_guard lock(errors_mutex_);
  const auto before = static_cast<std::ptrdiff_t>(broken_.size());
  for (const Placement& placement : job_.plan.of(job_.plan.tiles[number])) {
    const bool known = std::any_of(broken_.begin() + before, broken_.end(), [&](const Broken& broken) {
      return broken.what.region == placement.region;
    });
    if (!known) broken_.push_back({{placement.region, error}, number});
  }
}

std::vector<RegionError> BatchRead::take_errors() {
  const std::lock_guard lock(errors_mutex_);
  std::sort(broken_.begin(), broken_.end(), [](const Broken& a, const Broken& b) {
    return std::tie(a.what.region, a.tile) < std::tie(b.what.region, b.tile);
  });
  std::vector<RegionError> errors;
  errors.reserve(broken_.size());
  for (Broken& broken : broken_) errors.push_back(std::move(broken.what));
  broken_.clear();
  return errors;
}

void BatchRead::fail(const Error& error) {
  const std::lock_guard lock(errors_mutex_);
  if (failed_.load(std::memory_order_relaxed)) return;
  try {
    failure_ = error;
  } catch (const std::bad_alloc&) {
    failure_ = {Errc::out_of_memory, "no memory left"};  // short enough to need none itself
  }
  failed_.store(true, std::memory_order_release);
}

Status BatchRead::failure() {
  const std::lock_guard lock(errors_mutex_);
  return failure_;
}

}  // namespace microtome
