#include "microtome/device/block.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "microtome/base/sanitizers.h"

#if MICROTOME_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace microtome {
namespace {

#if MICROTOME_ASAN
constexpr bool kMapLargeBlocks = false;
#else
constexpr bool kMapLargeBlocks = true;
#endif

constexpr size_t kAlignment = 64;
constexpr size_t kPage = 4096;

constexpr size_t alignment_of(size_t bytes) noexcept {
  return bytes >= kPageBlockBytes ? kPage : kAlignment;
}

bool is_mapped(size_t bytes) noexcept {
  return kMapLargeBlocks && bytes >= kPageBlockBytes;
}

}  // namespace

size_t block_bytes(size_t bytes) noexcept {
  if (bytes > PTRDIFF_MAX - kPage) return 0;
  if (bytes == 0) return kAlignment;
  const size_t step = alignment_of(bytes);
  return (bytes + step - 1) / step * step;
}

std::byte* allocate_block(size_t bytes) noexcept {
  if (!is_mapped(bytes))
    return static_cast<std::byte*>(
        ::operator new(bytes, std::align_val_t(alignment_of(bytes)), std::nothrow));
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapped);
}

void free_block(std::byte* block, size_t bytes) noexcept {
  permit_block(block, bytes);
  if (is_mapped(bytes)) {
    ::munmap(block, bytes);
  } else {
    ::operator delete(block, std::align_val_t(alignment_of(bytes)));
  }
}

#if MICROTOME_ASAN
void forbid_block(const std::byte* block, size_t bytes) noexcept {
  __asan_poison_memory_region(block, bytes);
}
void permit_block(const std::byte* block, size_t bytes) noexcept {
  __asan_unpoison_memory_region(block, bytes);
}
#else
void forbid_block(const std::byte*, size_t) noexcept {}
void permit_block(const std::byte*, size_t) noexcept {}
#endif

}  // namespace microtome
