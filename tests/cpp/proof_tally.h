// What a proof has found so far.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <vector>

namespace microtome::test {

struct Counts {
  int64_t equal = 0, declined = 0, differing = 0;
  void operator+=(const Counts& other) {
    equal += other.equal;
    declined += other.declined;
    differing += other.differing;
  }
};

/// Answers so far, by subject.
struct Tally {
  std::vector<Counts> subjects;
  int64_t tiles = 0, requests = 0, errors = 0;  ///< `errors`: requests that the library refused.
  std::array<int64_t, 3> apart{};               ///< Samples: equal, 1 apart, more.

  void operator+=(const Tally& other);
  bool good() const;  ///< Nothing differed.
};

/// As one line of numbers, which says it to the process that adds up, and to a run that goes on later.
std::ostream& operator<<(std::ostream& out, const Tally& tally);
std::istream& operator>>(std::istream& in, Tally& tally);

}  // namespace microtome::test
