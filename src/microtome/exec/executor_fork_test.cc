// The executor across fork(): the calls that pthread_atfork handlers make, made by hand.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "microtome/base/fork_for_test.h"
#include "microtome/exec/executor.h"

// The thread sanitizer refuses threads in a child of a process with threads unless told; that is what is
// tested here.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "die_after_fork=0";
}

namespace microtome {
namespace {

using Group = Executor::Group;
using Mode = Group::Mode;

/// Forks between the handlers; the child leaves with what `in_child` returns (0: all is well).
template <class InChild>
int exit_code_of_child(Executor& executor, InChild in_child) {
  executor.fork_prepare();
  const pid_t child = fork();
  if (child == 0) {
    executor.fork_child();
    alarm(60);  // a child that hangs fails the test
    _exit(in_child());
  }
  executor.fork_parent();
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int run_new_work(const std::shared_ptr<Executor>& executor) {
  for (const Mode mode : {Mode::threads_only, Mode::caller_helps, Mode::caller_only}) {
    std::atomic<int> ran{0};
    Group group(executor, 3, mode);
    for (int i = 0; i < 20; ++i) group.run([&] { return ++ran, ok_status(); });
    if (!group.wait().ok() || ran != 20) return 1;
  }
  return 0;
}

TEST(ExecutorFork, ChildRunsNewWorkWhileTheParentsTasksAreInFlight) {
  const auto executor = std::make_shared<Executor>();
  std::atomic<bool> stop{false};
  std::atomic<int> started{0};
  Group group(executor, 2, Mode::threads_only);
  for (int i = 0; i < 6; ++i) {
    group.run([&] {
      ++started;
      while (!stop) std::this_thread::yield();
      return ok_status();
    });
  }
  while (started < 2) std::this_thread::yield();

  const int code = exit_code_of_child(*executor, [&] {
    if (executor->generation() != 1 || executor->thread_count() != 0) return 2;
    const Status old = group.wait();
    if (old.ok() || old.error().code != Errc::cancelled) return 3;
    return run_new_work(executor);
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(executor->generation(), 0u);
  stop = true;
  EXPECT_TRUE(group.wait().ok());
  EXPECT_EQ(started, 6);
}

TEST(ExecutorFork, ChildMayDestroyTheParentsGroupsAndExecutor) {
  auto executor = std::make_shared<Executor>();
  std::atomic<bool> stop{false};
  std::atomic<int> started{0};
  auto group = std::make_unique<Group>(executor, 1, Mode::threads_only);
  for (int i = 0; i < 3; ++i) {
    group->run([&] {
      ++started;
      while (!stop) std::this_thread::yield();
      return ok_status();
    });
  }
  std::thread waiter([&] { EXPECT_TRUE(group->wait().ok()); });  // stands in the group's condition variable
  while (started < 1) std::this_thread::yield();
  const int code = exit_code_of_child(*executor, [&] {
    group.reset();
    executor.reset();
    return 0;
  });
  EXPECT_EQ(code, 0);
  stop = true;
  waiter.join();
}

TEST(ExecutorFork, WhatIsRunInAGroupOfAnOlderGenerationIsDropped) {
  const auto executor = std::make_shared<Executor>();
  Group group(executor, 2, Mode::caller_helps);
  group.run([] { return ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  const int code = exit_code_of_child(*executor, [&] {
    if (!group.wait().ok()) return 2;  // all it had was done before
    bool ran = false;
    group.run([&] { return ran = true, ok_status(); });
    const Status status = group.wait();
    return status.ok() || status.error().code != Errc::cancelled || ran ? 3 : 0;
  });
  EXPECT_EQ(code, 0);
}

TEST(ExecutorFork, AGrandchildWorksToo) {
  const auto executor = std::make_shared<Executor>();
  ASSERT_EQ(run_new_work(executor), 0);
  const int code = exit_code_of_child(*executor, [&] {
    if (run_new_work(executor) != 0) return 1;
    return exit_code_of_child(*executor,
                              [&] { return executor->generation() == 2 ? run_new_work(executor) : 2; });
  });
  EXPECT_EQ(code, 0);
}

TEST(ExecutorFork, ManyForksWhileTasksComeAndGo) {
  FORKS_WHILE_THREADS_ALLOCATE();
  const auto executor = std::make_shared<Executor>();
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) EXPECT_EQ(run_new_work(executor), 0);
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(exit_code_of_child(*executor, [&] { return run_new_work(executor); }), 0) << "fork " << i;
  }
  stop = true;
  busy.join();
}

}  // namespace
}  // namespace microtome
