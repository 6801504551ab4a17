#include "microtome/read/batch_read.h"

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/read/place.h"

namespace microtome {

namespace {

// A tile of real slides packs to less than its pixels. What claims more than this is refused before memory is
// taken for it; small tiles may carry large tables, hence the floor.
constexpr uint64_t kPackedFloor = uint64_t{64} << 20;
constexpr uint64_t kPackedPerDecoded = 8;

uint64_t decoded_bytes(const TileFormat& format) noexcept {
  return checked_mul(static_cast<uint64_t>(format.size.w), static_cast<uint64_t>(format.size.h),
                     uint64_t{format.samples}, uint64_t{sample_bytes(format.type)})
      .value_or(UINT64_MAX / kPackedPerDecoded);
}

/// "tile 14,3 level 0, bytes 8123904+20110, a.svs"
std::string place_name(const Slide& slide, const TileKey& tile, const std::optional<ByteRange>& bytes) {
  std::string place =
      fmt::format("tile {},{} {}", tile.col, tile.row, slide.image_name(static_cast<int>(tile.image)));
  if (bytes) fmt::format_to(std::back_inserter(place), ", bytes {}+{}", bytes->offset, bytes->size);
  return place + fmt::format(", {}", slide.name());
}

/// See Note [What on_error fill forgives].
bool forgivable(Errc code) noexcept {
  return code == Errc::corrupt || code == Errc::unsupported || code == Errc::io;
}

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

/// One drain's part of the counters, so that threads do not pass one cache line around for every tile.
struct BatchRead::Tally {
  uint64_t decoded = 0, direct = 0, shared = 0, absent = 0, packed_bytes = 0;

  void add_to(ReadCounters* counters) const noexcept {
    if (counters == nullptr) return;
    const auto add = [](std::atomic<uint64_t>& counter, uint64_t value) {
      if (value != 0) counter.fetch_add(value, std::memory_order_relaxed);
    };
    add(counters->decoded, decoded);
    add(counters->direct, direct);
    add(counters->shared, shared);
    add(counters->absent, absent);
    add(counters->packed_bytes, packed_bytes);
  }
};

/// A tile on its way, and what its thread works with.
struct BatchRead::Job {
  const PlannedTile& planned;
  const Slide& slide;
  Worker& worker;
  Tally& tally;
  const TileFormat* format = nullptr;
  std::optional<ByteRange> bytes;  // once known
};

BatchRead::BatchRead(std::vector<std::shared_ptr<const Slide>> slides, BatchPlan plan,
                     std::vector<ImageView> dst, BatchReadOptions options)
    : slides_(std::move(slides)), plan_(std::move(plan)), dst_(std::move(dst)), options_(std::move(options)) {
  for (size_t i = 0; i < plan_.sizes.size(); ++i) {
    if (plan_.covered[i].size() != plan_.sizes[i]) background_.push_back(static_cast<uint32_t>(i));
  }
  if (const Status checked = check(); !checked.ok()) fail(checked.error());
}

Status BatchRead::check() const {
  if (dst_.size() != plan_.sizes.size())
    return invalid_argument("{} destinations, expected {}, one for each region", dst_.size(),
                            plan_.sizes.size());
  if (options_.cache != nullptr && options_.cache_use == CacheUse::fill && options_.buffers == nullptr)
    return invalid_argument("a tile cache to fill needs a buffer pool");
  if (dst_.empty()) return ok_status();
  const ImageView& first = dst_.front();
  if (options_.fill.size() != first.pixel_bytes())
    return invalid_argument("fill is {} bytes, expected {}: one pixel of {} {} samples", options_.fill.size(),
                            first.pixel_bytes(), first.samples, sample_name(first.type));
  for (size_t i = 0; i < dst_.size(); ++i)
    MICROTOME_TRY(check_destination(dst_[i], plan_.sizes[i], first, i));
  // Tiles stand by slide and image: each image is looked at once.
  const TileKey* before = nullptr;
  for (const PlannedTile& planned : plan_.tiles) {
    const TileKey& tile = planned.tile;
    if (before != nullptr && before->slide == tile.slide && before->image == tile.image) continue;
    before = &tile;
    MICROTOME_TRY(check_pixels(first, *slides_[tile.slide], static_cast<int>(tile.image)));
  }
  return ok_status();
}

Status BatchRead::check_sources() const {
  for (auto tile = plan_.tiles.begin(); tile != plan_.tiles.end();) {
    const uint32_t slide = tile->tile.slide;
    MICROTOME_TRY(slides_[slide]->source().check_unchanged());
    tile = std::partition_point(tile, plan_.tiles.end(),
                                [slide](const PlannedTile& planned) { return planned.tile.slide <= slide; });
  }
  return ok_status();
}

Status BatchRead::drain(Worker& worker, const std::atomic<bool>* stop) {
  Tally tally;
  Status status;
  try {
    status = drain_units(worker, stop, tally);
  } catch (const std::bad_alloc&) {
    status = Error{Errc::out_of_memory, "no memory left"};
  }
  tally.add_to(options_.counters);
  if (!status.ok()) fail(status.error());
  return status;
}

Status BatchRead::drain_units(Worker& worker, const std::atomic<bool>* stop, Tally& tally) {
  if (failed_.load(std::memory_order_acquire)) return failure();
  if (!sources_checked_.exchange(true, std::memory_order_relaxed)) MICROTOME_TRY(check_sources());
  const size_t tiles = plan_.tiles.size(), units = unit_count();
  for (;;) {
    if (failed_.load(std::memory_order_acquire)) return failure();
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return ok_status();
    const size_t unit = next_.fetch_add(1, std::memory_order_relaxed);
    if (unit >= units) return ok_status();
    if (unit < tiles) {
      MICROTOME_TRY(do_tile(unit, worker, tally));
    } else {
      const uint32_t region = background_[unit - tiles];
      fill_around(dst_[region], plan_.covered[region], options_.fill);
    }
    finished_.fetch_add(1, std::memory_order_acq_rel);
  }
}

Status BatchRead::do_tile(size_t number, Worker& worker, Tally& tally) {
  const PlannedTile& planned = plan_.tiles[number];
  Job job{planned, *slides_[planned.tile.slide], worker, tally, nullptr, std::nullopt};
  Status status = place(job);
  if (status.ok()) [[likely]]
    return status;
  Error error = std::move(status).error().with_place(place_name(job.slide, planned.tile, job.bytes));
  if (options_.on_error == OnError::raise || !forgivable(error.code)) return error;
  fill_placements(planned);
  report(number, error);
  return ok_status();
}

Status BatchRead::place(Job& job) {
  const TileKey& tile = job.planned.tile;
  MICROTOME_ASSIGN(const std::optional<TileRef> ref,
                   job.slide.tile(static_cast<int>(tile.image), tile.col, tile.row));
  if (!ref) {
    ++job.tally.absent;
    fill_placements(job.planned);
    return ok_status();
  }
  job.format = ref->format;
  job.bytes = ref->bytes;
  if (options_.cache != nullptr && (!options_.keep || options_.keep(tile))) {
    MICROTOME_ASSIGN(const TileCache::Pixels pixels, from_cache(job));
    if (pixels != nullptr) {
      place_cached(job, *pixels);
      return ok_status();
    }
  }
  return decode_and_place(job);
}

Result<TileCache::Pixels> BatchRead::from_cache(Job& job) {
  const TileKey& tile = job.planned.tile;
  const TileCacheKey key{job.slide.source().id(), tile.image, tile.col, tile.row};
  uint64_t shared = job.planned.placement_count;
  Result<TileCache::Pixels> pixels = TileCache::Pixels();
  if (options_.cache_use == CacheUse::consult) {
    pixels = options_.cache->find(key);
  } else {
    const uint64_t decoded_before = job.tally.decoded;
    pixels = options_.cache->get(key, [this, &job] { return decode_whole(job); });
    if (job.tally.decoded != decoded_before) --shared;  // the first placement is what it was decoded for
  }
  if (pixels.ok() && *pixels != nullptr) job.tally.shared += shared;
  return pixels;
}

void BatchRead::place_cached(const Job& job, const TilePixels& pixels) const {
  const Rect shown = job.slide.image(static_cast<int>(job.planned.tile.image))
                         .shown(job.planned.tile.col, job.planned.tile.row);
  const ImageView from = pixels.view();
  for (const Placement& placement : plan_.of(job.planned)) {
    const Rect& src = placement.src;
    copy_pixels(from.part({src.x - shown.x, src.y - shown.y, src.w, src.h}), destination(placement));
  }
}

Result<TilePixels> BatchRead::decode_whole(Job& job) {
  const TileKey& tile = job.planned.tile;
  const Rect shown = job.slide.image(static_cast<int>(tile.image)).shown(tile.col, tile.row);
  TilePixels pixels{{}, shown.size(), job.format->samples, job.format->type};
  const size_t bytes = pixels.view().row_bytes() * static_cast<size_t>(shown.h);
  MICROTOME_ASSIGN(pixels.buffer, options_.buffers->allocate(bytes));
  MICROTOME_TRY(decode(job, shown, pixels.view()));
  return pixels;
}

Status BatchRead::decode_and_place(Job& job) {
  const auto placements = plan_.of(job.planned);
  const Rect& needed = job.planned.needed;
  // A placement that takes all that is needed is decoded in place, and the others are copied from there.
  const auto home = std::find_if(placements.begin(), placements.end(),
                                 [&needed](const Placement& placement) { return placement.src == needed; });
  ImageView decoded;
  if (home != placements.end()) {
    decoded = destination(*home);
  } else {
    decoded = {nullptr, needed.size(), 0, job.format->samples, job.format->type};
    decoded.row_stride = static_cast<int64_t>(decoded.row_bytes());
    MICROTOME_ASSIGN(const std::span<std::byte> scratch,
                     job.worker.pixels.take(decoded.row_bytes() * static_cast<size_t>(needed.h)));
    decoded.data = scratch.data();
  }
  MICROTOME_TRY(decode(job, needed, decoded));
  if (home != placements.end()) ++job.tally.direct;
  for (auto placement = placements.begin(); placement != placements.end(); ++placement) {
    const Rect& src = placement->src;
    if (placement != home)
      copy_pixels(decoded.part({src.x - needed.x, src.y - needed.y, src.w, src.h}), destination(*placement));
  }
  job.tally.shared += placements.size() - 1;
  return ok_status();
}

Status BatchRead::decode(Job& job, const Rect& region, const ImageView& to) {
  const uint64_t limit = std::max(kPackedFloor, kPackedPerDecoded * decoded_bytes(*job.format));
  if (job.bytes->size > limit)
    return corrupt("a tile of {} bytes, expected at most {} for {}x{} pixels", job.bytes->size, limit,
                   job.format->size.w, job.format->size.h);
  MICROTOME_ASSIGN(Decoder * decoder, job.worker.decoder(*job.format));
  MICROTOME_ASSIGN(const std::span<std::byte> packed, job.worker.packed.take(job.bytes->size));
  MICROTOME_TRY(job.slide.source().read_at(job.bytes->offset, packed));
  job.tally.packed_bytes += packed.size();
  ++job.tally.decoded;
  return decoder->decode(packed, *job.format, {region}, to);
}

void BatchRead::fill_placements(const PlannedTile& planned) const {
  for (const Placement& placement : plan_.of(planned)) fill_pixels(destination(placement), options_.fill);
}

ImageView BatchRead::destination(const Placement& placement) const noexcept {
  const auto [x, y] = placement.dst;
  return dst_[placement.region].part({x, y, placement.src.w, placement.src.h});
}

void BatchRead::report(size_t number, const Error& error) {
  const std::lock_guard lock(errors_mutex_);
  const auto before = static_cast<std::ptrdiff_t>(broken_.size());
  for (const Placement& placement : plan_.of(plan_.tiles[number])) {
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
