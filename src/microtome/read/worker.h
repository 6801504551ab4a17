// What one thread needs to decode tiles, kept between tiles and calls.
//
// Decoder handles and scratch memory live per worker, never per tile: a running task leases a Worker and
// gives it back. It knows nothing of slides or files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/codec/codec.h"

namespace microtome {

/// Memory that grows to the largest size asked for and is never cleared. Not thread-safe.
class TileScratch {
 public:
  /// `bytes` of it, 64-byte aligned; what it held before is lost. Errors: out_of_memory.
  Result<std::span<std::byte>> take(size_t bytes);

  size_t capacity() const noexcept { return capacity_; }
  void free() noexcept;

 private:
  struct Free {
    void operator()(std::byte* block) const noexcept;
  };
  std::unique_ptr<std::byte[], Free> block_;
  size_t capacity_ = 0;
};

/// Not thread-safe: one thread uses it at a time.
class Worker {
 public:
  /// The decoder for `format`, made at first use; lives as long as the worker.
  /// Errors: unsupported, naming the compression; what the codec's make() returns.
  Result<Decoder*> decoder(const TileFormat& format);

  /// Frees scratch that one odd tile has blown up beyond kKeptScratch.
  void shrink() noexcept;
  static constexpr size_t kKeptScratch = 8u << 20;

  TileScratch packed;  ///< For a tile's bytes.
  TileScratch pixels;  ///< For a decoded tile.

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
