// Damage to JPEG 2000 streams, made with knowledge of their structure. For tests only.
#pragma once

#include <cstddef>
#include <vector>

#include "microtome/codec/jpeg/for_test/random.h"

namespace microtome::jpeg2000::test {

/// Changes `stream` in one random way: bits and bytes of packets, fields of marker segments, segments that
/// are cut out, doubled, exchanged or made up, ends that are cut or lengthened.
void damage(std::vector<std::byte>& stream, jpeg::test::Random& random);

/// Puts a segment or some packets of `other` into `stream`.
void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other, jpeg::test::Random& random);

}  // namespace microtome::jpeg2000::test
