// Memory that a thread uses for one tile after another.
//
// Knows bytes alone. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "microtome/base/error.h"

namespace microtome {

/// Memory that grows to the largest size asked for and is never cleared.
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

}  // namespace microtome
