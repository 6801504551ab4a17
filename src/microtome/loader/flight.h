// One batch on its way: its memory, its read, and how far it is.
//
// Made and awaited by the loader's consumer, driven by worker tasks, which share it, so that it lives as long
// as the last of them. Knows nothing of order or prefetch. `number`, `pixels` and `indices` are the
// consumer's; run() and finished() are thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/buffer.h"
#include "microtome/read/batch_read.h"
#include "microtome/read/worker.h"

namespace microtome {

/// Where worker tasks tell the consumer that a batch has finished, and it tells them to stop.
struct LoaderSignal {
  std::mutex mutex;
  std::condition_variable finished;
  std::atomic<bool> stop{false};
};

class Flight {
 public:
  /// `read` is null for a batch that failed before it could start; then fail() follows.
  Flight(std::shared_ptr<LoaderSignal> signal, std::shared_ptr<WorkerPool> workers,
         std::unique_ptr<BatchRead> read);

  /// Works on the batch until it is done, fails or is stopped. Never throws.
  void run() noexcept;

  /// Finishes the batch with an error, if it has none yet.
  void fail(Error error) noexcept;

  size_t unit_count() const noexcept { return read_ == nullptr ? 0 : read_->unit_count(); }

  /// Waits until every unit is done or one has failed: ok or that error.
  Status wait();

  /// After wait() returned ok.
  std::vector<RegionError> take_errors() { return read_->take_errors(); }

  uint64_t number = 0;
  Tensor pixels;
  std::vector<int64_t> indices;

 private:
  std::shared_ptr<LoaderSignal> signal_;
  std::shared_ptr<WorkerPool> workers_;
  std::unique_ptr<BatchRead> read_;
  bool finished_ = false;  // under the signal's mutex, as is the error
  std::optional<Error> error_;
};

}  // namespace microtome
