// For tests that fork.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "microtome/base/sanitizers.h"

/// What the suite that runs tests which fork under valgrind knows them by: "Fork" in their names.
inline bool this_tests_name_says_fork() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  return (std::string(test->test_suite_name()) + "." + test->name()).find("Fork") != std::string::npos;
}

/// Begins a test that forks while other threads allocate, which does not run under the address sanitizer: a
/// child that is forked while a thread holds a lock of the sanitizer's allocator waits for it for ever. With
/// Clang 14 all threads of such a child stood in SizeClassAllocator64::GetFromAllocator, none in a lock of
/// ours. The release build and the thread sanitizer run these tests, so a deadlock of ours fails there; how
/// such a child uses memory the suite `forks` looks at, with valgrind, whose allocator a fork leaves whole.
#if MICROTOME_ASAN
#define FORKS_WHILE_THREADS_ALLOCATE()                                                                      \
  GTEST_SKIP() << "runs under valgrind (suite forks): the address sanitizer's allocator stays locked in a " \
                  "child that is forked while threads allocate"
#else
#define FORKS_WHILE_THREADS_ALLOCATE() \
  ASSERT_TRUE(this_tests_name_says_fork()) << "the suite forks finds a test by \"Fork\" in its name"
#endif
