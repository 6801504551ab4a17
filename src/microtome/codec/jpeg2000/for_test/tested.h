// The JPEG 2000 decoder, as it is held to OpenJPEG. For tests only.
#pragma once

#include "microtome/codec/for_test/tested.h"

namespace microtome::jpeg2000::test {

const microtome::test::TestedCodec& tested();

/// YCbCr that is to be given as RGB.
bool is_ycbcr(const TileFormat& format);

/// How far samples may be from the library's, which a compiler may have given another order of the same sums:
/// 9/7 by 1, of which conversion from YCbCr makes 3 (1 + 1.772, rounded).
int tolerance(bool reversible, const TileFormat& format);

}  // namespace microtome::jpeg2000::test
