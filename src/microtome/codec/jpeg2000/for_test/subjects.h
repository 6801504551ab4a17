// The decoders to prove: the codec as readers have it, and our own for each instruction set. For tests only.
#pragma once

#include <string>
#include <vector>

#include "microtome/codec/jpeg/for_test/subjects.h"
#include "microtome/codec/jpeg2000/for_test/differential.h"

namespace microtome::jpeg2000::test {

using jpeg::test::NamedSubject;

/// Each call makes decoders anew; one meets many tiles, as it does in a reader.
std::vector<NamedSubject> subjects();

}  // namespace microtome::jpeg2000::test
