#include "microtome/device/cuda/pool.h"

#include <algorithm>
#include <new>
#include <utility>

namespace microtome::cuda {

void DeviceBlock::used_on(ForeignStream stream) {
  // The legacy stream is ordered with every thread's default stream.
  if (stream.value <= ForeignStream::kPerThread) stream.value = ForeignStream::kLegacy;
  const std::lock_guard lock(mutex_);
  if (std::find(streams_.begin(), streams_.end(), stream) == streams_.end()) streams_.push_back(stream);
}

Status DeviceBlock::record_uses() {
  for (const ForeignStream stream : streams_) {
    if (recorded_ == events_.size()) {
      MICROTOME_ASSIGN(Event event, device_->make_event());
      events_.push_back(std::move(event));
    }
    MICROTOME_TRY(device_->record(events_[recorded_], stream));
    ++recorded_;
  }
  return ok_status();
}

DeviceBlock::~DeviceBlock() {
  if (!memory_.owned || !device_->driver().is_own_process()) return;  // a child's are the parent's
  try {
    if (const auto pool = pool_.lock(); pool && record_uses().ok()) pool->give_back(*this);
  } catch (const std::bad_alloc&) {
    // No room to note it as idle: its memory is freed with the block.
  }
}

std::shared_ptr<DevicePool> DevicePool::make(std::shared_ptr<const Device> device, size_t idle_bytes) {
  return std::shared_ptr<DevicePool>(new DevicePool(std::move(device), idle_bytes));
}

/// The smallest idle block that is large enough and not wasteful; of equal ones the one that is idle longest,
/// whose consumers are the likeliest to be done.
bool DevicePool::take(size_t bytes, Idle& to) {
  const std::lock_guard lock(mutex_);
  auto best = idle_.end();
  for (auto each = idle_.begin(); each != idle_.end(); ++each) {
    const size_t size = each->memory.size_bytes;
    if (size < bytes || size - bytes > bytes / 4) continue;
    if (best == idle_.end() || size < best->memory.size_bytes) best = each;
  }
  if (best == idle_.end()) return false;
  idle_bytes_ -= best->memory.size_bytes;
  to = std::move(*best);
  idle_.erase(best);
  return true;
}

Result<std::shared_ptr<DeviceBlock>> DevicePool::allocate(size_t bytes, const Stream& writer) {
  const std::shared_ptr<DeviceBlock> block(new DeviceBlock(device_, weak_from_this(), bytes));
  Idle found;
  if (take(bytes, found)) {
    for (size_t i = 0; i < found.recorded; ++i) MICROTOME_TRY(device_->wait(writer, found.events[i]));
    block->memory_ = std::move(found.memory);
    block->events_ = std::move(found.events);
    return block;
  }
  Result<DeviceMemory> memory = device_->allocate(bytes);
  if (!memory.ok() && memory.error().code == Errc::out_of_memory) {
    clear();  // idle blocks of other sizes may be all that is missing
    memory = device_->allocate(bytes);
  }
  if (!memory.ok()) return std::move(memory).error();
  block->memory_ = *std::move(memory);
  return block;
}

void DevicePool::give_back(DeviceBlock& block) {
  std::vector<Idle> freed;  // after the lock is gone: freeing waits for the device
  const std::lock_guard lock(mutex_);
  const size_t bytes = block.memory_.size_bytes;
  if (bytes > most_idle_bytes_) return;
  idle_.reserve(idle_.size() + 1);
  size_t removed = 0;
  for (; idle_bytes_ > most_idle_bytes_ - bytes; ++removed) idle_bytes_ -= idle_[removed].memory.size_bytes;
  const auto end = idle_.begin() + static_cast<std::ptrdiff_t>(removed);
  freed.assign(std::move_iterator(idle_.begin()), std::move_iterator(end));
  idle_.erase(idle_.begin(), end);
  idle_.push_back({std::move(block.memory_), std::move(block.events_), block.recorded_});
  idle_bytes_ += bytes;
}

void DevicePool::clear() {
  std::vector<Idle> freed;
  const std::lock_guard lock(mutex_);
  freed.swap(idle_);
  idle_bytes_ = 0;
}

}  // namespace microtome::cuda
