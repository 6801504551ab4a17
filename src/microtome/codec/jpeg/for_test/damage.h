// Damage to JPEG streams that knows their structure: it changes tables, sizes, sampling, restart markers and
// entropy-coded bits, where random bytes would mostly break the first marker. For tests only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/codec/for_test/random.h"

namespace microtome::jpeg::test {

using microtome::test::Random;

/// Damages `stream`, a tile's or JPEGTables', in one random way; streams without structure get random bytes.
/// It grows by some hundred bytes at most.
void damage(std::vector<std::byte>& stream, Random& random);

/// Replaces the entropy-coded data of `stream` from some point on by that of `other`.
void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other, Random& random);

}  // namespace microtome::jpeg::test
