// For tests that fork.
#pragma once

#include <gtest/gtest.h>

#include "microtome/base/sanitizers.h"

/// Begins a test that forks while other threads allocate: GCC 12's and Clang 14's address sanitizers leave
/// their allocators locked in such a child, so it cannot run there.
#if MICROTOME_ASAN
#define FORKS_WHILE_THREADS_ALLOCATE()                                                                 \
  GTEST_SKIP() << "the address sanitizer leaves its allocator locked in a child forked while threads " \
                  "allocate"
#else
#define FORKS_WHILE_THREADS_ALLOCATE() static_cast<void>(0)
#endif
