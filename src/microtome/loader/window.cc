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
  MICROTOME_ASSIGN(std::vector<TileKey> keys, source_.tiles_of(batch));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Ahead added;
  added.tiles.resize(keys.size());
  added.next_use.assign(keys.size(), kNever);
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto [number, is_new] = numbers_.add(keys[i]);
    if (number == tiles_.size()) tiles_.emplace_back();
    Tile& tile = tiles_[number];
    added.tiles[i] = number;
    if (is_new) {
      tile.kept = false;
      distinct_bytes_ += source_.bytes_of(keys[i]);
    } else {
      ahead(tile.last_seen).next_use[tile.position] = batch;
    }
    tile.last_seen = batch;
    tile.position = static_cast<uint32_t>(i);
  }
  entries_ += source_.patches_per_batch + keys.size();
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
  entries_ -= source_.patches_per_batch + batch.tiles.size();
  leaving_.emplace_back(number, std::vector<TileKey>());
  for (size_t i = 0; i < batch.tiles.size(); ++i)
    decide(batch.tiles[i], number, batch.next_use[i], delivered, decision);
  return decision;
}

void Window::decide(uint32_t number, uint64_t batch, uint64_t next_use, uint64_t delivered,
                    Decision& decision) {
  const TileKey key = numbers_.key(number);
  const bool kept = tiles_[number].kept;
  if (next_use == kNever) {
    distinct_bytes_ -= source_.bytes_of(key);
    numbers_.remove(number);
    tiles_[number].kept = false;
    if (kept) leaving_.back().second.push_back(key);
  } else if (kept) {
    keep(number, batch, next_use);
  } else {
    const size_t bytes = source_.bytes_of(key);
    if (!make_room(bytes, next_use, delivered, decision)) return;
    keep(number, batch, next_use);
    kept_bytes_ += bytes;
    decision.cached.push_back(key);
    return;
  }
  if (kept) decision.cached.push_back(key);
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
    kept_bytes_ -= source_.bytes_of(key);
    tiles_[*number].kept = false;
  }
  return true;
}

std::vector<TileKey> Window::deliver(uint64_t batch) {
  if (leaving_.empty() || leaving_.front().first != batch) return {};
  std::vector<TileKey> tiles = std::move(leaving_.front().second);
  leaving_.pop_front();
  for (const TileKey& tile : tiles) kept_bytes_ -= source_.bytes_of(tile);
  return tiles;
}

}  // namespace microtome
