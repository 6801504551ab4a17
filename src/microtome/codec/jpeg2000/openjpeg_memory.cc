// OpenJPEG's memory, in the place of its own opj_malloc.c where we build the library (cmake/OpenJPEG.cmake).
//
// It allocates the planes of every tile anew and frees them after it. The C library gives blocks of that size
// back to the system at once, and each tile then takes its pages one fault at a time: a third of the time of
// small tiles. Here a thread keeps the large blocks that it freed, up to kKept, for its next tile; small ones
// are the C library's own. Nothing is kept under a sanitizer, which is to see every use after free.
#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "microtome/base/sanitizers.h"

#define OPJ_SKIP_POISON
extern "C" {
#include "opj_malloc.h"
}

namespace {

constexpr size_t kLarge = 32u << 10, kPage = 4096, kAlignment = 64;
constexpr size_t kKept = 8u << 20;  // of a thread

#if MICROTOME_ASAN || MICROTOME_TSAN || MICROTOME_MSAN
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

/// Free blocks of one thread.
class Blocks {
 public:
  ~Blocks() {
    for (size_t i = 0; i < count_; ++i) std::free(blocks_[i].data);
    kept_ = kKept;  // what is freed from here on, by destructors that run later, is not kept
    count_ = 0;
  }

  /// The smallest one with room for `bytes` that is not twice as large; null: none.
  void* take(size_t bytes) noexcept {
    size_t best = count_;
    for (size_t i = 0; i < count_; ++i) {
      const size_t size = blocks_[i].bytes;
      if (size >= bytes && size / 2 < bytes && (best == count_ || size < blocks_[best].bytes)) best = i;
    }
    if (best == count_) return nullptr;
    void* const data = blocks_[best].data;
    kept_ -= blocks_[best].bytes;
    blocks_[best] = blocks_[--count_];
    return data;
  }

  bool keep(void* data, size_t bytes) noexcept {
    if (count_ == blocks_.size() || kept_ >= kKept || bytes > kKept - kept_) return false;
    blocks_[count_++] = {data, bytes};
    kept_ += bytes;
    return true;
  }

 private:
  struct Block {
    void* data;
    size_t bytes;
  };
  std::array<Block, 32> blocks_;
  size_t count_ = 0, kept_ = 0;
};

thread_local Blocks free_blocks;

void* allocate(size_t bytes, size_t alignment) noexcept {
  if (bytes == 0) return nullptr;
  if (kKeeps && bytes >= kLarge && bytes <= SIZE_MAX - kPage) {
    bytes = (bytes + kPage - 1) / kPage * kPage;  // so that blocks of nearly one size serve each other
    if (void* const kept = free_blocks.take(bytes)) return kept;
    alignment = kAlignment;
  }
  void* data = nullptr;
  return ::posix_memalign(&data, alignment, bytes) == 0 ? data : nullptr;
}

void release(void* data) noexcept {
  if (data == nullptr) return;
  if (kKeeps) {
    const size_t bytes = ::malloc_usable_size(data);
    // Blocks from realloc() may lie at any 16 bytes: not kept, since the next one may need more.
    const bool aligned = reinterpret_cast<uintptr_t>(data) % kAlignment == 0;
    if (bytes >= kLarge && aligned && free_blocks.keep(data, bytes)) return;
  }
  std::free(data);
}

void* reallocate(void* data, size_t bytes, size_t alignment) noexcept {
  if (bytes == 0) return nullptr;
  void* const moved = std::realloc(data, bytes);
  if (reinterpret_cast<uintptr_t>(moved) % alignment == 0) return moved;
  void* const aligned = allocate(bytes, alignment);
  if (aligned != nullptr) std::memcpy(aligned, moved, bytes);
  std::free(moved);
  return aligned;
}

constexpr size_t kMin = alignof(std::max_align_t);

}  // namespace

extern "C" {

void* opj_malloc(size_t size) {
  return allocate(size, kMin);
}
void* opj_calloc(size_t count, size_t size) {
  if (count == 0 || size == 0) return nullptr;
  if (count > SIZE_MAX / size) return nullptr;
  if (count * size < kLarge) return std::calloc(count, size);
  void* const data = allocate(count * size, kMin);
  if (data != nullptr) std::memset(data, 0, count * size);
  return data;
}
void* opj_realloc(void* data, size_t size) {
  return reallocate(data, size, kMin);
}
void opj_free(void* data) {
  release(data);
}
void* opj_aligned_malloc(size_t size) {
  return allocate(size, 16);
}
void* opj_aligned_realloc(void* data, size_t size) {
  return reallocate(data, size, 16);
}
void* opj_aligned_32_malloc(size_t size) {
  return allocate(size, 32);
}
void* opj_aligned_32_realloc(void* data, size_t size) {
  return reallocate(data, size, 32);
}
void opj_aligned_free(void* data) {
  release(data);
}
}
