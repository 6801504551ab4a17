// Uncompressed tiles.
#include <algorithm>

#include "microtome/codec/byte_decoder.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

class RawDecoder final : public ByteDecoder {
 public:
  RawDecoder() : ByteDecoder("raw", 1) {}

 protected:
  Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed, std::span<std::byte>,
                                            size_t need) override {
    return packed.first(std::min(packed.size(), need));
  }
};

}  // namespace

const Codec raw_codec{
    "raw",
    [](const TileFormat& format) { return format.compression == Compression::none; },
    make_decoder<RawDecoder>,
    []() -> std::string { return "built in"; },
};

}  // namespace microtome
