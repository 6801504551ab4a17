// LZMA2 in an .xz stream, by liblzma: TIFF compression 34925, as libtiff writes it.
#include <lzma.h>

#include <algorithm>

#include "microtome/base/fail.h"
#include "microtome/codec/byte_decoder.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

// The cheapest repetition makes 273 bytes out of 14 binary decisions, each of which costs 31 / 2048 of a
// probability at least: 0.31 bits, 7090 to 1.
constexpr size_t kMaxExpansion = 8192;
// The best preset's dictionary of 64 MiB, and what the decoder needs beside it.
constexpr uint64_t kMaxMemory = uint64_t{80} << 20;

Error error_of(lzma_ret result, size_t packed) {
  switch (result) {
    case LZMA_MEM_ERROR:
      return out_of_memory("no memory for a decompressor");
    case LZMA_MEMLIMIT_ERROR:
      return unsupported("a dictionary that needs more than {} MiB is not supported", kMaxMemory >> 20);
    case LZMA_OPTIONS_ERROR:
      return unsupported("a filter that the library does not know");
    case LZMA_FORMAT_ERROR:
      return corrupt("not an .xz stream ({} bytes)", packed);
    case LZMA_BUF_ERROR:
      return corrupt("premature end ({} bytes packed)", packed);
    default:
      return corrupt("invalid data ({} bytes packed)", packed);
  }
}

class LzmaDecoder final : public ByteDecoder {
 public:
  LzmaDecoder() : ByteDecoder("lzma", kMaxExpansion) {}
  ~LzmaDecoder() override { lzma_end(&stream_); }
  LzmaDecoder(const LzmaDecoder&) = delete;
  LzmaDecoder& operator=(const LzmaDecoder&) = delete;

 protected:
  Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed, std::span<std::byte> room,
                                            size_t need) override {
    // Begins anew with the memory of the last tile.
    lzma_ret result = lzma_stream_decoder(&stream_, kMaxMemory, 0);
    if (result != LZMA_OK) return error_of(result, packed.size());
    stream_.next_in = reinterpret_cast<const uint8_t*>(packed.data());
    stream_.avail_in = packed.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(room.data());
    stream_.avail_out = need;
    while (stream_.avail_out > 0 && result == LZMA_OK) result = lzma_code(&stream_, LZMA_FINISH);
    const size_t done = need - stream_.avail_out;
    // A stream that ends with the tile is read to its end, for its checksum. One that goes on is longer.
    uint8_t more = 0;
    stream_.next_out = &more;
    stream_.avail_out = done == room.size() ? 1 : 0;
    while (stream_.avail_out > 0 && result == LZMA_OK) result = lzma_code(&stream_, LZMA_FINISH);
    if (result != LZMA_OK && result != LZMA_STREAM_END) return error_of(result, packed.size());
    return std::span<const std::byte>(room.first(done));
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

}  // namespace

const Codec lzma_codec{
    "lzma",
    [](const TileFormat& format) { return format.compression == Compression::lzma; },
    make_decoder<LzmaDecoder>,
    []() -> std::string { return std::string("liblzma ") + lzma_version_string(); },
};

}  // namespace microtome
