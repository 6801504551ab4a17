// PackBits (TIFF 6.0 section 9): runs of bytes as they are, and of one byte repeated.
//
// Rows are packed one by one, as the specification asks, or not: the decoder does not have to know.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "microtome/codec/byte_decoder.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

// Two bytes make 128 at most.
constexpr size_t kMaxExpansion = 64;

class PackBitsDecoder final : public ByteDecoder {
 public:
  PackBitsDecoder() : ByteDecoder("packbits", kMaxExpansion) {}

 protected:
  Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed, std::span<std::byte> room,
                                            size_t need) override {
    size_t at = 0, done = 0;
    while (done < need && at < packed.size()) {
      const auto head = static_cast<int8_t>(packed[at++]);
      if (head == -128) continue;  // no operation
      const size_t left = need - done;
      if (head >= 0) {
        const size_t size = std::min({static_cast<size_t>(head) + 1, packed.size() - at, left});
        std::memcpy(room.data() + done, packed.data() + at, size);
        at += size;
        done += size;
      } else if (at < packed.size()) {
        const size_t size = std::min(static_cast<size_t>(1 - head), left);
        std::memset(room.data() + done, std::to_integer<int>(packed[at++]), size);
        done += size;
      }
    }
    return std::span<const std::byte>(room.first(done));
  }
};

}  // namespace

const Codec packbits_codec{
    "packbits",
    [](const TileFormat& format) { return format.compression == Compression::packbits; },
    make_decoder<PackBitsDecoder>,
    []() -> std::string { return "built in"; },
};

}  // namespace microtome
