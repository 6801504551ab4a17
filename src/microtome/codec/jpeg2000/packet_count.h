// How many packets a codestream may have, by what its headers say.
//
// Asked before either decoder makes an index of them: a header of a few bytes can say of thousands of
// millions (65535 layers, precincts of one sample), which the library then goes through one by one, though
// hardly any is there. Pure; thread-safe. Source: ITU-T T.800 annexes A.6.1 (COD), A.6.2 (COC), A.6.6 (POC)
// and B.6.
#pragma once

#include <cstddef>
#include <span>

#include "microtome/base/error.h"
#include "microtome/codec/jpeg2000/coding.h"

namespace microtome::jpeg2000 {

/// A third of a second of the library's time. A tile of a slide has some dozens, and a slide of 50,000 pixels
/// a side in one codestream a million.
inline constexpr uint64_t kMostPackets = uint64_t{1} << 22;

/// Whether they are kMostPackets at most, counted generously: by the most layers, precincts and changes of
/// progression of any header, for all of the image. Says nothing of headers that are cut short. Errors:
/// unsupported.
Status check_packet_count(std::span<const std::byte> codestream, const Grid& grid, size_t components);

}  // namespace microtome::jpeg2000
