#include "microtome/read/gpu/steps.h"

#include <algorithm>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/decode_tile.h"
#include "microtome/read/tile_names.h"

namespace microtome::gpu {
namespace {

size_t aligned(size_t bytes) noexcept {
  return (bytes + SlabRing::kAlign - 1) / SlabRing::kAlign * SlabRing::kAlign;
}

}  // namespace

Status StepPlanner::check_sources(const DeviceRead& read) const {
  const auto& tiles = read.plan.tiles;
  for (auto tile = tiles.begin(); tile != tiles.end();) {
    const uint32_t slide = tile->tile.slide;
    MICROTOME_TRY(read.slides[slide]->source().check_unchanged());
    tile = std::partition_point(tile, tiles.end(),
                                [slide](const PlannedTile& planned) { return planned.tile.slide <= slide; });
  }
  return ok_status();
}

Result<std::vector<std::unique_ptr<Step>>> StepPlanner::cut(const std::shared_ptr<DeviceRead>& read) {
  read_ = read;
  if (Status status = cut_all(); !status.ok()) {
    ring_.forget();  // what was kept for this read is never decoded
    return std::move(status).error();
  }
  read->steps_left = steps_.size();
  return std::move(steps_);
}

Status StepPlanner::cut_all() {
  MICROTOME_TRY(check_sources(*read_));
  open();
  for (uint32_t region = 0; region < read_->plan.sizes.size(); ++region) add_background(region);
  // What is on the device first: before new tiles make it forgotten.
  std::vector<const PlannedTile*> later;
  for (const PlannedTile& planned : read_->plan.tiles) {
    if (const auto tile = ring_.find(planned.tile, planned.needed)) {
      MICROTOME_TRY(add_parts(tile, planned, 0));
    } else {
      later.push_back(&planned);
    }
  }
  for (const PlannedTile* planned : later) MICROTOME_TRY(add_tile(*planned, 0));
  close();
  return ok_status();
}

void StepPlanner::add_background(uint32_t region) {
  const Size size = read_->plan.sizes[region];
  around(size, read_->plan.covered[region], [&](const Rect& rect) {
    make_room(0, 1);
    steps_.back()->background.emplace_back(region, rect);
    ++steps_.back()->piece_count;
  });
}

/// A tile that is not on the device, for its placements from `first` on.
Status StepPlanner::add_tile(const PlannedTile& planned, uint32_t first) {
  const TileKey& key = planned.tile;
  const Slide& slide = *read_->slides[key.slide];
  const auto tile = std::make_shared<SlabTile>();
  tile->key = key;
  tile->have = planned.needed;
  const Result<std::optional<TileRef>> found = slide.tile(static_cast<int>(key.image), key.col, key.row);
  if (!found.ok()) {
    tile->error = Error(found.error()).with_place(place_name(slide, key, std::nullopt));
    return add_parts(tile, planned, first);
  }
  if (!*found) {
    tile->verdict = TileVerdict::absent;
    for (ReadCounters* counters = read_->counters; counters != nullptr; counters = counters->total)
      counters->absent.fetch_add(1, std::memory_order_relaxed);
    return add_parts(tile, planned, first);
  }
  const TileRef& ref = **found;
  tile->part = slide.image(static_cast<int>(key.image)).shown(key.col, key.row);
  if (pixel_slot_bytes(*ref.format, tile->part.size()) > kLargestWholeSlot) tile->part = planned.needed;
  const size_t bytes = backend_.slot_bytes(slide, key, ref, tile->part);
  const size_t most = ring_.slab_bytes() - step_overhead(read_->constants.bytes.size());
  if (bytes > most)
    return out_of_memory(
        "{}x{} pixels of a tile need {} bytes of the device, where device_memory_limit leaves "
        "{} for one ({})",
        tile->part.w, tile->part.h, bytes, most, place_name(slide, key, ref.bytes));
  make_room(bytes, std::min(kMostPiecesOfPart, planned.placement_count - first));
  tile->in_slab = true;
  steps_.back()->list->jobs.push_back(
      {tile, &slide, ref, planned.needed, {ring_.take(bytes), nullptr, bytes}});
  ring_.keep(tile);
  return add_parts(tile, planned, first);
}

/// Placements of a tile, in as many parts as it takes.
Status StepPlanner::add_parts(const std::shared_ptr<SlabTile>& tile, const PlannedTile& planned,
                              uint32_t first) {
  for (; first < planned.placement_count; first += kMostPiecesOfPart) {
    const uint32_t count = std::min(kMostPiecesOfPart, planned.placement_count - first);
    make_room(0, count);
    if (tile->in_slab) {
      // Its slab may be the very one that has just been begun.
      if (ring_.find(planned.tile, planned.needed) != tile) return add_tile(planned, first);
      ring_.read_by(*tile, steps_.back()->number);
    }
    steps_.back()->parts.push_back({tile, &planned, planned.first_placement + first, count});
    steps_.back()->piece_count += count;
  }
  return ok_status();
}

bool StepPlanner::fits(size_t slot_bytes, size_t pieces) const noexcept {
  const size_t listed = (steps_.back()->piece_count + pieces) * sizeof(ScatterPiece);
  return aligned(slot_bytes) + aligned(listed) + aligned(read_->constants.bytes.size()) <= ring_.room();
}

void StepPlanner::make_room(size_t slot_bytes, size_t pieces) {
  if (fits(slot_bytes, pieces)) return;
  if (steps_.back()->piece_count > 0) {
    close();
    open();
  }
  if (fits(slot_bytes, pieces)) return;
  ring_.advance();
  begin();
}

void StepPlanner::open() {
  auto step = std::make_unique<Step>();
  step->number = ++last_step_;
  step->read = read_;
  steps_.push_back(std::move(step));
  begin();
}

void StepPlanner::begin() {
  steps_.back()->begin = ring_.position();
  steps_.back()->must_be_done = ring_.must_be_done();
}

void StepPlanner::close() {
  Step& step = *steps_.back();
  step.pieces_at = ring_.take(step.piece_count * sizeof(ScatterPiece));
  step.constants_at = ring_.take(read_->constants.bytes.size());
  step.bytes = step.constants_at + read_->constants.bytes.size() - step.begin;
  ring_.filled_by(step.number);
}

}  // namespace microtome::gpu
