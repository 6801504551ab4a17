// Blocks of host memory from the system.
//
// Called by the buffer pool alone. Large blocks are mapped, so that freeing one gives its pages back at once
// whatever malloc's thresholds are by then; no huge pages are asked for, whose first touch takes between half
// and three times as long as that of small ones on virtual machines. Under the address sanitizer all blocks
// come from the heap, with its guards around them. Thread-safe: no state.
#pragma once

#include <cstddef>

namespace microtome {

/// From this size on blocks are aligned to, and a multiple of, a page.
inline constexpr size_t kPageBlockBytes = size_t{1} << 20;

/// The size of the block that `bytes` get, at least `bytes` and at most a page more; 0 where there is none.
size_t block_bytes(size_t bytes) noexcept;

/// A block of `bytes` as from block_bytes(), aligned to 64 at least; null where memory ran out.
std::byte* allocate_block(size_t bytes) noexcept;
void free_block(std::byte* block, size_t bytes) noexcept;

/// For the address sanitizer: idle blocks may not be touched, of lent ones only the bytes asked for.
void forbid_block(const std::byte* block, size_t bytes) noexcept;
void permit_block(const std::byte* block, size_t bytes) noexcept;

}  // namespace microtome
