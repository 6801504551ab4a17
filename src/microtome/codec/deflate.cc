// Deflate in a zlib wrapper (RFC 1950, 1951), by libdeflate: TIFF compressions 8 and 32946 are the same
// stream.
#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "microtome/base/fail.h"
#include "microtome/codec/byte_decoder.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

// Deflate's best case is a match of 258 bytes in two bits: 1032 to 1.
constexpr size_t kMaxExpansion = 1032;

struct Free {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
using Handle = std::unique_ptr<libdeflate_decompressor, Free>;

class DeflateDecoder final : public ByteDecoder {
 public:
  explicit DeflateDecoder(Handle handle)
      : ByteDecoder("deflate", kMaxExpansion), handle_(std::move(handle)) {}

 protected:
  Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed, std::span<std::byte> room,
                                            size_t) override {
    // libdeflate unpacks whole streams only. A stream longer than the tile is rare and is unpacked into ever
    // more room, up to what its bytes can make.
    const size_t most = packed.size() * kMaxExpansion + 1;
    for (;;) {
      size_t got = 0;
      const libdeflate_result result = libdeflate_zlib_decompress(handle_.get(), packed.data(), packed.size(),
                                                                  room.data(), room.size(), &got);
      if (result == LIBDEFLATE_SUCCESS) return std::span<const std::byte>(room.first(got));
      if (result != LIBDEFLATE_INSUFFICIENT_SPACE || room.size() >= std::min(most, kMaxRoom)) {
        return corrupt("invalid data, or an end before the stream's ({} bytes packed)", packed.size());
      }
      MICROTOME_ASSIGN(room, longer_.at_least(std::min({most, kMaxRoom, 2 * room.size()})));
    }
  }

 private:
  static constexpr size_t kMaxRoom = size_t{1} << 32;
  Handle handle_;
  Scratch longer_;
};

Result<std::unique_ptr<Decoder>> make() {
  Handle handle(libdeflate_alloc_decompressor());
  if (!handle) return out_of_memory("deflate: no memory for a decompressor");
  return std::unique_ptr<Decoder>(std::make_unique<DeflateDecoder>(std::move(handle)));
}

}  // namespace

const Codec deflate_codec{
    "deflate",
    [](const TileFormat& format) {
      return format.compression == Compression::deflate || format.compression == Compression::deflate_old;
    },
    make,
    []() -> std::string { return "libdeflate " LIBDEFLATE_VERSION_STRING; },
};

}  // namespace microtome
