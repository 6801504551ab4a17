#include "microtome/simd/targets.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cstdlib>

namespace microtome::simd {
namespace {

struct Named {
  std::string_view name;
  int64_t target;
};
// Best first. Highway's fallback is one of two, by compiler.
constexpr Named kNamed[] = {{"avx512vbmi", HWY_AVX3_DL}, {"avx512", HWY_AVX3},
                            {"avx2", HWY_AVX2},          {"sse4", HWY_SSE4},
                            {"neon", HWY_NEON},          {"portable", HWY_BASELINE_SCALAR}};

// The fallback is always there, whatever Highway reports.
bool is_available(const Named& named) {
  return (named.target & HWY_TARGETS) != 0 &&
         ((named.target & hwy::SupportedTargets()) != 0 || named.target == HWY_BASELINE_SCALAR);
}

size_t index_of(std::string_view name) {
#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0
  static_cast<void>(name);
  return 0;  // tables have one entry
#else
  const auto* const found = std::ranges::find(kNamed, name, &Named::name);
  hwy::ChosenTarget chosen;
  chosen.Update(found->target);
  return chosen.GetIndex();
#endif
}

}  // namespace

namespace detail {
// Constant after the first use but for TargetForTest.
std::atomic<size_t> dispatch_index{0};

size_t choose_dispatch_index() {
  const size_t index = index_of(target_choice().used);
  dispatch_index.store(index, std::memory_order_relaxed);
  return index;
}
}  // namespace detail

TargetChoice choose_target(std::string_view forced) {
  TargetChoice choice;
  for (const Named& named : kNamed) {
    if (is_available(named)) choice.available.push_back(named.name);
  }
  choice.used = choice.available.front();
  if (forced.empty()) return choice;
  const auto* const known = std::ranges::find(kNamed, forced, &Named::name);
  if (known != std::end(kNamed) && is_available(*known)) {
    choice.used = known->name;
  } else if (known != std::end(kNamed)) {
    choice.problem = fmt::format("MICROTOME_SIMD={}: this processor does not have it; it has {}", forced,
                                 fmt::join(choice.available, ", "));
  } else {
    choice.problem = fmt::format("MICROTOME_SIMD={}: no such instruction set; this processor has {}", forced,
                                 fmt::join(choice.available, ", "));
  }
  return choice;
}

const TargetChoice& target_choice() {
  static const TargetChoice choice = [] {
    const char* const forced = std::getenv("MICROTOME_SIMD");
    return choose_target(forced == nullptr ? "" : forced);
  }();
  return choice;
}

TargetForTest::TargetForTest(std::string_view name) : before_(dispatch_index()) {
  detail::dispatch_index.store(index_of(name), std::memory_order_relaxed);
}

TargetForTest::~TargetForTest() {
  detail::dispatch_index.store(before_, std::memory_order_relaxed);
}

}  // namespace microtome::simd
