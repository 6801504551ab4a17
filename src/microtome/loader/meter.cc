#include "microtome/loader/meter.h"

#include <algorithm>

namespace microtome {

int64_t BusyClock::total_us(int64_t now_us) const noexcept {
  const int64_t number = number_.load(std::memory_order_relaxed);
  constexpr int64_t kHalf = kOne / 2;
  // The lower bits are signed: a negative sum has borrowed one from the count.
  const int64_t inside = (number + kHalf) >> kTimeBits;
  return number - inside * kOne + inside * now_us;
}

void LoaderMeter::start(int workers) noexcept {
  const int64_t now = now_us();
  working_.forget(now);
  waiting_.forget(now);
  workers_.store(workers, std::memory_order_relaxed);
  int64_t not_yet = kNot;
  started_us_.compare_exchange_strong(not_yet, now, std::memory_order_relaxed);
  stopped_us_.store(kNot, std::memory_order_relaxed);
}

void LoaderMeter::stop() noexcept {
  stopped_us_.store(now_us(), std::memory_order_relaxed);
}

void LoaderMeter::begin(const std::vector<PlannedTile>& tiles) {
  uint64_t fresh = 0;
  uint64_t image = 0;
  uint32_t row_number = 0;
  std::vector<uint64_t>* row = nullptr;  // of the tile before: tiles stand by image and row
  for (const PlannedTile& planned : tiles) {
    const TileKey& tile = planned.tile;
    const uint64_t of = (uint64_t{tile.slide} << 32) | tile.image;
    if (row == nullptr || image != of || row_number != tile.row) {
      image = of;
      row_number = tile.row;
      row = &seen_[image][row_number];
    }
    const size_t word = tile.col / 64;
    if (row->size() <= word) row->resize(word + 1);
    const uint64_t bit = uint64_t{1} << (tile.col % 64);
    fresh += ((*row)[word] & bit) == 0;
    (*row)[word] |= bit;
  }
  tiles_.fetch_add(fresh, std::memory_order_relaxed);
}

LoaderStats LoaderMeter::stats() const noexcept {
  LoaderStats stats;
  const auto value = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  stats.batches = value(batches_);
  stats.tiles = value(tiles_);
  stats.decoded = value(read.decoded);
  stats.own = value(read.own);
  stats.library = value(read.library);
  stats.device = value(read.device);
  stats.left = value(read.left);
  stats.by_cufile = value(read.by_cufile);
  stats.cufile_failed = value(read.cufile_failed);
  stats.reused = value(read.shared);
  stats.constant = value(read.constant);
  stats.twins = value(read.twins);
  stats.absent = value(read.absent);
  stats.bytes_read = value(read.packed_bytes);
  const int64_t now = now_us();
  const auto seconds = [](int64_t us) { return static_cast<double>(std::max<int64_t>(us, 0)) * 1e-6; };
  stats.consumer_waited_s = seconds(waiting_.total_us(now));
  const int64_t started = started_us_.load(std::memory_order_relaxed);
  if (started == kNot) return stats;
  const int64_t stopped = stopped_us_.load(std::memory_order_relaxed);
  const int64_t lasted = (stopped == kNot ? now : stopped) - started;
  const int64_t worked = working_.total_us(now);
  stats.workers_waited_s = seconds(workers_.load(std::memory_order_relaxed) * lasted - worked);
  return stats;
}

}  // namespace microtome
