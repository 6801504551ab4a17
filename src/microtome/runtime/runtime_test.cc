#include "microtome/runtime/runtime.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

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

constexpr Size kImage{64, 48}, kTile{16, 16};

/// Whether a read by `workers` threads gives the slide's pixels.
bool reads(const KnownSlide& known, int workers) {
  const std::vector<std::byte> expected = known.crop(0, {0, 0, kImage.w, kImage.h}, kFill);
  std::vector<std::byte> pixels(expected.size());
  ReadOptions options;
  options.workers = workers;
  options.fill.assign(KnownSlide::kSamples, kFill);
  const ImageView view{pixels.data(), kImage, kImage.w * KnownSlide::kSamples, KnownSlide::kSamples,
                       SampleType::u8};
  return runtime().reader.read(known.slide, 0, {0, 0, kImage.w, kImage.h}, view, options, nullptr).ok() &&
         pixels == expected;
}

TEST(Runtime, IsOneForAllThreads) {
  std::array<Runtime*, 8> seen{};
  std::vector<std::thread> threads;
  for (Runtime*& each : seen) threads.emplace_back([&each] { each = &runtime(); });
  for (std::thread& thread : threads) thread.join();
  for (const Runtime* each : seen) EXPECT_EQ(each, &runtime());
}

TEST(Runtime, LoadersGetWhatReadersHave) {
  const LoaderContext context = runtime().loader_context();
  EXPECT_EQ(context.executor, runtime().executor);
  EXPECT_EQ(context.cache, runtime().cache);
  EXPECT_EQ(context.workers, runtime().workers);
  EXPECT_EQ(context.buffers, runtime().buffers);
  EXPECT_EQ(context.counters, runtime().counters);
}

TEST(Runtime, WorksInAForkedChildOfAProcessThatReads) {
  FORKS_WHILE_THREADS_ALLOCATE();
  const KnownSlide known({{kImage, kTile}});
  ASSERT_TRUE(reads(known, 3));
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) ASSERT_TRUE(reads(known, 3));
  });
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);  // a child that hangs fails the test
      _exit(reads(known, 3) && runtime().executor->generation() == 1 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "round " << round << ": " << status;
  }
  stop = true;
  reader.join();
  EXPECT_TRUE(reads(known, 3));
}

}  // namespace
}  // namespace microtome
