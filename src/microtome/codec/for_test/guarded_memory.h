// Memory between pages that may not be touched: a read or write outside of it ends the program. For tests
// only.
#pragma once

#include <cstddef>
#include <span>

namespace microtome::test {

class GuardedMemory {
 public:
  explicit GuardedMemory(size_t capacity);
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  size_t capacity() const { return capacity_; }
  /// `size` bytes, at most capacity(), that end where the forbidden page behind begins.
  std::span<std::byte> at_end(size_t size) const { return {data_ + capacity_ - size, size}; }
  /// `size` bytes that begin where the forbidden page before ends.
  std::span<std::byte> at_start(size_t size) const { return {data_, size}; }

 private:
  std::byte* map_ = nullptr;
  std::byte* data_ = nullptr;
  size_t capacity_ = 0, mapped_ = 0;
};

}  // namespace microtome::test
