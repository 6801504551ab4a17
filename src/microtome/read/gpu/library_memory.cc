#include "microtome/read/gpu/library_memory.h"

#include <algorithm>
#include <new>
#include <utility>

namespace microtome::gpu {

Status check_current(const cuda::CurrentDevice& current) {
  if (current.status() == cuda::DriverStatus::success) return ok_status();
  return Error{Errc::internal, "the device's context cannot be made current"};
}

Result<LibraryMemory::Memory> LibraryMemory::make(bool pinned, size_t bytes) const {
  bytes = std::max<size_t>(bytes, 1);
  if (pinned) {
    MICROTOME_ASSIGN(cuda::PinnedMemory made, device_->allocate_pinned(bytes));
    return Memory(std::move(made));
  }
  MICROTOME_ASSIGN(cuda::DeviceMemory made, device_->allocate(bytes));
  return Memory(std::move(made));
}

void LibraryMemory::trim() noexcept {
  std::vector<Block> freed;  // after the lock is gone: freeing waits for the device
  const std::lock_guard lock(mutex_);
  freed.swap(idle_);
}

int LibraryMemory::allocate(bool pinned, void** memory, size_t bytes, cuda::StreamHandle stream) {
  const std::lock_guard lock(mutex_);
  const auto fits = [&](const Block& block) {
    return block.is_pinned == pinned && block.stream == stream && block.bytes >= bytes &&
           block.bytes / 2 <= bytes;
  };
  Block block;
  if (const auto found = std::find_if(idle_.begin(), idle_.end(), fits); found != idle_.end()) {
    block = std::move(*found);
    idle_.erase(found);
  } else {
    Result<Memory> made = make(pinned, bytes);
    if (!made.ok() && !idle_.empty()) {
      idle_.clear();
      made = make(pinned, bytes);
    }
    if (!made.ok()) return 1;
    block = {*std::move(made), bytes, pinned, stream};
  }
  *memory = pinned ? static_cast<void*>(std::get<cuda::PinnedMemory>(block.memory).data())
                   : reinterpret_cast<void*>(std::get<cuda::DeviceMemory>(block.memory).address());
  given_.emplace(*memory, std::move(block));
  return 0;
}

int LibraryMemory::allocate_device(void* self, void** memory, size_t bytes,
                                   cuda::StreamHandle stream) noexcept {
  try {
    return static_cast<LibraryMemory*>(self)->allocate(false, memory, bytes, stream);
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

int LibraryMemory::allocate_pinned(void* self, void** memory, size_t bytes,
                                   cuda::StreamHandle stream) noexcept {
  try {
    return static_cast<LibraryMemory*>(self)->allocate(true, memory, bytes, stream);
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

int LibraryMemory::release(void* self, void* memory, size_t, cuda::StreamHandle stream) noexcept {
  auto& own = *static_cast<LibraryMemory*>(self);
  try {
    const std::lock_guard lock(own.mutex_);
    const auto found = own.given_.find(memory);
    if (found == own.given_.end()) return 1;
    found->second.stream = stream;
    own.idle_.reserve(own.idle_.size() + 1);
    own.idle_.push_back(std::move(found->second));
    own.given_.erase(found);
    return 0;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

}  // namespace microtome::gpu
