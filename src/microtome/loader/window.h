// Which decoded tiles are worth keeping: a look at the batches to come.
//
// Called by the loader, before a batch is started and after one is delivered. The whole order of patches is
// known, so each tile's next use is known as far as the window reaches. A tile that a later batch of the
// window needs again is kept until its last use, as far as the budget goes; of tiles that do not all fit,
// those needed soonest stay (Belady). All others go straight to their places. The decisions depend on order,
// budget and the batches delivered alone, not on timing. Pure bookkeeping: no pixels, no threads. Not
// thread-safe.
//
// Note [Parts of tiles]
// A grid half a tile off needs the upper half of a tile in one batch and the lower half in another. To keep
// all of it would be to write and read twice as much memory as is of use, which costs more than decoding from
// the second half on: so a tile's part that later batches need is kept, where that is half of it or less. A
// use that the window did not yet see when the tile was decoded may lie outside, and decodes the tile again;
// that is also why no more than half is worth leaving out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/loader/tile_numbers.h"
#include "microtome/plan/region.h"

namespace microtome {

/// A tile, and the part of it that is meant, in its pixels.
struct PartOfTile {
  TileKey tile;
  Rect part;
  bool operator==(const PartOfTile&) const = default;
};

class Window {
 public:
  /// The window ends where it holds this many patches and tiles of batches (a tile counts once for each
  /// batch): planning so many takes some ten milliseconds, and noting them some megabytes. Or …
  static constexpr uint64_t kMaxEntries = uint64_t{1} << 17;
  /// So that the first batch need not wait for that, the window begins with this many and grows by
  /// kMoreEntries with each batch.
  static constexpr uint64_t kFirstEntries = uint64_t{1} << 14, kMoreEntries = uint64_t{1} << 13;
  /// … as many distinct tiles as would fill the budget this many times: of more than that, few can be kept.
  static constexpr size_t kBudgets = 4;
  /// But never before it holds this many batches after the one that is started.
  static constexpr uint64_t kMinAhead = 2;
  /// A tile that more batches than this need again is kept whole.
  static constexpr int kPartUses = 4;

  struct Source {
    uint64_t batch_count = 0;
    uint64_t patches_per_batch = 0;
    /// The tiles of a batch and what it needs of them; repetitions are allowed.
    std::function<Result<std::vector<PartOfTile>>(uint64_t batch)> tiles_of;
    /// All of a tile that there is to keep.
    std::function<Rect(const TileKey&)> shown;
    size_t pixel_bytes = 0;
  };

  /// Batches are started in order from `first` on. Budget 0 keeps nothing.
  Window(Source source, size_t budget_bytes, uint64_t first);

  struct Decision {
    /// Sorted by tile: those to take from the cache, or to keep this part of there if they are not in it.
    std::vector<PartOfTile> cached;
    std::vector<TileKey> erase;  ///< No longer kept, and no batch on its way needs them: erase them first.
  };
  /// For the next batch in order, when all batches before `delivered` have been. Errors: what tiles_of
  /// returns for this batch; an error of a later one ends the window before it.
  Result<Decision> start(uint64_t delivered);

  /// Tiles whose last use was in `batch`, which has just been delivered: to be erased.
  std::vector<TileKey> deliver(uint64_t batch);

  size_t kept_bytes() const noexcept { return kept_bytes_; }  ///< Never more than the budget.

 private:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  /// A batch in the window.
  struct Ahead {
    struct Use {
      uint32_t tile;               // its number
      uint32_t next_position = 0;  // where the tile stands in that batch
      uint64_t next_use = kNever;  // the next batch that needs it
      Rect needed;
    };
    std::vector<Use> uses;  // of distinct tiles, sorted by tile
    // Kept tiles whose next use it is, in the order of their last use before; some may have been given up.
    std::vector<uint32_t> kept;
    size_t first_kept = 0;  // those before were given up
  };
  /// A tile that a batch in the window needs.
  struct Tile {
    uint64_t last_seen = 0;  // the last such batch, and …
    uint32_t position = 0;   // … where it stands there
    bool kept = false;
    uint64_t last_use = 0, next_use = 0;  // of a kept one
    Rect part;                            // what is kept of it
    size_t bytes = 0;                     // what that takes
    Rect first_needed;                    // by the batch that it was first kept for
  };

  /// Tiles whose last use is in a batch.
  struct Leaving {
    uint64_t batch;
    std::vector<TileKey> tiles;
    size_t bytes = 0;
  };

  Status look_ahead();
  Status add_batch();
  bool full() const noexcept;
  void decide(const Ahead::Use& use, uint64_t batch, uint64_t delivered, Decision& decision);
  bool begin_to_keep(const Ahead::Use& use, uint64_t delivered, Decision& decision);
  Rect part_to_keep(const Ahead::Use& use, const Rect& shown) const;
  size_t bytes_of(const Rect& part) const noexcept;
  bool make_room(size_t bytes, uint64_t next_use, uint64_t delivered, Decision& decision);
  void keep(uint32_t number, uint64_t batch, uint64_t next_use);
  const uint32_t* furthest_kept();
  Ahead& ahead(uint64_t batch) noexcept { return ahead_[batch - started_]; }
  const Ahead& ahead(uint64_t batch) const noexcept { return ahead_[batch - started_]; }

  Source source_;
  size_t budget_bytes_;
  uint64_t started_;         // the next batch to start
  std::deque<Ahead> ahead_;  // started_, started_ + 1, …
  uint64_t max_entries_ = kFirstEntries;
  uint64_t entries_ = 0;       // in ahead_, as kMaxEntries counts them
  size_t distinct_bytes_ = 0;  // of the tiles in numbers_
  bool ended_ = false;         // by an error
  TileNumbers numbers_;
  std::vector<Tile> tiles_;      // by number
  uint64_t furthest_ = 0;        // no kept tile's next use lies beyond
  std::deque<Leaving> leaving_;  // by batch of last use
  size_t kept_bytes_ = 0;        // of the kept ones and leaving_
};

}  // namespace microtome
