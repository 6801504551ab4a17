// Bytes that a decoder is to write over: what one thread of the marks' kernels does.
//
// A decoder that says it is done and has written nothing is known by its mark. marks.h launches. Plain C++
// for both compilers: see scatter_types.h.
#pragma once

#include "microtome/read/gpu/scatter_types.h"

namespace microtome::gpu {

inline constexpr uint32_t kMarkBytes = 16;

/// The first samples of a plane's last row, as many as it has and kMarkBytes at most.
struct Mark {
  uint64_t address;
  uint32_t bytes;
  uint32_t unused;
};
static_assert(sizeof(Mark) == 16);

namespace core {

/// No two are alike, and none is what flat pictures have.
MICROTOME_GPU_INLINE uint8_t mark_byte(uint32_t index) {
  return static_cast<uint8_t>(91 + 157 * index);
}

}  // namespace core

MICROTOME_GPU_INLINE void set_mark(const Mark& mark) {
  for (uint32_t i = 0; i < mark.bytes; ++i)
    *reinterpret_cast<uint8_t*>(mark.address + i) = core::mark_byte(i);
}

MICROTOME_GPU_INLINE bool is_marked(const Mark& mark) {
  bool marked = true;
  for (uint32_t i = 0; i < mark.bytes; ++i)
    marked = marked && core::load<uint8_t>(mark.address + i) == core::mark_byte(i);
  return marked;
}

}  // namespace microtome::gpu
