// How a batch is to be read, and what is counted of it.
//
// Shared by what reads a batch (batch_read.h) and what places one tile of it (tile_placer.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/device/buffer.h"
#include "microtome/plan/region.h"
#include "microtome/read/tile_cache.h"

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
  /// … of them by a decoder of ours that has a library behind it, and left to the library by it (DecodedBy).
  std::atomic<uint64_t> own{0}, library{0};
  std::atomic<uint64_t> by_cufile{0};      ///< Tiles read into memory of a device: nothing to be decoded.
  std::atomic<uint64_t> cufile_failed{0};  ///< Reads of such tiles that failed.
  std::atomic<uint64_t> shared{
      0};  ///< Placements served by a tile decoded for another one, or found in a cache.
  /// … of them by a device; and tiles that were meant for it and left to the CPU.
  std::atomic<uint64_t> device{0}, left{0};
  std::atomic<uint64_t> constant{0};      ///< Tiles filled: their bytes are known to be one colour.
  std::atomic<uint64_t> twins{0};         ///< Tiles copied from another one of the same bytes.
  std::atomic<uint64_t> absent{0};        ///< Tiles the file does not have.
  std::atomic<uint64_t> packed_bytes{0};  ///< Of the tiles that the sources were asked for.
  ReadCounters* total = nullptr;          ///< unowned; may be null: counts all that this one counts.
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
  /// Which tiles go through the cache rather than straight to their places, and the part of each, in its
  /// pixels, that the cache is to have. Null with a cache: all, whole.
  std::function<std::optional<Rect>(const TileKey&)> keep;
  ReadCounters* counters = nullptr;  ///< unowned; may be null.
};

}  // namespace microtome
