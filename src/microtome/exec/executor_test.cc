#include "microtome/exec/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace microtome {
namespace {

using Group = Executor::Group;
using Mode = Group::Mode;

/// Opens once.
class Gate {
 public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    opened_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

class ExecutorTest : public testing::Test {
 protected:
  std::shared_ptr<Executor> executor_ = std::make_shared<Executor>();
};

class InEveryMode : public ExecutorTest, public testing::WithParamInterface<Mode> {};
INSTANTIATE_TEST_SUITE_P(Modes, InEveryMode,
                         testing::Values(Mode::caller_helps, Mode::threads_only, Mode::caller_only));

TEST_P(InEveryMode, RunsEveryTaskOnce) {
  std::vector<std::atomic<int>> ran(1000);
  Group group(executor_, 4, GetParam());
  for (auto& count : ran) group.run([&count] { return ++count, ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  for (const auto& count : ran) EXPECT_EQ(count, 1);
  EXPECT_LE(executor_->thread_count(), 4);
}

TEST_P(InEveryMode, WidthOneStartsTasksInOrder) {
  std::vector<int> order;
  Group group(executor_, 1, GetParam());
  for (int i = 0; i < 100; ++i) group.run([&order, i] { return order.push_back(i), ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST_P(InEveryMode, NeverMoreAtOnceThanTheWidth) {
  for (const int width : {1, 2, 3}) {
    std::atomic<int> now{0}, most{0};
    Group wide(executor_, 6, Mode::threads_only);  // so that there are threads enough to break the rule
    for (int i = 0; i < 6; ++i) wide.run([] { return ok_status(); });
    Group group(executor_, width, GetParam());
    for (int i = 0; i < 200; ++i) {
      group.run([&] {
        const int here = ++now;
        for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) continue;
        std::this_thread::yield();
        --now;
        return ok_status();
      });
    }
    ASSERT_TRUE(group.wait().ok());
    EXPECT_LE(most, width);
  }
}

TEST_P(InEveryMode, FirstErrorIsReturnedAndDropsTheRest) {
  std::atomic<int> ran{0};
  Group group(executor_, 1, GetParam());
  group.run([&] { return ++ran, ok_status(); });
  group.run([&] { return ++ran, Status(Error{Errc::corrupt, "first"}); });
  for (int i = 0; i < 50; ++i) group.run([&] { return ++ran, Status(Error{Errc::io, "later"}); });
  const Status status = group.wait();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().to_string(), "corrupt: first");
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(group.cancelled());
  group.run([&] { return ++ran, ok_status(); });  // a failed group takes nothing more
  EXPECT_EQ(group.wait().error().message, "first");
  EXPECT_EQ(ran, 2);
}

TEST_P(InEveryMode, ExceptionsBecomeErrors) {
  const auto outcome = [&](std::function<Status()> task) {
    Group group(executor_, 2, GetParam());
    group.run(std::move(task));
    return group.wait().error().to_string();
  };
  EXPECT_EQ(outcome([]() -> Status { throw std::bad_alloc(); }), "out of memory: no memory left");
  EXPECT_EQ(outcome([]() -> Status { throw std::runtime_error("why"); }), "internal: a task threw: why");
  EXPECT_EQ(outcome([]() -> Status { throw 1; }),
            "internal: a task threw something that is no std::exception");
}

TEST_P(InEveryMode, CanBeUsedAgainAfterSuccess) {
  Group group(executor_, 2, GetParam());
  EXPECT_TRUE(group.wait().ok());  // of nothing
  for (int round = 1; round <= 3; ++round) {
    std::atomic<int> ran{0};
    for (int i = 0; i < 5; ++i) group.run([&] { return ++ran, ok_status(); });
    ASSERT_TRUE(group.wait().ok());
    EXPECT_EQ(ran, 5);
  }
}

TEST_P(InEveryMode, TasksMayWaitForGroupsOfTheirOwn) {
  // Each level waits for the one below while holding its thread; three levels of four pass any thread count.
  std::atomic<int> leaves{0};
  const std::function<Status(int)> spawn = [&](int depth) -> Status {
    if (depth == 0) return ++leaves, ok_status();
    Group inner(executor_, 2, GetParam());
    for (int i = 0; i < 4; ++i) inner.run([&spawn, depth] { return spawn(depth - 1); });
    return inner.wait();
  };
  ASSERT_TRUE(spawn(4).ok());
  EXPECT_EQ(leaves, 256);
}

TEST_P(InEveryMode, ClosuresAreGoneWhenWaitReturns) {
  const auto held = std::make_shared<int>(0);
  Group group(executor_, 3, GetParam());
  for (int i = 0; i < 30; ++i) group.run([held] { return ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  EXPECT_EQ(held.use_count(), 1);

  group.run([held] { return Status(Error{Errc::io, "stop"}); });
  for (int i = 0; i < 30; ++i) group.run([held] { return ok_status(); });
  ASSERT_FALSE(group.wait().ok());
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(ExecutorTest, StartsNoThreadBeforeItIsNeededAndNoneForTheCallerAlone) {
  EXPECT_EQ(executor_->thread_count(), 0);
  Group group(executor_, 8, Mode::caller_only);
  std::set<std::thread::id> where;
  for (int i = 0; i < 20; ++i)
    group.run([&] { return where.insert(std::this_thread::get_id()), ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  EXPECT_EQ(where, std::set{std::this_thread::get_id()});
  Group alone(executor_, 1, Mode::caller_helps);
  alone.run([] { return ok_status(); });
  ASSERT_TRUE(alone.wait().ok());
  EXPECT_EQ(executor_->thread_count(), 0);
}

TEST_F(ExecutorTest, ThreadsOnlyNeverRunsInTheWaitingCaller) {
  Group group(executor_, 2, Mode::threads_only);
  std::atomic<bool> here{false};
  const auto caller = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    group.run([&] {
      if (std::this_thread::get_id() == caller) here = true;
      return ok_status();
    });
  }
  ASSERT_TRUE(group.wait().ok());
  EXPECT_FALSE(here);
}

TEST_F(ExecutorTest, WidthIsReached) {
  // All four must run at once or the barrier never opens: three threads and the caller.
  std::barrier barrier(4);
  Group group(executor_, 4, Mode::caller_helps);
  for (int i = 0; i < 4; ++i) group.run([&] { return barrier.arrive_and_wait(), ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  EXPECT_EQ(executor_->thread_count(), 3);
}

TEST_F(ExecutorTest, TheFirstErrorInTimeWinsNotInOrder) {
  Group group(executor_, 2, Mode::threads_only);
  group.run([&] {
    while (!group.cancelled()) std::this_thread::yield();
    return Status(Error{Errc::io, "queued first, failed second"});
  });
  group.run([&] { return Status(Error{Errc::corrupt, "queued second, failed first"}); });
  EXPECT_EQ(group.wait().error().message, "queued second, failed first");
}

TEST_F(ExecutorTest, TasksOfOtherGroupsStartInTheOrderTheyWereQueued) {
  Gate gate;
  std::vector<char> order;
  Group blocker(executor_, 1, Mode::threads_only);
  blocker.run([&] { return gate.pass(), ok_status(); });
  Group a(executor_, 1, Mode::threads_only), b(executor_, 1, Mode::threads_only);
  ASSERT_EQ(executor_->thread_count(), 1);
  for (int i = 0; i < 3; ++i) {
    a.run([&] { return order.push_back('a'), ok_status(); });
    b.run([&] { return order.push_back('b'), ok_status(); });
  }
  gate.open();
  ASSERT_TRUE(a.wait().ok() && b.wait().ok() && blocker.wait().ok());
  EXPECT_EQ(std::string(order.begin(), order.end()), "ababab");
}

TEST_F(ExecutorTest, CancelDropsWhatHasNotStartedAndShowsToWhatRuns) {
  Gate started;
  std::atomic<int> ran{0};
  Group group(executor_, 1, Mode::threads_only);
  group.run([&] {
    started.open();
    while (!group.cancelled()) std::this_thread::yield();
    return ok_status();
  });
  for (int i = 0; i < 10; ++i) group.run([&] { return ++ran, ok_status(); });
  started.pass();
  group.cancel();
  const Status status = group.wait();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::cancelled);
  EXPECT_EQ(ran, 0);
}

TEST_F(ExecutorTest, DestructorDropsWhatWaitsAndWaitsForWhatRuns) {
  Gate started;
  std::atomic<bool> finished{false};
  std::atomic<int> ran{0};
  {
    Group group(executor_, 1, Mode::threads_only);
    group.run([&] {
      started.open();
      while (!group.cancelled()) std::this_thread::yield();
      finished = true;
      return ok_status();
    });
    group.run([&] { return ++ran, ok_status(); });
    started.pass();
  }
  EXPECT_TRUE(finished);
  EXPECT_EQ(ran, 0);
}

TEST_F(ExecutorTest, AThousandGroupsShareTheSameThreads) {
  for (int i = 0; i < 1000; ++i) {
    Group group(executor_, 3, i % 2 == 0 ? Mode::caller_helps : Mode::threads_only);
    for (int task = 0; task < 5; ++task) group.run([] { return ok_status(); });
    ASSERT_TRUE(group.wait().ok());
  }
  EXPECT_LE(executor_->thread_count(), 3);
}

TEST_F(ExecutorTest, ManyCallersAtOnce) {
  std::atomic<int> ran{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Group group(executor_, 3, Mode::caller_helps);
        for (int task = 0; task < 7; ++task) group.run([&] { return ++ran, ok_status(); });
        EXPECT_TRUE(group.wait().ok());
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(ran, 4 * 50 * 7);
  EXPECT_LE(executor_->thread_count(), 2);
}

TEST_F(ExecutorTest, ThreadsAreNamedAndLeaveSignalsToOthers) {
  std::string name;
  bool blocks_int = false, blocks_segv = true;
  Group group(executor_, 1, Mode::threads_only);
  group.run([&] {
    char buffer[16];
    pthread_getname_np(pthread_self(), buffer, sizeof buffer);
    name = buffer;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    blocks_int = sigismember(&blocked, SIGINT) == 1;
    blocks_segv = sigismember(&blocked, SIGSEGV) == 1;
    return ok_status();
  });
  ASSERT_TRUE(group.wait().ok());
  EXPECT_EQ(name, "microtome-0");
  EXPECT_TRUE(blocks_int);
  EXPECT_FALSE(blocks_segv);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGINT), 0);
}

/// No thread can be made while it lives: its stack would not fit the address space.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 50);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoMoreThreads() { pthread_setattr_default_np(&before_); }

 private:
  pthread_attr_t before_;
};

TEST_F(ExecutorTest, WithoutThreadsTheCallerDoesTheWork) {
  const NoMoreThreads none;
  std::atomic<int> ran{0};
  Group group(executor_, 4, Mode::caller_helps);
  for (int i = 0; i < 10; ++i) group.run([&] { return ++ran, ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  EXPECT_EQ(ran, 10);
  EXPECT_EQ(executor_->thread_count(), 0);
}

TEST_F(ExecutorTest, WithFewerThreadsThanWidthTheWorkIsStillDone) {
  Group group(executor_, 4, Mode::threads_only);
  group.run([] { return ok_status(); });
  const NoMoreThreads none;
  std::atomic<int> ran{0};
  for (int i = 0; i < 10; ++i) group.run([&] { return ++ran, ok_status(); });
  ASSERT_TRUE(group.wait().ok());
  EXPECT_EQ(ran, 10);
  EXPECT_EQ(executor_->thread_count(), 1);
}

TEST_F(ExecutorTest, ThreadsOnlyWithoutAnyThreadFails) {
  const NoMoreThreads none;
  Group group(executor_, 4, Mode::threads_only);
  group.run([] { return ok_status(); });
  EXPECT_TRUE(group.cancelled());
  EXPECT_EQ(group.wait().error().to_string(),
            "unavailable: the system gives no thread to run tasks on (process or memory limit)");
}

}  // namespace
}  // namespace microtome
