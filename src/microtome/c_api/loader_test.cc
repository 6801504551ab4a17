// Batches through the C API.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "microtome/base/fork_for_test.h"
#include "microtome/c_api/slide_for_test.h"

extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options();
const char* __tsan_default_options() {
  return "die_after_fork=0";  // the child is what is tested
}

namespace microtome {
namespace {

constexpr int64_t kSide = 24;

std::vector<microtome_patch> grid() {
  std::vector<microtome_patch> patches;
  for (int64_t y = 0; y < SlideFile::kLevel0.h; y += kSide)
    for (int64_t x = 0; x < SlideFile::kLevel0.w; x += kSide) patches.push_back({x, y, 0});
  return patches;
}

microtome_loader_options options_of(int64_t batch_size) {
  microtome_loader_options options = {};
  options.w = options.h = kSide;
  options.batch_size = batch_size;
  return options;
}

/// A pass, ended with the test.
class Pass {
 public:
  Pass(const microtome_slide* slide, const std::vector<microtome_patch>& patches,
       const microtome_loader_options& options) {
    status = microtome_loader_open(&slide, 1, patches.data(), patches.size(), &options, &loader, &error);
  }
  ~Pass() { microtome_loader_close(loader); }

  microtome_batch* next() {
    microtome_batch* batch = nullptr;
    status = microtome_loader_next(loader, &batch, &error);
    return batch;
  }

  /// The order in which patches come; empty where their pixels are not `patches`' at level 0.
  std::vector<int64_t> order(const std::vector<microtome_patch>& patches) {
    std::vector<int64_t> indices;
    while (microtome_batch* batch = next()) {
      microtome_batch_info info;
      EXPECT_EQ(microtome_batch_get(batch, &info, nullptr), MICROTOME_OK);
      const size_t bytes = static_cast<size_t>(info.w * info.h * info.channels);
      for (int64_t row = 0; row < info.count; ++row) {
        const microtome_patch& patch = patches[static_cast<size_t>(info.indices[row])];
        const auto expected = SlideFile::expected(0, SlideFile::kLevel0, {patch.x, patch.y, info.w, info.h});
        const auto* got = static_cast<const uint8_t*>(info.pixels) + static_cast<size_t>(row) * bytes;
        EXPECT_EQ(std::memcmp(got, expected.data(), bytes), 0) << "patch " << info.indices[row];
        indices.push_back(info.indices[row]);
      }
      microtome_batch_free(batch);
    }
    EXPECT_EQ(status, MICROTOME_OK) << error.message;
    return indices;
  }

  microtome_loader* loader = nullptr;
  microtome_status status;
  microtome_error error{};
};

class CApiLoader : public testing::Test {
 protected:
  std::vector<int64_t> order(const microtome_loader_options& options) {
    Pass pass(open_.slide, patches_, options);
    EXPECT_EQ(pass.status, MICROTOME_OK) << pass.error.message;
    return pass.order(patches_);
  }

  const SlideFile file_;
  const OpenSlide open_{file_};
  const std::vector<microtome_patch> patches_ = grid();  // 15 of them
};

TEST_F(CApiLoader, BatchesComeInOrderWithTheirPixels) {
  std::vector<int64_t> in_order(patches_.size());
  std::iota(in_order.begin(), in_order.end(), 0);
  for (const int32_t workers : {0, 1, 3}) {
    for (const int32_t prefetch : {-1, 0, 5}) {
      microtome_loader_options options = options_of(4);
      options.workers = workers;
      options.prefetch = prefetch;
      EXPECT_EQ(order(options), in_order) << workers << " workers, prefetch " << prefetch;
    }
  }
}

TEST_F(CApiLoader, TheLastBatchIsShortOrLeftOut) {
  microtome_loader_options options = options_of(4);
  EXPECT_EQ(microtome_loader_batch_count(Pass(open_.slide, patches_, options).loader), 4);
  options.drop_last = 1;
  EXPECT_EQ(microtome_loader_batch_count(Pass(open_.slide, patches_, options).loader), 3);
  EXPECT_EQ(order(options).size(), 12u);
  options = options_of(0);
  EXPECT_EQ(microtome_loader_batch_count(Pass(open_.slide, patches_, options).loader), 1) << "64 unless told";
}

TEST_F(CApiLoader, ShufflesBySeedAndEpochAndShards) {
  microtome_loader_options options = options_of(4);
  options.shuffle = 1;
  const auto first = order(options);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  EXPECT_EQ(order(options), first);
  options.epoch = 1;
  EXPECT_NE(order(options), first);
  options.epoch = 0;
  options.seed = 1;
  EXPECT_NE(order(options), first);
  options.seed = 0;
  options.world_size = 2;
  auto both = order(options);
  options.rank = 1;
  const auto other = order(options);
  both.insert(both.end(), other.begin(), other.end());
  std::sort(both.begin(), both.end());
  for (size_t i = 0; i < both.size(); ++i) EXPECT_EQ(both[i], static_cast<int64_t>(i));
  EXPECT_EQ(both.size(), patches_.size());
}

TEST_F(CApiLoader, ReadsTheLevelOfEachSlide) {
  const SlideFile again(false, "again.svs");
  const OpenSlide second(again);
  const microtome_slide* const slides[] = {open_.slide, second.slide};
  const microtome_patch patches[] = {{8, 16, 1}, {-4, 0, 0}};
  microtome_loader_options options = options_of(2);
  options.level = 1;
  const double nine = 9;
  options.fill = &nine;
  options.fill_count = 1;
  microtome_loader* loader = nullptr;
  microtome_error error;
  ASSERT_EQ(microtome_loader_open(slides, 2, patches, 2, &options, &loader, &error), MICROTOME_OK)
      << error.message;
  microtome_batch* batch = nullptr;
  ASSERT_EQ(microtome_loader_next(loader, &batch, &error), MICROTOME_OK) << error.message;
  microtome_batch_info info;
  ASSERT_EQ(microtome_batch_get(batch, &info, &error), MICROTOME_OK);
  EXPECT_EQ(info.count, 2);
  EXPECT_EQ(info.sample, MICROTOME_UINT8);
  EXPECT_EQ(info.error_count, 0);
  auto expected = SlideFile::expected(1, SlideFile::kLevel1, {4, 8, kSide, kSide}, 9);
  const auto outside = SlideFile::expected(1, SlideFile::kLevel1, {-2, 0, kSide, kSide}, 9);
  expected.insert(expected.end(), outside.begin(), outside.end());
  const auto* pixels = static_cast<const uint8_t*>(info.pixels);
  EXPECT_EQ(std::vector<uint8_t>(pixels, pixels + expected.size()), expected);
  microtome_batch_free(batch);
  microtome_loader_close(loader);
}

TEST_F(CApiLoader, ABatchOutlivesLoaderAndSlide) {
  microtome_batch* batch = nullptr;
  {
    const SlideFile file;
    const OpenSlide open(file);
    Pass pass(open.slide, patches_, options_of(15));
    batch = pass.next();
    ASSERT_NE(batch, nullptr) << pass.error.message;
  }
  microtome_batch_info info;
  ASSERT_EQ(microtome_batch_get(batch, &info, nullptr), MICROTOME_OK);
  const auto expected = SlideFile::expected(0, SlideFile::kLevel0, {0, 0, kSide, kSide});
  EXPECT_EQ(std::memcmp(info.pixels, expected.data(), expected.size()), 0);
  microtome_batch_free(batch);
}

TEST_F(CApiLoader, WhatIsNoLoader) {
  const auto refused = [&](auto change, microtome_status status) {
    microtome_loader_options options = options_of(4);
    change(options);
    Pass pass(open_.slide, patches_, options);
    EXPECT_EQ(pass.status, status) << pass.error.message;
    EXPECT_EQ(pass.loader, nullptr);
    return std::string(pass.error.message);
  };
  using Options = microtome_loader_options;
  EXPECT_EQ(refused([](Options& o) { o.w = 0; }, MICROTOME_INVALID_ARGUMENT),
            "patches of 0x24 pixels, expected at least 1x1");
  refused([](Options& o) { o.batch_size = -1; }, MICROTOME_INVALID_ARGUMENT);
  refused([](Options& o) { o.prefetch = -2; }, MICROTOME_INVALID_ARGUMENT);
  refused([](Options& o) { o.workers = -1; }, MICROTOME_INVALID_ARGUMENT);
  refused([](Options& o) { o.on_error = 7; }, MICROTOME_INVALID_ARGUMENT);
  refused([](Options& o) { o.rank = 1; }, MICROTOME_INVALID_ARGUMENT);
  refused([](Options& o) { o.reserved[0] = 1; }, MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(refused([](Options& o) { o.level = 2; }, MICROTOME_OUT_OF_RANGE),
            "level 2: " + file_.path + " has 2 levels");

  const microtome_slide* slide = open_.slide;
  const microtome_patch elsewhere = {0, 0, 1};
  const microtome_loader_options options = options_of(1);
  microtome_loader* loader = nullptr;
  microtome_error error;
  EXPECT_EQ(microtome_loader_open(&slide, 1, &elsewhere, 1, &options, &loader, &error),
            MICROTOME_OUT_OF_RANGE);
  EXPECT_STREQ(error.message, "patch 0: slide 1: there are 1 slides");
  EXPECT_EQ(microtome_loader_open(&slide, 0, nullptr, 0, &options, &loader, &error),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_loader_open(&slide, 1, nullptr, 1, &options, &loader, &error),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_loader_open(nullptr, 1, nullptr, 0, &options, &loader, &error),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_loader_open(&slide, 1, nullptr, 0, nullptr, &loader, &error),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_loader_open(&slide, 1, nullptr, 0, &options, nullptr, &error),
            MICROTOME_INVALID_ARGUMENT);
  slide = nullptr;
  EXPECT_EQ(microtome_loader_open(&slide, 1, nullptr, 0, &options, &loader, &error),
            MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "slides[0] is NULL");
  EXPECT_EQ(microtome_loader_next(nullptr, nullptr, &error), MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_loader_batch_count(nullptr), 0);
  EXPECT_EQ(microtome_batch_get(nullptr, nullptr, &error), MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_batch_error(nullptr, 0, nullptr), nullptr);
  microtome_batch_free(nullptr);
  microtome_loader_close(nullptr);
}

TEST_F(CApiLoader, NoPatchesAreNoBatches) {
  Pass pass(open_.slide, {}, options_of(4));
  ASSERT_EQ(pass.status, MICROTOME_OK) << pass.error.message;
  EXPECT_EQ(microtome_loader_batch_count(pass.loader), 0);
  EXPECT_EQ(pass.next(), nullptr);
  EXPECT_EQ(pass.status, MICROTOME_OK);
}

TEST_F(CApiLoader, BrokenTilesEndThePassOrAreReported) {
  const SlideFile file(true);
  const OpenSlide open(file);
  microtome_loader_options options = options_of(2);
  options.workers = 1;
  Pass failing(open.slide, patches_, options);
  EXPECT_EQ(failing.next(), nullptr);
  EXPECT_EQ(failing.status, MICROTOME_CORRUPT);
  EXPECT_EQ(failing.next(), nullptr);
  EXPECT_EQ(failing.status, MICROTOME_CORRUPT) << "the pass is at its end";
  options.on_error = MICROTOME_FILL;
  Pass filling(open.slide, patches_, options);
  microtome_batch* batch = filling.next();
  ASSERT_NE(batch, nullptr) << filling.error.message;
  microtome_batch_info info;
  microtome_batch_get(batch, &info, nullptr);
  ASSERT_EQ(info.error_count, 1) << "of patch 1: the tile begins at x 32";
  int64_t row = -1;
  EXPECT_NE(std::string(microtome_batch_error(batch, 0, &row)).find("1,0"), std::string::npos);
  EXPECT_EQ(row, 1);
  EXPECT_EQ(microtome_batch_error(batch, 1, &row), nullptr);
  EXPECT_NE(microtome_batch_error(batch, 0, nullptr), nullptr);
  microtome_batch_free(batch);
}

TEST_F(CApiLoader, GoesOnInAForkedChild) {
  FORKS_WHILE_THREADS_ALLOCATE();
  microtome_loader_options options = options_of(2);
  options.workers = 2;
  Pass pass(open_.slide, patches_, options);
  microtome_batch_free(pass.next());
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a child that hangs fails the test
    int batches = 0;
    while (microtome_batch* batch = pass.next()) {
      ++batches;
      microtome_batch_free(batch);
    }
    _exit(pass.status == MICROTOME_OK && batches == 7 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace microtome
