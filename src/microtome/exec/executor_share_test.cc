// Several groups on the same threads: none keeps them from another.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/exec/executor.h"

namespace microtome {
namespace {

using Group = Executor::Group;
using Mode = Group::Mode;

class ExecutorShareTest : public testing::Test {
 protected:
  std::shared_ptr<Executor> executor_ = std::make_shared<Executor>();
};

TEST_F(ExecutorShareTest, AGroupNeedNotWaitForAllThatAnotherQueuedBefore) {
  std::latch queued(1);
  std::string order;  // one thread writes it
  Group a(executor_, 1, Mode::threads_only), b(executor_, 1, Mode::threads_only);
  a.run([&] { return queued.wait(), ok_status(); });
  for (int i = 0; i < 4; ++i) a.run([&] { return order += 'a', ok_status(); });
  for (int i = 0; i < 2; ++i) b.run([&] { return order += 'b', ok_status(); });
  ASSERT_EQ(executor_->thread_count(), 1);
  queued.count_down();
  ASSERT_TRUE(a.wait().ok() && b.wait().ok());
  EXPECT_EQ(order, "babaaa");
}

TEST_F(ExecutorShareTest, AFreeThreadGoesToTheGroupWithFewestRunning) {
  std::latch started(2), go(1), b_started(1);
  Group a(executor_, 3, Mode::threads_only), b(executor_, 3, Mode::threads_only);
  std::atomic<int> third{0};
  for (int i = 0; i < 2; ++i) a.run([&] { return started.count_down(), go.wait(), ok_status(); });
  started.wait();  // a has both threads
  a.run([&] { return third += 1, ok_status(); });
  // The third thread is a's, for its third task.
  while (third == 0) std::this_thread::yield();
  ASSERT_EQ(executor_->thread_count(), 3);
  std::latch hold(1), held(1);
  b.run([&] { return held.count_down(), hold.wait(), ok_status(); });
  held.wait();  // now all three are taken: two by a, one by b
  std::atomic<bool> a_ran{false};
  bool b_first = false;
  a.run([&] { return a_ran = true, ok_status(); });
  b.run([&] {
    b_first = !a_ran;
    return b_started.count_down(), ok_status();
  });
  hold.count_down();
  b_started.wait();
  EXPECT_TRUE(b_first);  // though a's was queued before
  go.count_down();
  ASSERT_TRUE(a.wait().ok() && b.wait().ok());
}

TEST_F(ExecutorShareTest, ALongTaskSeesThatAnotherGroupWaitsAndGoesOnAfterwards) {
  Group a(executor_, 1, Mode::threads_only), b(executor_, 1, Mode::threads_only);
  std::atomic<int> slices{0};
  std::atomic<bool> b_ran{false};
  std::latch started(1);
  std::function<Status()> long_task = [&] {
    if (++slices == 1) started.count_down();
    while (!b_ran) {
      if (!a.gives_way()) continue;
      a.run(long_task);
      break;
    }
    return ok_status();
  };
  a.run(long_task);
  started.wait();
  EXPECT_FALSE(a.gives_way());  // nobody waits
  b.run([&] { return b_ran = true, ok_status(); });
  ASSERT_TRUE(b.wait().ok() && a.wait().ok());
  EXPECT_EQ(slices, 2);
  EXPECT_EQ(executor_->thread_count(), 1);
  EXPECT_FALSE(a.gives_way() || b.gives_way());
}

TEST_F(ExecutorShareTest, NobodyGivesWayToAGroupThatRunsAsMany) {
  Group a(executor_, 2, Mode::threads_only), b(executor_, 2, Mode::threads_only);
  std::latch started(2), go(1);
  a.run([&] { return started.count_down(), go.wait(), ok_status(); });
  b.run([&] { return started.count_down(), go.wait(), ok_status(); });
  // One thread each: b's task waits for the second thread, which a's second task makes the executor start.
  a.run([&] { return ok_status(); });
  started.wait();
  a.run([&] { return ok_status(); });
  b.run([&] { return ok_status(); });
  EXPECT_FALSE(a.gives_way());
  EXPECT_FALSE(b.gives_way());
  go.count_down();
  ASSERT_TRUE(a.wait().ok() && b.wait().ok());
}

TEST_F(ExecutorShareTest, CancelAsksForWay) {
  Group group(executor_, 1, Mode::threads_only);
  std::latch started(1);
  group.run([&] {
    started.count_down();
    while (!group.gives_way()) std::this_thread::yield();
    return ok_status();
  });
  started.wait();
  group.cancel();
  EXPECT_EQ(group.wait().error().code, Errc::cancelled);
}

}  // namespace
}  // namespace microtome
