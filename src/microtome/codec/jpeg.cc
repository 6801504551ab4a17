// JPEG tiles (ITU-T T.81).
//
// Source: Adobe TIFF Technical Note 2 for abbreviated streams and their tables. TIFF's photometric
// interpretation says what the components are; Adobe and JFIF markers are ignored, since slides contradict
// them.
#include <string>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/codec_list.h"
#include "microtome/codec/jpeg/library.h"
#include "microtome/codec/request.h"

namespace microtome {
namespace {

Status check_format(const TileFormat& format) {
  if (format.type != SampleType::u8) {
    return unsupported("samples of {} are not supported, only of uint8", sample_name(format.type));
  }
  const bool grey = format.color == Color::black_is_zero || format.color == Color::white_is_zero;
  const bool color = format.color == Color::rgb || format.color == Color::ycbcr;
  if ((format.samples == 1 && grey) || (format.samples == 3 && color)) return ok_status();
  return unsupported("{} with {} components is not supported", color_name(format.color), format.samples);
}

class JpegDecoder final : public Decoder {
 public:
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override {
    Status status = decode_one(packed, format, want);
    if (!status.ok()) return std::move(status).error().with_prefix("jpeg");
    return status;
  }

 private:
  Status decode_one(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    MICROTOME_TRY(check_request(format, want));
    MICROTOME_TRY(check_format(format));
    ++decoded_by_.library;
    return library_.decode(packed, format, want);
  }

  jpeg::LibraryDecoder library_;
};

}  // namespace

const Codec jpeg_codec{
    "jpeg",
    [](const TileFormat& format) { return format.compression == Compression::jpeg; },
    make_decoder<JpegDecoder>,
    [] { return std::string(jpeg::LibraryDecoder::version()); },
};

}  // namespace microtome
