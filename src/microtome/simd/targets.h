// Which instruction set the vector code of this process uses.
//
// Code that is written once and compiled per instruction set (Highway's foreach_target) is called through
// MICROTOME_DISPATCH, here and in `codec`. The best set that the processor has is used; MICROTOME_SIMD=<name>
// in the environment forces another, for tests and reports. Results are the same with all of them.
//
//     portable    what every processor of the architecture has
//     sse4        SSE4.2 with AES and carry-less multiplication (2010)
//     avx2        AVX2 with BMI2 and FMA (Intel Haswell, AMD Zen)
//     avx512      AVX-512 F, BW, DQ, VL (Intel Skylake server)
//     avx512vbmi  the same with VBMI, VBMI2, VNNI, BITALG, VAES (Intel Ice Lake, AMD Zen 4)
//     neon        64-bit ARM
//
// Knows nothing of what is computed. Thread-safe; the environment is read once, at the first use.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace microtome::simd {

struct TargetChoice {
  std::string_view used;
  std::vector<std::string_view> available;  // on this processor and compiled in, best first
  /// What is wrong with MICROTOME_SIMD; empty if it is unset, empty or was followed. With a problem the best
  /// set is used, as without the variable: the caller decides whether to warn or to stop.
  std::string problem;
};

/// The choice for a value of MICROTOME_SIMD; empty for none.
TargetChoice choose_target(std::string_view forced);

/// The choice of this process.
const TargetChoice& target_choice();

namespace detail {
extern std::atomic<size_t> dispatch_index;  // 0: not chosen yet
size_t choose_dispatch_index();
}  // namespace detail

/// The place of the used instruction set in a table of HWY_EXPORT.
inline size_t dispatch_index() {
  const size_t index = detail::dispatch_index.load(std::memory_order_relaxed);
  return index != 0 ? index : detail::choose_dispatch_index();
}

/// Uses another available instruction set while it lives. For tests: other threads must not be at work.
class TargetForTest {
 public:
  explicit TargetForTest(std::string_view name);
  ~TargetForTest();
  TargetForTest(const TargetForTest&) = delete;
  TargetForTest& operator=(const TargetForTest&) = delete;

 private:
  size_t before_;
};

}  // namespace microtome::simd

/// The function for the used instruction set; HWY_EXPORT(F) stands before it in the same file.
#define MICROTOME_DISPATCH(F) (*(HWY_DISPATCH_TABLE(F)[::microtome::simd::dispatch_index()]))
