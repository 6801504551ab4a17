// Our JPEG 2000 decoder against OpenJPEG; samples of 9/7 may be 1 apart.
#include "microtome/codec/jpeg2000/for_test/tested.h"
#include "tile_decoder.h"

MICROTOME_FUZZ_CODEC(microtome::jpeg2000::test::tested())
