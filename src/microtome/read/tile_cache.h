// Decoded tiles, kept while there is room, each decoded once however many threads ask.
//
// Byte-bounded, sharded; the least recently used tile of all shards goes first. Keys carry the whole identity
// of the file, so that a rewritten file never gives stale pixels. Failures are never kept. Thread-safe; no
// lock is held while a tile is made.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/device/buffer.h"
#include "microtome/io/byte_source.h"

namespace microtome {

/// A decoded tile, or as much of it as somebody wanted to keep.
struct TilePixels {
  Buffer buffer;
  Rect part;  ///< In pixels of the tile.
  uint16_t samples = 0;
  SampleType type = SampleType::u8;
  /// Not empty: all of it is this one pixel, and there is no buffer.
  std::vector<std::byte> pixel = {};

  ImageView view() const noexcept;  ///< Of the buffer: `part`.
};

struct TileCacheKey {
  SourceId source;
  uint64_t image = 0;  ///< Slide::tile_space().
  uint32_t col = 0, row = 0;
  bool operator==(const TileCacheKey&) const = default;
};

class TileCache {
 public:
  struct Info {
    size_t capacity_bytes = 0, bytes = 0;
    uint64_t tiles = 0, hits = 0, misses = 0, evictions = 0;
  };
  using Pixels = std::shared_ptr<const TilePixels>;
  using Make = std::function<Result<TilePixels>()>;

  /// What get() does about a tile that another thread is making at that moment.
  enum class Busy : uint8_t { wait, leave };

  /// Capacity 0: keeps nothing, but still lets one thread decode for all that ask at the same time.
  explicit TileCache(size_t capacity_bytes);
  ~TileCache();

  /// The tile, from the cache (a hit) or from `make` (a miss), which runs in this thread without any lock
  /// held and must not ask for the same tile again. Threads that ask for a tile that is being made wait for
  /// it and count as hits; if making fails all of them get the error. A tile larger than the capacity is
  /// served and not kept. With Busy::leave null, uncounted, instead of waiting. Errors: what `make` returns;
  /// out_of_memory.
  Result<Pixels> get(const TileCacheKey& key, const Make& make, Busy busy = Busy::wait);

  /// The tile if it is there and whole; counts a hit, or nothing.
  Pixels find(const TileCacheKey& key);
  /// Whether find() would have it now. No use of the tile, and counts nothing.
  bool holds(const TileCacheKey& key) const noexcept;

  void erase(const TileCacheKey& key);       ///< Of a tile that is being made: it will not be kept.
  void clear();                              ///< Drops every tile, as erase() does; counters stay.
  void set_capacity(size_t capacity_bytes);  ///< Evicts down to it at once.
  void reset_counters();
  Info info() const;
  size_t capacity_bytes() const noexcept;

  void fork_prepare();  ///< As Executor's. In the child, tiles that another thread was making are forgotten.
  void fork_parent();
  void fork_child();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace microtome
