// Memory of a device that consumers hold, and the pool it returns to when their work with it is done.
//
// Allocating on a device makes the host wait for it, so blocks are used again. A block is given back by
// whoever drops it, on any thread; what its consumers have queued on their streams by then may still read it.
// So an event is recorded on each of those streams, and whoever gets the block next lets a stream of its own
// wait for them. Knows bytes and streams; nothing of what is in the memory. Thread-safe.
//
// Note [Which streams a consumer uses]
// A consumer says so when it takes the memory (DLPack), or it does not (the array interface): then it is
// taken to use the legacy default stream, which every ordinary stream of the process is ordered with, or what
// the block was told with used_on(). Streams that were named are to live until the block is dropped.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/device/cuda/device.h"

namespace microtome::cuda {

class DevicePool;

/// Owns a block; goes back to its pool, if that still lives, when destroyed. In a forked child, and where an
/// event cannot be recorded, the memory is freed instead, for which the driver waits, or left to the parent.
class DeviceBlock {
 public:
  ~DeviceBlock();
  DeviceBlock(const DeviceBlock&) = delete;
  DeviceBlock& operator=(const DeviceBlock&) = delete;

  DeviceAddress address() const noexcept { return memory_.address(); }
  size_t size() const noexcept { return size_; }
  const Device& device() const noexcept { return *device_; }

  /// A consumer's work on `stream` may use the block until it is dropped.
  void used_on(ForeignStream stream);

 private:
  friend class DevicePool;
  DeviceBlock(std::shared_ptr<const Device> device, std::weak_ptr<DevicePool> pool, size_t size)
      : device_(std::move(device)), pool_(std::move(pool)), size_(size) {}
  Status record_uses();

  std::shared_ptr<const Device> device_;
  std::weak_ptr<DevicePool> pool_;
  size_t size_;                // as asked for
  DeviceMemory memory_;        // as allocated
  std::vector<Event> events_;  // made for this block: the first `recorded_` are of its last use
  size_t recorded_ = 0;
  std::mutex mutex_;  // of streams_
  std::vector<ForeignStream> streams_;
};

class DevicePool : public std::enable_shared_from_this<DevicePool> {
 public:
  /// Keeps at most `idle_bytes` of blocks that nobody holds; what comes back beyond that is freed.
  static std::shared_ptr<DevicePool> make(std::shared_ptr<const Device> device, size_t idle_bytes);

  /// A block of `bytes`, 1 or more, which `writer` may write to after what it is given from now on: it waits
  /// there for the block's last consumers. The host does not, unless no idle block is large enough (and at
  /// most a quarter larger). Errors: Device::allocate's.
  Result<std::shared_ptr<DeviceBlock>> allocate(size_t bytes, const Stream& writer);

  /// Frees what nobody holds.
  void clear();

 private:
  friend class DeviceBlock;
  struct Idle {
    DeviceMemory memory;
    std::vector<Event> events;
    size_t recorded = 0;
  };
  DevicePool(std::shared_ptr<const Device> device, size_t idle_bytes)
      : device_(std::move(device)), most_idle_bytes_(idle_bytes) {}
  bool take(size_t bytes, Idle& to);
  void give_back(DeviceBlock& block);

  std::shared_ptr<const Device> device_;
  const size_t most_idle_bytes_;
  std::mutex mutex_;
  std::vector<Idle> idle_;  // longest idle first
  size_t idle_bytes_ = 0;
};

/// A C-contiguous array on a device: shape in elements, row-major. Shares its block.
struct DeviceTensor {
  std::shared_ptr<DeviceBlock> block;
  std::vector<int64_t> shape;
  SampleType type = SampleType::u8;
};

}  // namespace microtome::cuda
