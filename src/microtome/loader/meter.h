// What a loader counts, readable from any thread at any moment.
//
// Written by the loader's consumer and threads: a clock is looked at when a thread begins or ends work, not
// for each tile. No locks, so that a forked child finds none taken. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "microtome/plan/region.h"
#include "microtome/read/batch_read.h"

namespace microtome {

/// Exact when all threads of the loader rest; else what is on its way is missing here and there.
struct LoaderStats {
  uint64_t batches = 0;        ///< Delivered.
  uint64_t tiles = 0;          ///< Different ones that the batches begun so far need.
  uint64_t decoded = 0;        ///< Calls of a decoder: more than `tiles` where some had to be decoded again.
  uint64_t own = 0;            ///< … of them by a decoder of ours that has a library behind it.
  uint64_t library = 0;        ///< … of them left to the library by such a decoder.
  uint64_t device = 0;         ///< … of them by a device.
  uint64_t left = 0;           ///< Tiles that were meant for a device and left to the CPU.
  uint64_t by_cufile = 0;      ///< Tiles read into memory of a device: nothing to be decoded.
  uint64_t cufile_failed = 0;  ///< Reads of such tiles that failed.
  uint64_t reused = 0;         ///< Pieces of patches copied from a tile decoded for another piece.
  uint64_t constant = 0;       ///< Tiles filled: their bytes were known to be one colour.
  uint64_t twins = 0;          ///< Tiles copied from another one of the same bytes.
  uint64_t absent = 0;         ///< Tiles, once for each batch, that the file does not have.
  uint64_t bytes_read = 0;     ///< Of packed tiles.
  double consumer_waited_s = 0;  ///< Inside next(), its own decoding included.
  /// Sum over the threads that may decode of the time in which they did not: everything that was to be
  /// decoded ahead was, the rest was in others' hands, or no thread was free. From the first next() on.
  double workers_waited_s = 0;
};

/// How long, in sum, threads have been inside.
///
/// Note [One number]
/// Entering subtracts the time and leaving adds it, so the sum so far is the number plus, for each thread
/// that is inside, the time now. The count of those stands in the upper bits of the same number: two atomics
/// could not be read together.
class BusyClock {
 public:
  void enter(int64_t now_us) noexcept { number_.fetch_add(kOne - now_us, std::memory_order_relaxed); }
  void leave(int64_t now_us) noexcept { number_.fetch_sub(kOne - now_us, std::memory_order_relaxed); }
  int64_t total_us(int64_t now_us) const noexcept;
  /// Everyone inside is gone, as in a forked child.
  void forget(int64_t now_us) noexcept { number_.store(total_us(now_us), std::memory_order_relaxed); }

 private:
  static constexpr int kTimeBits = 52;  // ± 71 years of one thread, half a year of 128
  static constexpr int64_t kOne = int64_t{1} << kTimeBits;
  std::atomic<int64_t> number_{0};
};

class LoaderMeter {
 public:
  explicit LoaderMeter(ReadCounters* total) { read.total = total; }

  /// In the forked child too, where the threads that worked are gone.
  void start(int workers) noexcept;
  void stop() noexcept;

  /// Of the consumer: a batch begins whose distinct tiles are these.
  void begin(const std::vector<PlannedTile>& tiles);
  void delivered() noexcept { batches_.fetch_add(1, std::memory_order_relaxed); }

  LoaderStats stats() const noexcept;

  ReadCounters read;

  /// A thread begins or ends to work, where no Working can live that long.
  void works(bool begins) noexcept { begins ? working_.enter(now_us()) : working_.leave(now_us()); }

  /// While one lives, a thread works (or the consumer waits).
  class Working {
   public:
    explicit Working(LoaderMeter& meter) : Working(meter, meter.working_) {}
    ~Working() { clock_.leave(meter_.now_us()); }
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;

   protected:
    Working(LoaderMeter& meter, BusyClock& clock) : meter_(meter), clock_(clock) {
      clock_.enter(meter_.now_us());
    }

   private:
    LoaderMeter& meter_;
    BusyClock& clock_;
  };
  struct Waiting : Working {
    explicit Waiting(LoaderMeter& meter) : Working(meter, meter.waiting_) {}
  };

 private:
  static constexpr int64_t kNot = -1;

  int64_t now_us() const noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - made_)
        .count();
  }

  const std::chrono::steady_clock::time_point made_ = std::chrono::steady_clock::now();
  BusyClock working_, waiting_;
  std::atomic<int> workers_{0};
  std::atomic<int64_t> started_us_{kNot}, stopped_us_{kNot};
  std::atomic<uint64_t> batches_{0}, tiles_{0};
  /// By slide and image, by row: one bit for each column. Only rows that batches touch take memory.
  std::unordered_map<uint64_t, std::unordered_map<uint32_t, std::vector<uint64_t>>> seen_;
};

}  // namespace microtome
