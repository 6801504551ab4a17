// Loaders across fork(), with the calls that the owner's pthread_atfork handlers make, made by hand.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "microtome/base/fork_for_test.h"
#include "microtome/loader/loader_for_test.h"

// The thread sanitizer refuses threads in a child of a process with threads unless told; that is what is
// tested here.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "die_after_fork=0";
}

namespace microtome {
namespace {

template <class InChild>
int exit_code_of_child(const LoaderContext& context, InChild in_child) {
  context.executor->fork_prepare();
  context.cache->fork_prepare();
  context.workers->fork_prepare();
  context.buffers->fork_prepare();
  const pid_t child = fork();
  if (child == 0) {
    context.buffers->fork_child();
    context.workers->fork_child();
    context.cache->fork_child();
    context.executor->fork_child();
    alarm(60);  // a child that hangs fails the test
    _exit(in_child());
  }
  context.buffers->fork_parent();
  context.workers->fork_parent();
  context.cache->fork_parent();
  context.executor->fork_parent();
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

class LoaderFork : public testing::TestWithParam<std::tuple<int, size_t>> {
 protected:
  LoaderFork() : patches_(half_offset_grid({100, 100}, kSmallTile)) {}

  void SetUp() override {
    if (std::get<0>(GetParam()) > 0) {
      FORKS_WHILE_THREADS_ALLOCATE();
    }
  }

  std::unique_ptr<Loader> open() {
    LoaderOptions options = options_for_test(kSmallTile, 3, std::get<0>(GetParam()));
    options.prefetch = 4;
    return open_loader(context_, {known_.slide}, patches_, in_order(patches_.size()), options);
  }

  /// 0 when all batches from `number` on come with their pixels, and then the end.
  int rest_is_right(Loader& loader, uint64_t number) {
    for (; number < loader.batch_count(); ++number) {
      auto batch = loader.next();
      if (!batch.ok() || !batch->has_value() || (*batch)->number != number) return 2;
      for (size_t row = 0; row < (*batch)->indices.size(); ++row) {
        const auto index = static_cast<size_t>((*batch)->indices[row]);
        if (index != number * 3 + row) return 3;
        const auto expected = known_.crop(0, {patches_[index].x, patches_[index].y, 16, 16}, kFill);
        if (!std::ranges::equal(row_of(**batch, row), expected)) return 4;
      }
    }
    auto end = loader.next();
    return end.ok() && !end->has_value() ? 0 : 5;
  }

  const KnownSlide known_{{{{100, 100}, kSmallTile}}};
  const std::vector<Patch> patches_;
  const LoaderContext context_ = context_for_test(std::get<1>(GetParam()));
};
INSTANTIATE_TEST_SUITE_P(Shapes, LoaderFork,
                         testing::Combine(testing::Values(0, 1, 3),
                                          testing::Values(size_t{0}, size_t{1} << 20)));

TEST_P(LoaderFork, ParentAndChildBothGoOnWithTheNextBatch) {
  for (int round = 0; round < 10; ++round) {
    const auto loader = open();
    for (int taken = 0; taken < round % 4; ++taken) take(*loader);
    const auto number = static_cast<uint64_t>(round % 4);
    EXPECT_EQ(exit_code_of_child(context_, [&] { return rest_is_right(*loader, number); }), 0);
    EXPECT_EQ(rest_is_right(*loader, number), 0);
  }
}

TEST_P(LoaderFork, AChildMayDropTheParentsLoader) {
  for (int round = 0; round < 10; ++round) {
    auto loader = open();
    take(*loader);
    const int code = exit_code_of_child(context_, [&] {
      loader.reset();
      return rest_is_right(*open(), 0);  // and use another
    });
    EXPECT_EQ(code, 0);
  }
}

TEST_P(LoaderFork, AGrandchildGoesOnToo) {
  const auto loader = open();
  take(*loader);
  const int code = exit_code_of_child(context_, [&] {
    take(*loader);
    return exit_code_of_child(context_, [&] { return rest_is_right(*loader, 2); });
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace microtome
