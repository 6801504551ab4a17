// LERC2 (Limited Error Raster Compression), by Esri's library: TIFF compression 34887, as libtiff defines it.
//
// A tile's blob may be packed once more, by deflate or Zstandard; TIFF's LercParameters tag says so, and so
// do its first bytes, which serve here. Values that the blob's mask declares invalid are 0. LERC1, which TIFF
// does not use, is refused: the library's decoder for it writes to its input.
#include <Lerc_c_api.h>
#include <Lerc_types.h>
#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <string_view>

#include "microtome/base/fail.h"
#include "microtome/codec/codec_list.h"
#include "microtome/codec/picture.h"

namespace microtome {
namespace {

struct FreeDeflate {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

struct Blob {
  std::span<const std::byte> bytes;
  unsigned type = 0;
  int64_t depth = 0, bands = 0, masks = 0;
  Size size;
};

bool starts_with(std::span<const std::byte> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

Result<unsigned> lerc_type(SampleType type) {
  using T = LercNS::DataType;
  constexpr std::array<std::pair<SampleType, T>, 8> kTypes{{{SampleType::i8, T::dt_char},
                                                            {SampleType::u8, T::dt_uchar},
                                                            {SampleType::i16, T::dt_short},
                                                            {SampleType::u16, T::dt_ushort},
                                                            {SampleType::i32, T::dt_int},
                                                            {SampleType::u32, T::dt_uint},
                                                            {SampleType::f32, T::dt_float},
                                                            {SampleType::f64, T::dt_double}}};
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == type) return static_cast<unsigned>(theirs);
  }
  return unsupported("samples of {} are not supported", sample_name(type));
}

Error error_of(lerc_status status, std::string_view what) {
  if (static_cast<LercNS::ErrCode>(status) == LercNS::ErrCode::HasNoData) {
    return unsupported("values that are invalid in some samples of a pixel are not supported");
  }
  return corrupt("invalid {} (the library's error {})", what, status);
}

// The library is C++ behind its C interface, and may run out of memory.
template <class Call>
Status guarded(Call call, std::string_view what) {
  try {
    const lerc_status status = call();
    if (status != 0) return error_of(status, what);
    return ok_status();
  } catch (const std::bad_alloc&) {
    return out_of_memory("no memory for the {}", what);
  } catch (const std::exception& error) {
    return corrupt("invalid {} ({})", what, error.what());
  }
}

class LercDecoder final : public Decoder {
 public:
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override {
    Status status = decode_one(packed, format, want);
    if (!status.ok()) return std::move(status).error().with_prefix("lerc");
    return status;
  }

 private:
  Status decode_one(std::span<const std::byte> packed, const TileFormat& format, const Want& want);
  Result<std::span<const std::byte>> find_blob(std::span<const std::byte> packed, size_t tile);
  Result<std::span<const std::byte>> from_deflate(std::span<const std::byte> packed,
                                                  std::span<std::byte> room);
  Result<std::span<const std::byte>> from_zstd(std::span<const std::byte> packed, std::span<std::byte> room);
  Status read_pixels(const Blob& blob, const TileFormat& format, const Picture& picture);

  std::unique_ptr<libdeflate_decompressor, FreeDeflate> deflate_;
  Scratch blob_, pixels_, bands_, masks_;
};

Result<std::span<const std::byte>> LercDecoder::from_deflate(std::span<const std::byte> packed,
                                                             std::span<std::byte> room) {
  if (!deflate_) deflate_.reset(libdeflate_alloc_decompressor());
  if (!deflate_) return out_of_memory("no memory for a decompressor");
  size_t got = 0;
  const libdeflate_result result = libdeflate_zlib_decompress(deflate_.get(), packed.data(), packed.size(),
                                                              room.data(), room.size(), &got);
  if (result == LIBDEFLATE_SUCCESS) return std::span<const std::byte>(room.first(got));
  return corrupt("invalid deflate data, or more than {} bytes of it", room.size());
}

Result<std::span<const std::byte>> LercDecoder::from_zstd(std::span<const std::byte> packed,
                                                          std::span<std::byte> room) {
  const size_t got = ZSTD_decompress(room.data(), room.size(), packed.data(), packed.size());
  if (ZSTD_isError(got)) return corrupt("zstd: {}", ZSTD_getErrorName(got));
  return std::span<const std::byte>(room.first(got));
}

// `tile`: its bytes as pixels, which a blob hardly exceeds.
Result<std::span<const std::byte>> LercDecoder::find_blob(std::span<const std::byte> packed, size_t tile) {
  constexpr std::string_view kLerc2 = "Lerc2 ", kLerc1 = "CntZImage ", kZstd = "\x28\xB5\x2F\xFD";
  if (starts_with(packed, kLerc1)) return unsupported("LERC1 is not supported, only LERC2");
  if (starts_with(packed, kLerc2)) return packed;
  const bool zstd = starts_with(packed, kZstd);
  if (!zstd && !starts_with(packed, "\x78")) {
    return corrupt("neither LERC2 nor deflate nor Zstandard ({} bytes)", packed.size());
  }
  // What the stream can make at most, so that tiny streams take little: 1032 to 1, and 32768 to 1.
  const size_t expansion = zstd ? 32768 : 1032;
  const size_t limit = 2 * tile + 65536;
  MICROTOME_ASSIGN(const std::span<std::byte> room,
                   blob_.at_least(packed.size() < limit / expansion ? packed.size() * expansion : limit));
  MICROTOME_ASSIGN(const std::span<const std::byte> blob,
                   zstd ? from_zstd(packed, room) : from_deflate(packed, room));
  if (!starts_with(blob, kLerc2)) return corrupt("not LERC2 inside of {} bytes", packed.size());
  return blob;
}

Result<Blob> read_header(std::span<const std::byte> bytes) {
  using I = LercNS::InfoArrOrder;
  if (bytes.size() > std::numeric_limits<unsigned>::max())
    return unsupported("a blob of {} bytes", bytes.size());
  std::array<unsigned, static_cast<size_t>(I::_last)> info{};
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned>(bytes.size());
  MICROTOME_TRY(guarded(
      [&] { return lerc_getBlobInfo(data, size, info.data(), nullptr, static_cast<int>(info.size()), 0); },
      "header"));
  const auto at = [&info](I index) { return int64_t{info[static_cast<size_t>(index)]}; };
  return Blob{bytes,         info[static_cast<size_t>(I::dataType)],
              at(I::nDepth), at(I::nBands),
              at(I::nMasks), {at(I::nCols), at(I::nRows)}};
}

Status LercDecoder::decode_one(std::span<const std::byte> packed, const TileFormat& format,
                               const Want& want) {
  MICROTOME_TRY(check_request(format, want));
  MICROTOME_TRY(check_full_resolution(want));
  MICROTOME_TRY(check_whole_samples(format));
  if (format.color == Color::ycbcr) return unsupported("YCbCr is not supported");
  MICROTOME_ASSIGN(const unsigned type, lerc_type(format.type));
  MICROTOME_ASSIGN(const size_t tile, tile_bytes(format));
  MICROTOME_ASSIGN(const std::span<const std::byte> bytes, find_blob(packed, tile));
  MICROTOME_ASSIGN(const Blob blob, read_header(bytes));
  if (blob.type != type) {
    return corrupt("values of LERC's type {}, expected {} ({})", blob.type, type, sample_name(format.type));
  }
  const bool one_band = blob.bands == 1 && blob.depth == format.samples;
  const bool one_value = blob.depth == 1 && blob.bands == format.samples;
  if (!one_band && !one_value) {
    return corrupt("{} bands of {} values, expected {} samples", blob.bands, blob.depth, format.samples);
  }
  MICROTOME_ASSIGN(const Picture picture,
                   Picture::make(blob.size, format, want, Picture::Rows::without_gaps, pixels_));
  MICROTOME_TRY(read_pixels(blob, format, picture));
  picture.place();
  return ok_status();
}

Status LercDecoder::read_pixels(const Blob& blob, const TileFormat& format, const Picture& picture) {
  std::byte* to = picture.data();
  if (blob.bands > 1) {
    MICROTOME_ASSIGN(const std::span<std::byte> memory, bands_.at_least(picture.bytes()));
    to = memory.data();
  }
  std::span<std::byte> masks;
  if (blob.masks > 0) {
    MICROTOME_ASSIGN(masks, masks_.at_least(static_cast<size_t>(blob.masks * blob.size.w * blob.size.h)));
    std::memset(to, 0, picture.bytes());
  }
  MICROTOME_TRY(guarded(
      [&] {
        return lerc_decode(reinterpret_cast<const unsigned char*>(blob.bytes.data()),
                           static_cast<unsigned>(blob.bytes.size()), static_cast<int>(blob.masks),
                           reinterpret_cast<unsigned char*>(masks.data()), static_cast<int>(blob.depth),
                           static_cast<int>(blob.size.w), static_cast<int>(blob.size.h),
                           static_cast<int>(blob.bands), blob.type, to);
      },
      "data"));
  if (blob.bands > 1) {
    const size_t width = sample_bytes(format.type), plane = picture.bytes() / format.samples;
    for (size_t i = 0; i < format.samples; ++i) picture.put(to + i * plane, width, i * width);
  }
  return ok_status();
}

}  // namespace

const Codec lerc_codec{
    "lerc",
    [](const TileFormat& format) { return format.compression == Compression::lerc; },
    make_decoder<LercDecoder>,
    []() -> std::string {
      return fmt::format("Lerc {}.{}.{}", LERC_VERSION_MAJOR, LERC_VERSION_MINOR, LERC_VERSION_PATCH);
    },
};

}  // namespace microtome
