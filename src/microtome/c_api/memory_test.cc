// Running out of memory anywhere inside the C API is a status, not an exception.
//
// Allocations of this program go through a count; the tests fail each in turn. Not with the sanitizers, which
// bring allocators of their own.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "microtome/base/sanitizers.h"
#include "microtome/c_api/slide_for_test.h"

#if !MICROTOME_ASAN && !MICROTOME_TSAN

namespace {
// How many allocations succeed before one fails; negative: all.
std::atomic<int64_t> allocations_left{-1};

void* allocate(size_t bytes, size_t alignment) {
  const int64_t left = allocations_left.load();
  if (left == 0) {
    allocations_left = -1;  // one failure
    throw std::bad_alloc();
  }
  if (left > 0) --allocations_left;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Not in line: the compiler would see a free() of what operator new gave, and warn.
[[gnu::noinline]] void release(void* memory) noexcept {
  std::free(memory);
}
}  // namespace

void* operator new(size_t bytes) {
  return allocate(bytes, alignof(std::max_align_t));
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  release(memory);
}

namespace microtome {
namespace {

/// Runs `call` with its first allocation failing, its second, … until it makes none that fails. `call` gives
/// a status that must be ok or out of memory. Returns how often it was the latter.
template <class Call>
int fail_each(Call&& call) {
  int failures = 0;
  for (int64_t before = 0;; ++before) {
    allocations_left = before;
    const microtome_status status = call();
    const bool failed = allocations_left.exchange(-1) == -1;
    if (!failed) {
      EXPECT_EQ(status, MICROTOME_OK) << "after " << before << " allocations";
      return failures;
    }
    EXPECT_EQ(status, MICROTOME_OUT_OF_MEMORY) << "allocation " << before;
    failures += status == MICROTOME_OUT_OF_MEMORY;
    if (before > 100000) return failures;
  }
}

TEST(CApiMemory, EveryAllocationOfOpeningMayFail) {
  const SlideFile file;
  const int failures = fail_each([&] {
    microtome_slide* slide = nullptr;
    const microtome_status status = microtome_open(file.path.c_str(), &slide, nullptr);
    microtome_close(slide);
    return status;
  });
  EXPECT_GT(failures, 20);
}

TEST(CApiMemory, EveryAllocationOfReadingMayFail) {
  const SlideFile file;
  const OpenSlide open(file);
  std::vector<uint8_t> pixels(100 * 70 * 3);
  const microtome_region region = {0, 0, 100, 70, 0};
  microtome_read_options options = {};
  options.workers = 1;  // so that no other thread's allocations are counted
  const int failures = fail_each(
      [&] { return microtome_read(open.slide, &region, pixels.data(), pixels.size(), &options, nullptr); });
  EXPECT_GT(failures, 3);
}

TEST(CApiMemory, EveryAllocationOfLoadingMayFail) {
  const SlideFile file;
  const OpenSlide open(file);
  const microtome_slide* slide = open.slide;
  const microtome_patch patches[] = {{0, 0, 0}, {24, 24, 0}};
  microtome_loader_options options = {};
  options.w = options.h = 24;
  options.workers = 1;
  const int failures = fail_each([&] {
    microtome_loader* loader = nullptr;
    microtome_batch* batch = nullptr;
    microtome_status status = microtome_loader_open(&slide, 1, patches, 2, &options, &loader, nullptr);
    if (status == MICROTOME_OK) status = microtome_loader_next(loader, &batch, nullptr);
    microtome_batch_free(batch);
    microtome_loader_close(loader);
    return status;
  });
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace microtome

#endif
