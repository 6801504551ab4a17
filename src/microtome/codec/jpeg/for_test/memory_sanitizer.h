// What the memory sanitizer cannot see by itself; does nothing without it. For tests only.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define MICROTOME_MEMORY_SANITIZER 1
#endif
#endif

namespace microtome::jpeg::test {

/// Bytes that a library without instrumentation has written.
inline void written_unseen([[maybe_unused]] const void* data, [[maybe_unused]] size_t size) {
#ifdef MICROTOME_MEMORY_SANITIZER
  __msan_unpoison(data, size);
#endif
}

/// Bytes that must be written before they are looked at.
inline void not_written_yet([[maybe_unused]] const void* data, [[maybe_unused]] size_t size) {
#ifdef MICROTOME_MEMORY_SANITIZER
  __msan_poison(data, size);
#endif
}

}  // namespace microtome::jpeg::test
