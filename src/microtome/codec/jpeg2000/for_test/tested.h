// The JPEG 2000 decoder, as it is held to OpenJPEG. For tests only.
#pragma once

#include "microtome/codec/for_test/tested.h"

namespace microtome::jpeg2000::test {

const microtome::test::TestedCodec& tested();

/// YCbCr that is to be given as RGB.
bool is_ycbcr(const TileFormat& format);

}  // namespace microtome::jpeg2000::test
