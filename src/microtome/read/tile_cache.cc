#include "microtome/read/tile_cache.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <list>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

#include "microtome/base/fail.h"

namespace microtome {

namespace {

constexpr size_t kShards = 16;
constexpr uint64_t kNeverUsed = std::numeric_limits<uint64_t>::max();

struct KeyHash {
  size_t operator()(const TileCacheKey& key) const noexcept {
    uint64_t hash = 0;
    // splitmix64's finalizer after each field: neighbours in a file differ in the lowest bits alone.
    const auto mix = [&hash](uint64_t value) {
      hash += value + 0x9E3779B97F4A7C15;
      hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
      hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
      hash ^= hash >> 31;
    };
    mix(key.source.device);
    mix(key.source.inode);
    mix(key.source.size);
    mix(static_cast<uint64_t>(key.source.mtime_ns));
    mix(key.image);
    mix((static_cast<uint64_t>(key.col) << 32) | key.row);
    return static_cast<size_t>(hash);
  }
};

struct Kept {
  TileCacheKey key;
  TileCache::Pixels pixels;
  uint64_t last_use;
};

/// A tile that one thread makes. Shared by it and by those that wait, so that the cache may forget it
/// meanwhile.
struct Pending {
  bool done = false;
  Result<TileCache::Pixels> outcome = TileCache::Pixels();
};

struct Shard {
  std::mutex mutex;
  std::condition_variable made;
  std::list<Kept> used;  // most recent first
  std::unordered_map<TileCacheKey, std::list<Kept>::iterator, KeyHash> kept;
  std::unordered_map<TileCacheKey, std::shared_ptr<Pending>, KeyHash> pending;
  uint64_t hits = 0, misses = 0, evictions = 0;
  // last_use of used.back(): lets eviction find the oldest tile of all shards without taking their locks.
  std::atomic<uint64_t> oldest{kNeverUsed};

  void note_oldest() noexcept {
    oldest.store(used.empty() ? kNeverUsed : used.back().last_use, std::memory_order_relaxed);
  }

  TileCache::Pixels use(const TileCacheKey& key, std::atomic<uint64_t>& clock) {
    const auto found = kept.find(key);
    if (found == kept.end()) return nullptr;
    const auto tile = found->second;
    tile->last_use = clock.fetch_add(1, std::memory_order_relaxed);
    used.splice(used.begin(), used, tile);
    note_oldest();
    ++hits;
    return tile->pixels;
  }
};

size_t bytes_of(const TileCache::Pixels& pixels) noexcept {
  return pixels->buffer.size() + pixels->pixel.size();
}

Result<TileCache::Pixels> made_by(const TileCache::Make& make) {
  try {
    MICROTOME_ASSIGN(TilePixels pixels, make());
    return TileCache::Pixels(std::make_shared<const TilePixels>(std::move(pixels)));
  } catch (const std::bad_alloc&) {
    return out_of_memory("no memory for a tile of the cache");
  } catch (const std::exception& thrown) {
    return internal("making a tile of the cache threw: {}", thrown.what());
  }
}

}  // namespace

ImageView TilePixels::view() const noexcept {
  ImageView view{buffer.data(), part.size(), 0, samples, type};
  view.row_stride = static_cast<int64_t>(view.row_bytes());
  return view;
}

struct TileCache::State {
  explicit State(size_t capacity) : capacity_bytes(capacity) {}

  std::array<Shard, kShards> shards;
  std::atomic<size_t> capacity_bytes;
  std::atomic<size_t> bytes{0};  // of all shards: a tile may take the whole capacity wherever it falls
  std::atomic<uint64_t> clock{0};

  // The map inside a shard uses the low bits.
  Shard& shard_of(const TileCacheKey& key) noexcept { return shards[KeyHash{}(key) >> (64 - 4)]; }

  /// Under the shard's lock. Gives the tile to the caller, who lets go of it without the lock.
  Pixels remove(Shard& shard, std::list<Kept>::iterator tile) {
    Pixels pixels = std::move(tile->pixels);
    bytes.fetch_sub(bytes_of(pixels), std::memory_order_relaxed);
    shard.kept.erase(tile->key);
    shard.used.erase(tile);
    shard.note_oldest();
    return pixels;
  }

  Shard* shard_with_oldest() noexcept {
    Shard* found = nullptr;
    uint64_t oldest = kNeverUsed;
    for (Shard& shard : shards) {
      const uint64_t here = shard.oldest.load(std::memory_order_relaxed);
      if (here < oldest) {
        oldest = here;
        found = &shard;
      }
    }
    return found;
  }

  /// Takes no two locks at once.
  void evict() {
    while (bytes.load(std::memory_order_relaxed) > capacity_bytes.load(std::memory_order_relaxed)) {
      Shard* const shard = shard_with_oldest();
      if (shard == nullptr) return;
      Pixels evicted;
      const std::lock_guard lock(shard->mutex);
      if (shard->used.empty()) continue;
      evicted = remove(*shard, std::prev(shard->used.end()));
      ++shard->evictions;
    }
  }

  /// Under the shard's lock. A tile that finds no memory for its entry is served and not kept.
  void keep(Shard& shard, const TileCacheKey& key, const Pixels& pixels) noexcept {
    if (bytes_of(pixels) > capacity_bytes.load(std::memory_order_relaxed)) return;
    try {
      shard.used.push_front({key, pixels, clock.fetch_add(1, std::memory_order_relaxed)});
      try {
        shard.kept.emplace(key, shard.used.begin());
      } catch (const std::bad_alloc&) {
        shard.used.pop_front();
        return;
      }
    } catch (const std::bad_alloc&) {
      return;
    }
    bytes.fetch_add(bytes_of(pixels), std::memory_order_relaxed);
    shard.note_oldest();
  }

  void finish(Shard& shard, const TileCacheKey& key, const std::shared_ptr<Pending>& mine) {
    {
      const std::lock_guard lock(shard.mutex);
      mine->done = true;
      // Whoever cleared the cache or forked meanwhile has taken the entry away: then nothing is kept.
      const auto entry = shard.pending.find(key);
      if (entry != shard.pending.end() && entry->second == mine) {
        shard.pending.erase(entry);
        if (mine->outcome.ok()) keep(shard, key, *mine->outcome);
      }
    }
    shard.made.notify_all();
    evict();
  }
};

TileCache::TileCache(size_t capacity_bytes) : state_(std::make_unique<State>(capacity_bytes)) {}
TileCache::~TileCache() = default;

Result<TileCache::Pixels> TileCache::get(const TileCacheKey& key, const Make& make, Busy busy) {
  Shard& shard = state_->shard_of(key);
  std::shared_ptr<Pending> mine;
  {
    std::unique_lock lock(shard.mutex);
    if (Pixels pixels = shard.use(key, state_->clock)) return pixels;
    if (const auto other = shard.pending.find(key); other != shard.pending.end()) {
      if (busy == Busy::leave) return Pixels();
      const std::shared_ptr<Pending> theirs = other->second;
      ++shard.hits;
      shard.made.wait(lock, [&] { return theirs->done; });
      return theirs->outcome;
    }
    mine = std::make_shared<Pending>();
    shard.pending.emplace(key, mine);
    ++shard.misses;
  }
  // No one else looks at `outcome` before finish() says done under the lock.
  mine->outcome = made_by(make);
  state_->finish(shard, key, mine);
  return mine->outcome;
}

TileCache::Pixels TileCache::find(const TileCacheKey& key) {
  Shard& shard = state_->shard_of(key);
  const std::lock_guard lock(shard.mutex);
  return shard.use(key, state_->clock);
}

bool TileCache::holds(const TileCacheKey& key) const noexcept {
  Shard& shard = state_->shard_of(key);
  const std::lock_guard lock(shard.mutex);
  return shard.kept.find(key) != shard.kept.end();
}

void TileCache::erase(const TileCacheKey& key) {
  Shard& shard = state_->shard_of(key);
  Pixels erased;
  const std::lock_guard lock(shard.mutex);
  shard.pending.erase(key);
  if (const auto found = shard.kept.find(key); found != shard.kept.end())
    erased = state_->remove(shard, found->second);
}

void TileCache::clear() {
  for (Shard& shard : state_->shards) {
    std::list<Kept> dropped;
    const std::lock_guard lock(shard.mutex);
    shard.pending.clear();
    shard.kept.clear();
    dropped.swap(shard.used);
    for (const Kept& tile : dropped)
      state_->bytes.fetch_sub(bytes_of(tile.pixels), std::memory_order_relaxed);
    shard.note_oldest();
  }
}

void TileCache::set_capacity(size_t capacity_bytes) {
  state_->capacity_bytes.store(capacity_bytes, std::memory_order_relaxed);
  state_->evict();
}

void TileCache::reset_counters() {
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    shard.hits = shard.misses = shard.evictions = 0;
  }
}

TileCache::Info TileCache::info() const {
  Info info;
  info.capacity_bytes = capacity_bytes();
  info.bytes = state_->bytes.load(std::memory_order_relaxed);
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    info.tiles += shard.used.size();
    info.hits += shard.hits;
    info.misses += shard.misses;
    info.evictions += shard.evictions;
  }
  return info;
}

size_t TileCache::capacity_bytes() const noexcept {
  return state_->capacity_bytes.load(std::memory_order_relaxed);
}

void TileCache::fork_prepare() {
  for (Shard& shard : state_->shards) shard.mutex.lock();
}

void TileCache::fork_parent() {
  for (Shard& shard : state_->shards) shard.mutex.unlock();
}

void TileCache::fork_child() {
  for (Shard& shard : state_->shards) {
    shard.pending.clear();
    // Made anew without destroying it: the parent's waiters still stand in its counts, and the destructor
    // would wait for them for ever.
    new (&shard.made) std::condition_variable;
    shard.mutex.unlock();
  }
}

}  // namespace microtome
