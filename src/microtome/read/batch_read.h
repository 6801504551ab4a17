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

/// Whether pixels of an image of a slide fit `dst`. Errors: invalid_argument, naming the samples of both.
Status check_pixels(const ImageView& dst, const Slide& slide, int image);

/// Thread-safe but for construction and take_errors().
///
/// Note [What on_error fill forgives]
/// A tile whose bytes are broken, cannot be read, or are packed in a way that we do not decode (corrupt, io,
/// unsupported) becomes background and is reported. Everything that is not about one tile fails the read
/// whatever `on_error` says: a file that changed since it was opened, memory that ran out, destinations that
/// do not fit.
class BatchRead {
 public:
  /// `slides` are what TileKey::slide counts; `dst[i]` is exactly plan.sizes[i] and stays valid until the
  /// last drain() returns. All slides' images in the plan have the samples and type of the destinations.
  /// Where that is not so, or `fill` is not one pixel, every drain() returns invalid_argument and writes
  /// nothing.
  BatchRead(std::vector<std::shared_ptr<const Slide>> slides, BatchPlan plan, std::vector<ImageView> dst,
            BatchReadOptions options);

  /// Units of work: tiles, and regions with background to fill.
  size_t unit_count() const noexcept { return plan_.tiles.size() + background_.size(); }

  /// Takes and does units until none is left (ok), `stop` is set (ok; done() stays false) or one fails: then
  /// the drains of other threads return that same error, at their next unit. Call from as many threads as you
  /// like, each with its own worker.
  /// Errors: corrupt, unsupported, io, out_of_memory with tile, level and slide; io for a slide whose file
  /// changed since it was opened (looked at once in each BatchRead); invalid_argument as above.
  Status drain(Worker& worker, const std::atomic<bool>* stop = nullptr);

  /// Whether every unit has been done; the thread whose drain() did the last one sees true.
  bool done() const noexcept { return finished_.load(std::memory_order_acquire) == unit_count(); }

  const BatchPlan& plan() const noexcept { return plan_; }

  /// Only after done(): what on_error fill filled, by region then tile.
  std::vector<RegionError> take_errors();

 private:
  struct Tally;
  struct Job;
  struct Broken {
    RegionError what;
    size_t tile;
  };

  Status check() const;
  Status check_sources() const;
  Status drain_units(Worker& worker, const std::atomic<bool>* stop, Tally& tally);
  Status do_tile(size_t number, Worker& worker, Tally& tally);
  Status place(Job& job);
  void place_cached(const Job& job, const TilePixels& pixels) const;
  Result<TileCache::Pixels> from_cache(Job& job);
  Result<TilePixels> decode_whole(Job& job);
  Status decode_and_place(Job& job);
  Status decode(Job& job, const Rect& region, const ImageView& to);
  void fill_placements(const PlannedTile& planned) const;
  void report(size_t number, const Error& error);
  ImageView destination(const Placement& placement) const noexcept;
  Status failure();
  void fail(const Error& error);

  std::vector<std::shared_ptr<const Slide>> slides_;
  BatchPlan plan_;
  std::vector<ImageView> dst_;
  BatchReadOptions options_;
  std::vector<uint32_t> background_;  // regions that no tile covers whole
  std::atomic<size_t> next_{0};
  std::atomic<size_t> finished_{0};
  std::atomic<bool> sources_checked_{false};
  std::atomic<bool> failed_{false};
  std::mutex errors_mutex_;  // of the two below
  Error failure_;
  std::vector<Broken> broken_;
};

}  // namespace microtome
