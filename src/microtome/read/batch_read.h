// One batch on its way from plan to pixels: fetch → decode → place, tile by tile.
//
// Made by Reader (one region, now) and by the loader (many regions, ahead of time). Threads call drain()
// together; each takes the next tile until none is left. It knows how a planned tile becomes placed pixels;
// not order, shuffle, prefetch, vendors or Python.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/device/buffer.h"
#include "microtome/plan/batch.h"
#include "microtome/read/tile_cache.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"

namespace microtome {

enum class OnError : uint8_t {
  raise,  ///< The first broken tile fails the read.
  fill,   ///< Broken tiles become background and are reported, one RegionError for each region they touch.
};

struct RegionError {
  uint32_t region = 0;
  Error error;
};

/// How many tiles went which way; for tests and microtome.info(). Exact whenever no drain() is running.
struct ReadCounters {
  std::atomic<uint64_t> decoded{0};  ///< Calls of a decoder.
  std::atomic<uint64_t> direct{0};   ///< … of them straight into the destination.
  std::atomic<uint64_t> shared{
      0};  ///< Placements served by a tile decoded for another one, or found in a cache.
  std::atomic<uint64_t> absent{0};        ///< Tiles the file does not have.
  std::atomic<uint64_t> packed_bytes{0};  ///< Read from sources.
};

/// What a read does to the cache it was given.
enum class CacheUse : uint8_t {
  fill,     ///< Tiles that are not there are made whole and kept.
  consult,  ///< Only takes what is there: for reads that would push everything else out.
};

struct BatchReadOptions {
  std::vector<std::byte> fill;  ///< One pixel, for what lies outside and for absent (and broken) tiles.
  OnError on_error = OnError::raise;
  TileCache* cache = nullptr;  ///< unowned: outlives the read. Null: none.
  CacheUse cache_use = CacheUse::fill;
  BufferPool* buffers = nullptr;  ///< unowned: memory of tiles that go through `cache`; needed to fill one.
  /// Which tiles go through the cache rather than straight to their places; null with a cache: all.
  std::function<bool(const TileKey&)> keep;
  ReadCounters* counters = nullptr;  ///< unowned; may be null.
};

class BatchRead {
 public:
  /// `slides` are what TileKey::slide counts; `dst[i]` is exactly plan.sizes[i] and stays valid until the
  /// last drain() returns. All slides' images in the plan have the samples and type of the destinations.
  BatchRead(std::vector<std::shared_ptr<const Slide>> slides, BatchPlan plan, std::vector<ImageView> dst,
            BatchReadOptions options);

  /// Units of work: tiles, and regions with background to fill.
  size_t unit_count() const noexcept;

  /// Takes and does units until none is left, `stop` is set or one fails (on_error raise). Call from as many
  /// threads as you like, each with its own worker. Errors carry slide, level and tile.
  Status drain(Worker& worker, const std::atomic<bool>* stop = nullptr);

  /// Whether every unit has been done; the thread whose drain() did the last one sees true.
  bool done() const noexcept;

  const BatchPlan& plan() const noexcept { return plan_; }

  /// Only after done(): what on_error fill filled, by region then tile.
  std::vector<RegionError> take_errors();

 private:
  Status do_tile(const PlannedTile& planned, Worker& worker);
  void fill_outside(uint32_t region) const;

  std::vector<std::shared_ptr<const Slide>> slides_;
  BatchPlan plan_;
  std::vector<ImageView> dst_;
  BatchReadOptions options_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> finished_{0};
  std::mutex errors_mutex_;
  std::vector<RegionError> errors_;
};

}  // namespace microtome
