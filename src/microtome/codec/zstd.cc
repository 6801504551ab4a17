// Zstandard (RFC 8878), by libzstd: TIFF compression 50000, and 34926 as its first writers numbered it.
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>

#include "microtome/base/fail.h"
#include "microtome/codec/byte_decoder.h"
#include "microtome/codec/codec_list.h"

namespace microtome {
namespace {

// A block has a header of three bytes and makes 128 KiB at most, out of one byte or more.
constexpr size_t kMaxExpansion = (size_t{1} << 17) / 4;
// As the command line tool's decoder and libtiff's: 128 MiB.
constexpr int kMaxWindowLog = 27;

struct Free {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Handle = std::unique_ptr<ZSTD_DCtx, Free>;

Error error_of(size_t result) {
  const ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
  if (code == ZSTD_error_memory_allocation) return out_of_memory("no memory for a decompressor");
  if (code == ZSTD_error_frameParameter_windowTooLarge) {
    return unsupported("a window of more than {} MiB is not supported", (1 << kMaxWindowLog) >> 20);
  }
  return corrupt("{}", ZSTD_getErrorName(result));
}

class ZstdDecoder final : public ByteDecoder {
 public:
  explicit ZstdDecoder(Handle handle) : ByteDecoder("zstd", kMaxExpansion), handle_(std::move(handle)) {}

 protected:
  Result<std::span<const std::byte>> unpack(std::span<const std::byte> packed, std::span<std::byte> room,
                                            size_t need) override {
    // One frame is usual. What follows the last frame that is needed does not matter, as for libtiff.
    size_t at = 0, done = 0;
    while (done < need && at < packed.size()) {
      const size_t size = ZSTD_findFrameCompressedSize(packed.data() + at, packed.size() - at);
      if (ZSTD_isError(size)) return error_of(size);
      const std::span<std::byte> left = room.subspan(done);
      size_t got = ZSTD_decompressDCtx(handle_.get(), left.data(), left.size(), packed.data() + at, size);
      if (ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall) {
        MICROTOME_ASSIGN(got, begin_of_frame(packed.subspan(at, size), left));
      }
      if (ZSTD_isError(got)) return error_of(got);
      done += got;
      at += size;
    }
    return std::span<const std::byte>(room.first(done));
  }

 private:
  // Of a frame longer than the tile, which is rare: through a window of the library's own, given back at
  // once.
  static Result<size_t> begin_of_frame(std::span<const std::byte> frame, std::span<std::byte> room) {
    const Handle handle(ZSTD_createDCtx());
    if (!handle) return out_of_memory("no memory for a decompressor");
    if (const size_t set = ZSTD_DCtx_setParameter(handle.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
        ZSTD_isError(set)) {
      return error_of(set);
    }
    ZSTD_inBuffer in{frame.data(), frame.size(), 0};
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    while (out.pos < out.size && in.pos < in.size) {
      const size_t result = ZSTD_decompressStream(handle.get(), &out, &in);
      if (ZSTD_isError(result)) return error_of(result);
    }
    return out.pos;
  }

  Handle handle_;
};

Result<std::unique_ptr<Decoder>> make() {
  Handle handle(ZSTD_createDCtx());
  if (!handle) return out_of_memory("zstd: no memory for a decompressor");
  return std::unique_ptr<Decoder>(std::make_unique<ZstdDecoder>(std::move(handle)));
}

}  // namespace

const Codec zstd_codec{
    "zstd",
    [](const TileFormat& format) {
      return format.compression == Compression::zstd || format.compression == Compression::zstd_old;
    },
    make,
    []() -> std::string { return std::string("libzstd ") + ZSTD_versionString(); },
};

}  // namespace microtome
