// Damage to JPEG 2000 streams, made with knowledge of their structure. For tests only.
#pragma once

#include <cstddef>
#include <vector>

#include "microtome/codec/for_test/random.h"

namespace microtome::jpeg2000::test {

using microtome::test::Random;

/// Changes `stream` in one random way: bits and bytes of packets, fields of marker segments, segments that
/// are cut out, doubled, exchanged or made up, ends that are cut or lengthened.
void damage(std::vector<std::byte>& stream, Random& random);

/// Puts a segment or some packets of `other` into `stream`.
void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other, Random& random);

}  // namespace microtome::jpeg2000::test
