// What one thread needs to decode tiles, kept between tiles and calls.
//
// Decoder handles and scratch memory live per worker, never per tile: a running task leases a Worker and
// gives it back. It knows nothing of slides or files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/codec/codec.h"
#include "microtome/read/constant_tiles.h"
#include "microtome/read/scratch.h"
#include "microtome/read/tile_bytes.h"

namespace microtome {

/// Not thread-safe: one thread uses it at a time.
class Worker {
 public:
  /// The decoder for `format`, made at first use; lives as long as the worker.
  /// Errors: unsupported, naming the compression; what the codec's make() returns.
  Result<Decoder*> decoder(const TileFormat& format);

  /// Frees scratch that one odd tile has blown up beyond kKeptScratch.
  void shrink() noexcept;
  static constexpr size_t kKeptScratch = 8u << 20;

  TileBytes bytes;          ///< Reads tiles' bytes.
  TileScratch twin;         ///< For the bytes of a tile that may be the same as another.
  TileScratch pixels;       ///< For a decoded tile.
  ConstantTiles constants;  ///< Of all reads this worker had a part in.

 private:
  struct Entry {
    const Codec* codec;
    std::unique_ptr<Decoder> decoder;
  };
  std::vector<Entry> decoders_;
  // Of the tile before: tiles come in runs of one compression, which alone picks the codec.
  Compression last_compression_{};
  Decoder* last_ = nullptr;
};

/// Idle workers. As many exist as ever ran at once. Thread-safe; outlives its leases.
class WorkerPool {
 public:
  class Lease {
   public:
    Lease(WorkerPool& pool, std::unique_ptr<Worker> worker) : pool_(&pool), worker_(std::move(worker)) {}
    Lease(Lease&&) noexcept = default;
    ~Lease();
    Worker& operator*() const noexcept { return *worker_; }
    Worker* operator->() const noexcept { return worker_.get(); }

   private:
    WorkerPool* pool_;
    std::unique_ptr<Worker> worker_;
  };

  /// An idle worker, the one given back last, or a new one. Throws std::bad_alloc only.
  Lease lease();
  void clear();  ///< Frees idle workers.
  size_t idle_count() const;

  void fork_prepare();  ///< As Executor's.
  void fork_parent();
  void fork_child();

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace microtome
