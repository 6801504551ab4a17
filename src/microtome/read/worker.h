// What one thread needs to decode tiles, kept between tiles and calls.
//
// Decoder handles and scratch memory live per worker, never per tile: a running task leases a Worker and
// gives it back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/codec/codec.h"
#include "microtome/device/buffer.h"

namespace microtome {

class Worker {
 public:
  /// The decoder for `format`, made at first use. Errors: unsupported, naming the compression.
  Result<Decoder*> decoder(const TileFormat& format);

  std::vector<std::byte> packed;  ///< Scratch for a tile's bytes.
  std::vector<std::byte> pixels;  ///< Scratch for a decoded tile.

 private:
  struct Entry {
    const Codec* codec;
    std::unique_ptr<Decoder> decoder;
  };
  std::vector<Entry> decoders_;
};

/// Idle workers. As many exist as ever ran at once. Thread-safe.
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

  Lease lease();
  void clear();  ///< Frees idle workers.

  void fork_prepare();  ///< As Executor's.
  void fork_parent();
  void fork_child();

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace microtome
