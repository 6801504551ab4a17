#include "microtome/base/fail.h"
#include "microtome/codec/codec.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

#define MICROTOME_CODEC(name) &name##_codec,
constexpr const Codec* kCodecs[] = {
#include "codec_table.inc"
};
#undef MICROTOME_CODEC

}  // namespace

std::span<const Codec* const> codecs() noexcept {
  return kCodecs;
}

Result<const Codec*> find_codec(const TileFormat& format) {
  for (const Codec* codec : codecs()) {
    if (codec->accepts(format)) return codec;
  }
  return unsupported("{} tiles are not supported", compression_name(format.compression));
}

}  // namespace microtome
