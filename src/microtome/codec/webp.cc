// WebP (RFC 9649), lossy and lossless, by libwebp: TIFF compression 50001, and 34927 as its first writers
// numbered it.
//
// The samples are red, green, blue and perhaps alpha, whatever the photometric interpretation says. A stream
// without alpha in a tile of four samples is opaque: encoders leave out what is the same everywhere.
#include <webp/decode.h>

#include "microtome/base/fail.h"
#include "microtome/codec/codec_list.h"
#include "microtome/codec/picture.h"

namespace microtome {
namespace {

Error error_of(VP8StatusCode status, size_t packed) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return out_of_memory("no memory for a decoder");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return unsupported("a feature that the library does not know");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return corrupt("premature end ({} bytes packed)", packed);
    default:
      return corrupt("invalid data ({} bytes packed)", packed);
  }
}

Status check_format(const TileFormat& format) {
  if (format.type == SampleType::u8 && (format.samples == 3 || format.samples == 4)) return ok_status();
  return unsupported("{} samples of {} are not supported, only 3 or 4 of uint8", format.samples,
                     sample_name(format.type));
}

class WebpDecoder final : public Decoder {
 public:
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override {
    Status status = decode_one(packed, format, want);
    if (!status.ok()) return std::move(status).error().with_prefix("webp");
    return status;
  }

 private:
  Status decode_one(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    MICROTOME_TRY(check_request(format, want));
    MICROTOME_TRY(check_full_resolution(want));
    MICROTOME_TRY(check_whole_samples(format));
    MICROTOME_TRY(check_format(format));
    MICROTOME_TRY(tile_bytes(format));
    const auto* const data = reinterpret_cast<const uint8_t*>(packed.data());
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) return internal("not the library that this was built for");
    VP8StatusCode status = WebPGetFeatures(data, packed.size(), &config.input);
    if (status != VP8_STATUS_OK) return error_of(status, packed.size());
    if (config.input.has_animation != 0) return unsupported("animations are not supported");

    const Size size{config.input.width, config.input.height};
    MICROTOME_ASSIGN(const Picture picture,
                     Picture::make(size, format, want, Picture::Rows::any_stride, pixels_));
    config.output.colorspace = format.samples == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = reinterpret_cast<uint8_t*>(picture.data());
    config.output.u.RGBA.stride = static_cast<int>(picture.stride());
    config.output.u.RGBA.size = picture.bytes();
    status = WebPDecode(data, packed.size(), &config);
    if (status != VP8_STATUS_OK) return error_of(status, packed.size());
    picture.place();
    return ok_status();
  }

  Scratch pixels_;
};

std::string version() {
  const auto number = static_cast<unsigned>(WebPGetDecoderVersion());
  return fmt::format("libwebp {}.{}.{}", number >> 16, number >> 8 & 0xFF, number & 0xFF);
}

}  // namespace

const Codec webp_codec{
    "webp",
    [](const TileFormat& format) {
      return format.compression == Compression::webp || format.compression == Compression::webp_old;
    },
    make_decoder<WebpDecoder>,
    version,
};

}  // namespace microtome
