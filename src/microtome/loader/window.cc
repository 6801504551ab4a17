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
  MICROTOME_ASSIGN(std::vector<TileKey> tiles, source_.tiles_of(batch));
  std::sort(tiles.begin(), tiles.end());
  tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
  for (size_t i = 0; i < tiles.size(); ++i) {
    const auto [seen, is_new] = last_seen_.try_emplace(tiles[i], LastSeen{batch, i});
    if (is_new) {
      distinct_bytes_ += source_.bytes_of(tiles[i]);
      continue;
    }
    ahead_[seen->second.batch - started_].next_use[seen->second.position] = batch;
    seen->second = {batch, i};
  }
  entries_ += source_.patches_per_batch + tiles.size();
  std::vector<uint64_t> next_use(tiles.size(), kNever);
  ahead_.push_back({std::move(tiles), std::move(next_use)});
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
  for (size_t i = 0; i < batch.tiles.size(); ++i) {
    if (batch.next_use[i] == kNever) {
      last_seen_.erase(batch.tiles[i]);
      distinct_bytes_ -= source_.bytes_of(batch.tiles[i]);
    }
    decide(batch.tiles[i], number, batch.next_use[i], delivered, decision);
  }
  return decision;
}

void Window::decide(const TileKey& tile, uint64_t batch, uint64_t next_use, uint64_t delivered,
                    Decision& decision) {
  const auto kept = kept_.find(tile);
  if (kept != kept_.end()) {
    by_next_use_.erase({kept->second.next_use, tile});
    if (next_use == kNever) {
      leaving_.back().second.push_back(tile);
      kept_.erase(kept);
    } else {
      kept->second.last_use = batch;
      kept->second.next_use = next_use;
      by_next_use_.emplace(next_use, tile);
    }
    decision.cached.push_back(tile);
    return;
  }
  if (next_use == kNever) return;
  const size_t bytes = source_.bytes_of(tile);
  if (!make_room(bytes, next_use, delivered, decision)) return;
  kept_.emplace(tile, Kept{batch, next_use, bytes});
  by_next_use_.emplace(next_use, tile);
  kept_bytes_ += bytes;
  decision.cached.push_back(tile);
}

/// Only tiles that no batch on its way needs give way: what one of those would decode again after the tile
/// was erased, nobody would ever erase.
bool Window::make_room(size_t bytes, uint64_t next_use, uint64_t delivered, Decision& decision) {
  if (bytes > budget_bytes_) return false;
  while (kept_bytes_ > budget_bytes_ - bytes) {
    if (by_next_use_.empty()) return false;
    const auto furthest = std::prev(by_next_use_.end());
    const auto kept = kept_.find(furthest->second);
    if (furthest->first <= next_use || kept->second.last_use >= delivered) return false;
    decision.erase.push_back(furthest->second);
    kept_bytes_ -= kept->second.bytes;
    kept_.erase(kept);
    by_next_use_.erase(furthest);
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
