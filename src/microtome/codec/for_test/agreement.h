// Test fixture of our own decoders: every subject's answer to a request, against the library's. For tests
// only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "microtome/codec/for_test/tested.h"

namespace microtome::test {

class Agreement {
 protected:
  explicit Agreement(const TestedCodec& codec) : subjects_(codec.subjects()), differential_(codec.judge()) {}

  /// Whose answer to what `differential_` expects differs, and in what; empty if all agree. They are counted
  /// by name and verdict.
  std::string disagreement(int tolerance = 0) {
    for (const NamedSubject& s : subjects_) {
      const Outcome outcome = differential_.check(s.subject, tolerance);
      if (outcome.verdict == Verdict::differs) {
        return s.name + ": " + outcome.difference;
      }
      ++(outcome.verdict == Verdict::equal ? equal_ : declined_)[s.name];
    }
    return {};
  }

  // One decoder meets all streams: nothing of one may show in another.
  const std::vector<NamedSubject> subjects_;
  Differential differential_;
  std::map<std::string, int> equal_, declined_;
};

}  // namespace microtome::test
