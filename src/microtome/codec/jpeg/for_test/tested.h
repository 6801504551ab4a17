// The JPEG decoder, as it is held to libjpeg-turbo. For tests only.
#pragma once

#include "microtome/codec/for_test/tested.h"

namespace microtome::jpeg::test {

const microtome::test::TestedCodec& tested();

}  // namespace microtome::jpeg::test
