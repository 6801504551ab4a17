// Memory for pixels, and the pool it returns to.
//
// Host memory today; the seam where pinned and CUDA memory come in. Knows nothing of what the bytes mean.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"

namespace microtome {

class BufferPool;

/// Owns a block of memory, 64-byte aligned (page-aligned from 1 MiB on), content unspecified. Goes back to
/// its pool (if that still lives) when destroyed, from any thread. A default-made one owns nothing.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  std::byte* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }

 private:
  friend class BufferPool;
  std::byte* data_ = nullptr;
  size_t size_ = 0;         // as asked for
  size_t block_bytes_ = 0;  // as allocated
  std::weak_ptr<BufferPool> pool_;
};

/// Keeps freed blocks for the next batch: the first touch of fresh memory costs as much as decoding blank
/// tiles does. Thread-safe.
///
/// Note [What idle memory costs]
/// Idle blocks are bounded by the capacity and by time: whenever a block is asked for or comes back, those
/// that no one wanted for `longest_idle` are freed, so that a process whose reads have changed does not keep
/// the blocks of earlier ones. Nothing runs by itself: a process that stops reading keeps what is idle then,
/// until clear(). (Telling the system that it may take idle pages, MADV_FREE, would cover that too, but costs
/// half as much again as writing them, at each return.)
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  struct Info {
    size_t capacity_bytes = 0, idle_bytes = 0;
    uint64_t reused = 0, fresh = 0;
  };

  static constexpr std::chrono::nanoseconds kLongestIdle = std::chrono::seconds(10);

  /// Keeps at most `capacity_bytes` of idle blocks; what comes back beyond that is freed, oldest idle block
  /// first.
  static std::shared_ptr<BufferPool> make(size_t capacity_bytes,
                                          std::chrono::nanoseconds longest_idle = kLongestIdle);
  ~BufferPool();

  /// A block of at least `bytes`: the smallest idle one that is large enough, if it is at most 1.25 times
  /// that, or a fresh one; however long it was idle. Its data() is never null, not even for 0 bytes. Errors:
  /// out_of_memory.
  Result<Buffer> allocate(size_t bytes);

  void set_capacity(size_t capacity_bytes);
  void clear();  ///< Frees the idle blocks.
  Info info() const;

  void fork_prepare();  ///< As Executor's: so that a child never finds the pool's lock taken.
  void fork_parent();
  void fork_child();

 private:
  friend class Buffer;
  struct State;
  BufferPool(size_t capacity_bytes, std::chrono::nanoseconds longest_idle);
  void give_back(Buffer& buffer) noexcept;
  std::unique_ptr<State> state_;
};

/// A C-contiguous array: shape in elements, row-major. Shares its buffer.
struct Tensor {
  std::shared_ptr<Buffer> buffer;
  std::vector<int64_t> shape;
  SampleType type = SampleType::u8;

  std::byte* data() const noexcept { return buffer->data(); }
};

/// A tensor of `shape` with memory from `pool`. Errors: invalid_argument for a negative side; out_of_memory,
/// also when the size passes the address space.
Result<Tensor> make_tensor(BufferPool& pool, std::vector<int64_t> shape, SampleType type);

}  // namespace microtome
