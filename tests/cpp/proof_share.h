// One process's share of a proof. Instruction sets are chosen for a whole process, so there are no threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "microtome/codec/for_test/tested.h"

namespace microtome::test {

struct ProofOptions {
  const TestedCodec* codec = nullptr;  // unowned; lives as long as the program
  uint64_t random = 0, first = 0;
  std::vector<std::filesystem::path> files;
  double seconds = 0;  ///< 0: without limit.
  int jobs = 1;
  std::filesystem::path state, save;
  std::vector<std::string> only;  ///< Names of subjects; empty: all of them.

  /// Those of the codec's that are to be proved.
  std::vector<NamedSubject> subjects() const;
};

/// Does the share `number` of `options.jobs`; `out` gets a line for each kind of work (random tiles, then
/// each path of `files`): whether it was done to the end, and the tally.
void prove_share(const ProofOptions& options, int number, std::ostream& out);

}  // namespace microtome::test
