// Large blocks of memory of known pages: what first touch costs must not depend on the allocator's mood.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "floors/die.h"

namespace floors {

enum class Pages {
  small_fresh,    ///< 4 KB pages that nobody has touched: what malloc gives a reader for a new result.
  large_touched,  ///< 2 MB pages where the system gives them, touched already: a result that is reused.
};

class Memory {
 public:
  Memory() = default;
  Memory(size_t bytes, Pages pages) : bytes_(bytes) {
    if (bytes == 0) return;
    void* block = mmap(nullptr, bytes + kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) die("no memory for {} bytes", bytes);
    block_ = block;
    const auto at = reinterpret_cast<uintptr_t>(block);
    data_ = reinterpret_cast<uint8_t*>((at + kLarge - 1) / kLarge * kLarge);
    // Advice: a system without large pages refuses it, and then there are only small ones.
    (void)madvise(data_, bytes, pages == Pages::small_fresh ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    if (pages == Pages::large_touched) std::memset(data_, 0, bytes);
  }
  Memory(Memory&& other) noexcept { swap(other); }
  Memory& operator=(Memory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Memory() {
    if (block_) munmap(block_, bytes_ + kLarge);
  }

  uint8_t* data() const { return data_; }
  size_t size() const { return bytes_; }

 private:
  static constexpr size_t kLarge = 2u << 20;
  void swap(Memory& other) {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  void* block_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace floors
