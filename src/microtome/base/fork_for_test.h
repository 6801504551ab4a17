// For tests that fork.
#pragma once

#include <gtest/gtest.h>

#include "microtome/base/sanitizers.h"

/// Begins a test that forks while other threads allocate, which does not run under the address sanitizer: a
/// child that is forked while a thread holds a lock of the sanitizer's allocator waits for it for ever. With
/// Clang 14 all threads of such a child stood in SizeClassAllocator64::GetFromAllocator, none in a lock of
/// ours. The release build and the thread sanitizer run these tests, so a deadlock of ours fails there. How
/// such a child uses memory valgrind shows, whose allocator a fork leaves whole; no suite runs that:
///
///     valgrind --error-exitcode=9 --show-mismatched-frees=no loader_tests --gtest_filter='*Fork*'
#if MICROTOME_ASAN
#define FORKS_WHILE_THREADS_ALLOCATE()                                                              \
  GTEST_SKIP() << "runs in the release build: the address sanitizer's allocator stays locked in a " \
                  "child that is forked while threads allocate"
#else
#define FORKS_WHILE_THREADS_ALLOCATE() static_cast<void>(0)
#endif
