// How many cases a test tries.
#pragma once

#include <algorithm>
#include <cstddef>

#include "microtome/base/sanitizers.h"

namespace microtome::test {

/// All `n`; under the sanitizers an eighth of them, at least one: there a case takes ten times as long, and
/// what is looked at is how memory is used, which the first hundreds show. Which pixels come is the release
/// build's question.
template <class Count>
constexpr Count cases(Count n) {
  const bool sanitized = MICROTOME_ASAN || MICROTOME_TSAN || MICROTOME_MSAN;
  return sanitized ? std::max<Count>(1, n / 8) : n;
}

/// From one case to the next where there is one for each number: 1; 7 under the sanitizers.
template <class Count = size_t>
constexpr Count step() {
  return cases(8) == 8 ? 1 : 7;
}

}  // namespace microtome::test
