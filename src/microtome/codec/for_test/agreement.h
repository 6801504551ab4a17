// Test fixture of our own decoders: every subject's answer to a request, against the library's. For tests
// only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "microtome/codec/for_test/tested.h"

namespace microtome::test {

class Agreement : public testing::Test {
 protected:
  explicit Agreement(const TestedCodec& codec) : subjects_(codec.subjects()), differential_(codec.judge()) {}

  /// Every decoder's answer to what `differential_` expects, counted by name and verdict.
  testing::AssertionResult all_agree(int tolerance = 0) {
    for (const NamedSubject& s : subjects_) {
      const Outcome outcome = differential_.check(s.subject, tolerance);
      if (outcome.verdict == Verdict::differs) {
        return testing::AssertionFailure() << s.name << ": " << outcome.difference;
      }
      ++(outcome.verdict == Verdict::equal ? equal_ : declined_)[s.name];
    }
    return testing::AssertionSuccess();
  }

  // One decoder meets all streams: nothing of one may show in another.
  const std::vector<NamedSubject> subjects_;
  Differential differential_;
  std::map<std::string, int> equal_, declined_;
};

}  // namespace microtome::test
