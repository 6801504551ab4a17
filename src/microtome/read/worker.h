// What one thread needs to decode tiles, kept between tiles and calls.
//
// Decoder handles and scratch memory live per worker, never per tile: a running task leases a Worker and
// gives it back. It knows nothing of slides or files.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
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
  TileScratch planes;       ///< For the bytes of all samples of a tile, where they are stored apart.
  TileScratch twin;         ///< For the bytes of a tile that may be the same as another.
  ConstantTiles constants;  ///< Of all reads this worker had a part in.

 private:
  struct Entry {
    const Codec* codec;
    bool planar, rgb;
    std::unique_ptr<Decoder> decoder;
  };
  std::vector<Entry> decoders_;
  // Of the tile before: tiles come in runs of one compression, which alone picks the codec.
  Compression last_compression_{};
  bool last_planar_ = false, last_rgb_ = false;
  Decoder* last_ = nullptr;
};

/// Idle workers. As many exist as ever ran at once. Thread-safe; outlives its leases.
///
/// Note [More workers than CPUs]
/// Decoding needs a CPU, and more threads than CPUs only take them from each other. Waiting for a disk or a
/// file server needs none. So a read that is given more workers than there are CPUs uses as many as there are
/// CPUs, unless the worker that came back last met slow sources; then it uses all.
class WorkerPool {
 public:
  /// `cpus` tells how many threads can run at once, like available_cpus(); null: as many as anybody wants.
  explicit WorkerPool(std::function<int()> cpus = nullptr);

  /// How many of `workers` to use for the next read: see Note [More workers than CPUs]. At least 1, if
  /// `workers` is.
  int useful(int workers) const;

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
  const std::function<int()> cpus_;
  const int cpus_at_start_;
  std::atomic<bool> sources_are_slow_{false};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace microtome
