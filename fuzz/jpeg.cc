// Our JPEG decoder against libjpeg-turbo.
#include "microtome/codec/jpeg/for_test/tested.h"
#include "tile_decoder.h"

MICROTOME_FUZZ_CODEC(microtome::jpeg::test::tested())
