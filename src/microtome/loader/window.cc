#include "microtome/loader/window.h"

#include <algorithm>

namespace microtome {

Window::Window(Source source, size_t budget_bytes, uint64_t first)
    : source_(std::move(source)), budget_bytes_(budget_bytes), started_(first) {}

bool Window::full() const noexcept {
  if (ended_ || started_ + ahead_.size() == source_.batch_count) return true;
  if (ahead_.size() <= kMinAhead) return false;
  return entries_ >= max_entries_ || distinct_bytes_ / kBudgets >= budget_bytes_;
}

Status Window::look_ahead() {
  while (!full()) {
    Status status = add_batch();
    if (status.ok()) continue;
    if (ahead_.empty()) return status;
    ended_ = true;  // the batch it belongs to asks again when it is started
  }
  return ok_status();
}

Status Window::add_batch() {
  const uint64_t batch = started_ + ahead_.size();
  MICROTOME_ASSIGN(std::vector<PartOfTile> parts, source_.tiles_of(batch));
  std::sort(parts.begin(), parts.end(),
            [](const PartOfTile& a, const PartOfTile& b) { return a.tile < b.tile; });
  Ahead added;
  added.uses.reserve(parts.size());
  const TileKey* before = nullptr;
  for (const auto& [key, needed] : parts) {
    if (before != nullptr && *before == key) {
      Rect& all = added.uses.back().needed;
      all = unite(all, needed);
      continue;
    }
    before = &key;
    const auto [number, is_new] = numbers_.add(key);
    if (number == tiles_.size()) tiles_.emplace_back();
    Tile& tile = tiles_[number];
    const auto position = static_cast<uint32_t>(added.uses.size());
    if (is_new) {
      tile.kept = false;
      distinct_bytes_ += bytes_of(source_.shown(key));
    } else {
      Ahead::Use& last = ahead(tile.last_seen).uses[tile.position];
      last.next_use = batch;
      last.next_position = position;
    }
    tile.last_seen = batch;
    tile.position = position;
    added.uses.push_back({.tile = number, .needed = needed});
  }
  entries_ += source_.patches_per_batch + added.uses.size();
  ahead_.push_back(std::move(added));
  return ok_status();
}

Result<Window::Decision> Window::start(uint64_t delivered) {
  Decision decision;
  if (budget_bytes_ == 0) return decision;
  if (ahead_.empty()) ended_ = false;
  MICROTOME_TRY(look_ahead());
  const Ahead batch = std::move(ahead_.front());
  ahead_.pop_front();
  max_entries_ = std::min(max_entries_ + kMoreEntries, kMaxEntries);
  const uint64_t number = started_++;
  entries_ -= source_.patches_per_batch + batch.uses.size();
  leaving_.push_back({number, {}});
  for (const Ahead::Use& use : batch.uses) decide(use, number, delivered, decision);
  return decision;
}

void Window::decide(const Ahead::Use& use, uint64_t batch, uint64_t delivered, Decision& decision) {
  const TileKey key = numbers_.key(use.tile);
  Tile& tile = tiles_[use.tile];
  const bool kept = tile.kept;
  if (kept && tile.part.contains(use.needed)) {
    // Whoever comes first makes it, and that may be a later batch's thread: then for the first one too.
    decision.cached.push_back({key, unite(tile.part, tile.first_needed)});
  }
  if (use.next_use == kNever) {
    distinct_bytes_ -= bytes_of(source_.shown(key));
    numbers_.remove(use.tile);
    tile.kept = false;
    if (!kept) return;
    leaving_.back().tiles.push_back(key);
    leaving_.back().bytes += tile.bytes;
  } else if (kept || begin_to_keep(use, delivered, decision)) {
    keep(use.tile, batch, use.next_use);
  }
}

/// False: there is no room for it.
bool Window::begin_to_keep(const Ahead::Use& use, uint64_t delivered, Decision& decision) {
  const TileKey& key = numbers_.key(use.tile);
  const Rect part = part_to_keep(use, source_.shown(key));
  const size_t bytes = bytes_of(part);
  if (!make_room(bytes, use.next_use, delivered, decision)) return false;
  Tile& tile = tiles_[use.tile];
  tile.part = part;
  tile.bytes = bytes;
  tile.first_needed = use.needed;
  kept_bytes_ += bytes;
  decision.cached.push_back({key, part});
  return true;
}

/// See Note [Parts of tiles].
Rect Window::part_to_keep(const Ahead::Use& use, const Rect& shown) const {
  Rect part;
  const Ahead::Use* at = &use;
  for (int i = 0; at->next_use != kNever; ++i) {
    if (i == kPartUses) return shown;
    at = &ahead(at->next_use).uses[at->next_position];
    part = unite(part, at->needed);
    if (2 * part.w * part.h > shown.w * shown.h) return shown;
  }
  return part;
}

size_t Window::bytes_of(const Rect& part) const noexcept {
  return static_cast<size_t>(part.w) * static_cast<size_t>(part.h) * source_.pixel_bytes;
}

void Window::keep(uint32_t number, uint64_t batch, uint64_t next_use) {
  Tile& tile = tiles_[number];
  tile.kept = true;
  tile.last_use = batch;
  tile.next_use = next_use;
  ahead(next_use).kept.push_back(number);
  furthest_ = std::max(furthest_, next_use);
}

/// Of the kept tiles whose next use is furthest the one used longest ago, or null.
const uint32_t* Window::furthest_kept() {
  for (; furthest_ >= started_; --furthest_) {
    Ahead& batch = ahead(furthest_);
    for (; batch.first_kept < batch.kept.size(); ++batch.first_kept) {
      const uint32_t& number = batch.kept[batch.first_kept];
      if (tiles_[number].kept && tiles_[number].next_use == furthest_) return &number;
    }
    if (furthest_ == 0) return nullptr;
  }
  return nullptr;
}

/// Only tiles that no batch on its way needs give way: what one of those would decode again after the tile
/// was erased, nobody would ever erase.
bool Window::make_room(size_t bytes, uint64_t next_use, uint64_t delivered, Decision& decision) {
  if (bytes > budget_bytes_) return false;
  while (kept_bytes_ > budget_bytes_ - bytes) {
    const uint32_t* const number = furthest_kept();
    if (number == nullptr || furthest_ <= next_use || tiles_[*number].last_use >= delivered) return false;
    const TileKey& key = numbers_.key(*number);
    decision.erase.push_back(key);
    kept_bytes_ -= tiles_[*number].bytes;
    tiles_[*number].kept = false;
  }
  return true;
}

std::vector<TileKey> Window::deliver(uint64_t batch) {
  if (leaving_.empty() || leaving_.front().batch != batch) return {};
  const Leaving left = std::move(leaving_.front());
  leaving_.pop_front();
  kept_bytes_ -= left.bytes;
  return left.tiles;
}

}  // namespace microtome
