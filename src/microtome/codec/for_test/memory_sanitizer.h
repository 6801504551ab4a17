// What the memory sanitizer cannot see by itself; does nothing without it. For tests only.
#pragma once

#include <cstddef>

namespace microtome::test {

/// Bytes that a library without instrumentation has written.
void written_unseen(const void* data, size_t size);

/// Bytes that must be written before they are looked at.
void not_written_yet(const void* data, size_t size);

}  // namespace microtome::test
