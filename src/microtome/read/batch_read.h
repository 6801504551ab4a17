// One batch on its way from plan to pixels: its tiles shared out among threads, its failures collected.
//
// Made by Reader (one region, now) and by the loader (many regions, ahead of time). Threads call drain()
// together; each takes the next tiles until none is left, and a TilePlacer makes each of them pixels. It
// knows units and errors; not how a tile is decoded, nor order, shuffle, prefetch, vendors or Python.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/plan/batch.h"
#include "microtome/read/read_options.h"
#include "microtome/read/tile_placer.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"

namespace microtome {

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
  size_t unit_count() const noexcept { return job_.plan.tiles.size() + background_.size(); }

  /// Takes and does units until none is left (ok), `stop` is set (ok; looked at now and then, but not
  /// before some unit was done, so that whoever stops and comes back gets on) or one fails: then the drains
  /// of other threads return that same error, at their next unit. Call from as many threads as you like, each
  /// with its own worker.
  ///
  /// Note [Tiles being decoded elsewhere]
  /// A tile that another thread is decoding for the cache at that moment is put off: other units come first.
  /// When none of them is left, `busy` says whether to wait for it or to leave it; then some drain must come
  /// again later, if only one that waits: puts_off() tells.
  ///
  /// Errors: corrupt, unsupported, io, out_of_memory with tile, level and slide; io for a slide whose file
  /// changed since it was opened (looked at once in each BatchRead); invalid_argument as above.
  Status drain(Worker& worker, const std::atomic<bool>* stop = nullptr,
               TileCache::Busy busy = TileCache::Busy::wait);

  /// Whether no unit is left that a drain has not taken: after one that was stopped there may be some. What
  /// `stop` says by then does not tell, since it changes at any time.
  bool all_taken() const noexcept { return next_.load(std::memory_order_acquire) >= unit_count(); }

  /// Whether drains have left units that no drain has taken up again.
  bool puts_off() const;

  /// Whether every unit has been done; the thread whose drain() did the last one sees true.
  bool done() const noexcept { return finished_.load(std::memory_order_acquire) == unit_count(); }

  const BatchPlan& plan() const noexcept { return job_.plan; }

  /// Only after done(): what on_error fill filled, by region then tile.
  std::vector<RegionError> take_errors();

 private:
  struct Broken {
    RegionError what;
    size_t tile;
  };

  Status check() const;
  Status check_sources() const;
  Status drain_units(TilePlacer& placer, const std::atomic<bool>* stop, TileCache::Busy busy);
  Status drain_put_off(TilePlacer& placer, const std::atomic<bool>* stop, TileCache::Busy busy);
  size_t claim_size(size_t next) const noexcept;
  Result<bool> do_unit(size_t unit, size_t claim_end, TilePlacer& placer, TileCache::Busy busy);
  Result<bool> do_tile(size_t number, size_t claim_end, TilePlacer& placer, TileCache::Busy busy);
  void put_off(size_t unit);
  std::optional<size_t> take_put_off();
  void report(size_t number, const Error& error);
  Status failure();
  void fail(const Error& error);

  ReadJob job_;
  std::vector<uint32_t> background_;  // regions that no tile covers whole
  std::atomic<size_t> next_{0};
  std::atomic<size_t> finished_{0};
  std::atomic<bool> sources_checked_{false};
  std::atomic<bool> failed_{false};
  mutable std::mutex put_off_mutex_;
  std::vector<size_t> put_off_;  // units
  std::mutex errors_mutex_;      // of the two below
  Error failure_;
  std::vector<Broken> broken_;
};

}  // namespace microtome
