// The decoders to prove: the codec as readers have it, and our own for each instruction set. For tests only.
#pragma once

#include <string>
#include <vector>

#include "microtome/codec/jpeg/for_test/differential.h"

namespace microtome::jpeg::test {

struct NamedSubject {
  std::string name;  ///< "codec", or the instruction set.
  Subject subject;
};

/// Each call makes decoders anew; one meets many tiles, as it does in a reader.
std::vector<NamedSubject> subjects();

}  // namespace microtome::jpeg::test
