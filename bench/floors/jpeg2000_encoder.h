// Tiles that no slide at hand has, made by OpenJPEG's encoder for a race.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/base/geometry.h"

namespace floors {

/// Of RGB, rows `stride` bytes apart, in five decompositions and one layer: all there is by 5/3 and RCT, or
/// by 9/7 and ICT a twentieth of the bytes.
std::vector<std::byte> encode_jpeg2000(const uint8_t* rgb, int64_t stride, const microtome::Size& size,
                                       bool reversible);

}  // namespace floors
