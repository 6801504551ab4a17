// One planned tile on its way to pixels: fetch → decode → place.
//
// Called by batch_read, one for each thread that works on a batch. It takes the cheapest way that gives the
// tile's pixels: a cache, background for a tile that the file lacks, a fill for bytes that are known to be
// one colour, a copy of a tile of the same bytes, and the decoder at last, straight into the destination
// where it can. It knows nothing of other threads, of order, or of what is done about errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/plan/batch.h"
#include "microtome/read/place.h"
#include "microtome/read/read_options.h"
#include "microtome/read/twin_tiles.h"
#include "microtome/read/worker.h"
#include "microtome/slide/slide.h"

namespace microtome {

/// What all threads of one read share.
struct ReadJob {
  std::vector<std::shared_ptr<const Slide>> slides;
  BatchPlan plan;
  std::vector<ImageView> dst;
  BatchReadOptions options;
  Stores stores = Stores::cached;  ///< How tiles are copied to destinations.
  TwinTiles twins{};

  const Slide& slide_of(const PlannedTile& tile) const noexcept { return *slides[tile.tile.slide]; }
};

/// Not thread-safe: one thread uses it at a time, with a worker that nobody else has.
class TilePlacer {
 public:
  TilePlacer(ReadJob& job, Worker& worker);
  ~TilePlacer();  ///< Adds what it counted to the job's counters.
  TilePlacer(const TilePlacer&) = delete;
  TilePlacer& operator=(const TilePlacer&) = delete;

  /// Fills the placements of tile `number`. This thread goes on with the tiles up to `end`, so that their
  /// bytes may be read together. False: nothing was done, another thread is making the tile for the cache and
  /// `busy` said to leave it. Errors: those of Slide::tile, of the source, the decoder and the memory,
  /// without the tile's place.
  Result<bool> place(size_t number, size_t end, TileCache::Busy busy = TileCache::Busy::wait);

  /// Where the last tile's bytes are, as far as it came.
  const std::optional<ByteRange>& last_bytes() const noexcept { return bytes_; }

  /// Background for all placements of a tile, and around what tiles cover of a region.
  void fill_tile(const PlannedTile& tile) const;
  void fill_background(uint32_t region) const;

 private:
  struct Counts {
    uint64_t decoded = 0, direct = 0, shared = 0, constant = 0, twins = 0, absent = 0, packed_bytes = 0;
    DecodedBy by;
  };
  /// The tile that place() is about.
  struct Current {
    const PlannedTile& planned;
    const Slide& slide;
    size_t number, end;
    TileRef ref;
    TileCache::Busy busy;

    Rect shown() const noexcept;
  };

  Status decode_and_place(const Current& tile);
  /// missing: it is not there and is not to be made. busy: another thread makes it, see place().
  enum class Cached : uint8_t { missing, busy, placed };

  Result<Cached> from_cache(const Current& tile, const Rect& part);
  Result<TilePixels> place_and_keep(const Current& tile, const Rect& part);
  void place_cached(const Current& tile, const TilePixels& pixels) const;
  Result<std::span<const std::byte>> fetch(const Current& tile);
  Result<bool> copy_twin(const Current& tile, std::span<const std::byte> packed, const Want& want);
  Status decode(const Current& tile, std::span<const std::byte> packed, const Want& want);
  void take_placements(const Current& tile);
  void fill_placements(const Current& tile, std::span<const std::byte> pixel) const;
  ImageView destination(const Placement& placement) const noexcept;

  ReadJob& job_;
  Worker& worker_;
  Counts counts_;
  std::vector<TilePart> parts_;
  std::optional<ByteRange> bytes_;
};

}  // namespace microtome
