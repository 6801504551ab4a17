#include "microtome/simd/targets.h"

#include <gtest/gtest.h>

// Must come before highway.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/simd/targets_test.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <string>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace microtome::simd::HWY_NAMESPACE {
int64_t Target() {
  return HWY_TARGET;
}
}  // namespace microtome::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace microtome::simd {
HWY_EXPORT(Target);

namespace {

int64_t called() {
  return MICROTOME_DISPATCH(Target)();
}

TEST(Targets, TheBestIsUsedUnlessOneIsForced) {
  const TargetChoice best = choose_target("");
  EXPECT_EQ(best.used, best.available.front());
  EXPECT_EQ(best.problem, "");
  EXPECT_EQ(best.available.back(), "portable");
  for (const std::string_view name : best.available) {
    const TargetChoice forced = choose_target(name);
    EXPECT_EQ(forced.used, name);
    EXPECT_EQ(forced.problem, "");
  }
}

TEST(Targets, AnUnknownNameIsAProblemThatListsTheAvailable) {
  const TargetChoice choice = choose_target("avx3");
  EXPECT_EQ(choice.used, choice.available.front());
  EXPECT_NE(choice.problem.find("MICROTOME_SIMD=avx3: no such instruction set; this processor has "),
            std::string::npos)
      << choice.problem;
  EXPECT_NE(choice.problem.find("portable"), std::string::npos) << choice.problem;
}

TEST(Targets, ANameOfAnotherProcessorIsAProblem) {
#if HWY_ARCH_X86
  const TargetChoice choice = choose_target("neon");
  EXPECT_NE(choice.problem.find("MICROTOME_SIMD=neon: this processor does not have it; it has "),
            std::string::npos)
      << choice.problem;
#else
  const TargetChoice choice = choose_target("avx2");
  EXPECT_NE(choice.problem.find("MICROTOME_SIMD=avx2: this processor does not have it; it has "),
            std::string::npos)
      << choice.problem;
#endif
  EXPECT_EQ(choice.used, choice.available.front());
}

TEST(Targets, DispatchCallsTheNamedOne) {
  const std::pair<std::string_view, int64_t> targets[] = {
      {"portable", HWY_BASELINE_SCALAR}, {"sse4", HWY_SSE4}, {"avx2", HWY_AVX2}, {"avx512", HWY_AVX3},
      {"avx512vbmi", HWY_AVX3_DL},       {"neon", HWY_NEON}};
  const int64_t used = called();
  for (const std::string_view name : target_choice().available) {
    const TargetForTest use(name);
    const auto expected = std::ranges::find(targets, name, &std::pair<std::string_view, int64_t>::first);
    ASSERT_NE(expected, std::end(targets)) << name;
    EXPECT_EQ(called(), expected->second) << name;
  }
  EXPECT_EQ(called(), used);
}

#if HWY_ARCH_X86
TEST(Targets, AgreesWithTheCompilersOwnDetection) {
  const auto available = target_choice().available;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(available, name) != available.end();
  };
  EXPECT_EQ(has("avx2"), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"));
  EXPECT_EQ(has("avx512"), __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
  // The code for it uses VNNI without the compiler's knowledge.
  EXPECT_TRUE(!has("avx512vbmi") || __builtin_cpu_supports("avx512vnni"));
}
#endif

}  // namespace
}  // namespace microtome::simd
#endif  // HWY_ONCE
