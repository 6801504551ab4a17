// For tests of code that is compiled once per instruction set.
#pragma once

#include <gtest/gtest.h>

#include "microtome/simd/targets.h"

namespace microtome::simd {

/// Runs `body` with every instruction set that was compiled and that this machine has.
template <class Body>
void on_every_target(Body body) {
  for (const std::string_view name : target_choice().available) {
    SCOPED_TRACE(name);
    const TargetForTest use(name);
    body();
  }
}

}  // namespace microtome::simd
