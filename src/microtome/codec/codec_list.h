// Declares every codec of the generated table: `extern const Codec jpeg_codec;` and so on. Each is defined in
// its file.
#pragma once

#include "microtome/codec/codec.h"

namespace microtome {

#define MICROTOME_CODEC(name) extern const Codec name##_codec;
#include "codec_table.inc"
#undef MICROTOME_CODEC

}  // namespace microtome
