// Memory that NVIDIA's libraries take through functions of ours, kept for when they ask again.
//
// They ask while tiles are decoded, and allocating makes the host wait for the device; so what they give back
// is kept for the stream that it was used on, whose order then protects it. Thread-safe. Outlives what it
// gave.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>
#include <vector>

#include "microtome/device/cuda/device.h"

namespace microtome::gpu {

/// Errors  internal: the device's context could not be made current, and no function of a library may be
/// called.
Status check_current(const cuda::CurrentDevice& current);

class LibraryMemory {
 public:
  explicit LibraryMemory(std::shared_ptr<const cuda::Device> device) : device_(std::move(device)) {}

  /// As NVIDIA's allocators are called, with a LibraryMemory as context: 0, or 1 for failure.
  static int allocate_device(void* self, void** memory, size_t bytes, cuda::StreamHandle stream) noexcept;
  static int allocate_pinned(void* self, void** memory, size_t bytes, cuda::StreamHandle stream) noexcept;
  static int release(void* self, void* memory, size_t bytes, cuda::StreamHandle stream) noexcept;

  /// Frees what is kept.
  void trim() noexcept;

 private:
  using Memory = std::variant<cuda::DeviceMemory, cuda::PinnedMemory>;
  struct Block {
    Memory memory;
    size_t bytes = 0;
    bool is_pinned = false;
    cuda::StreamHandle stream = nullptr;
  };

  Result<Memory> make(bool pinned, size_t bytes) const;
  int allocate(bool pinned, void** memory, size_t bytes, cuda::StreamHandle stream);

  const std::shared_ptr<const cuda::Device> device_;
  std::mutex mutex_;
  std::unordered_map<void*, Block> given_;
  std::vector<Block> idle_;
};

}  // namespace microtome::gpu
