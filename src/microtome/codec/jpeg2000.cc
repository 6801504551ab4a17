// JPEG 2000 tiles (ITU-T T.800): bare codestreams and JP2 files.
//
// What the channels mean is decided by the container, never by JP2's own boxes: Aperio's compression 33003
// is YCbCr, mostly with chroma at half the width; 33005 is RGB as decoded (the stream's own colour transform
// is undone); for 34712 the photometric interpretation says it. Subsampled components are replicated, and
// YCbCr is converted by simd::ycc_to_rgb's exact formula.
//
// Note [Two decoders of JPEG 2000]
// Our own decoder comes first. It gives the library's pixels or declines, and never an error: then the
// library decodes the tile, and its pixels or its error are the result, as with JPEG.
// MICROTOME_JPEG2000=library in the environment leaves everything to the library, for reports and tests; it
// is read when a decoder is made.
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/codec_list.h"
#include "microtome/codec/jpeg2000/header.h"
#include "microtome/codec/jpeg2000/library.h"
#include "microtome/codec/jpeg2000/tile.h"
#include "microtome/codec/request.h"
#include "microtome/simd/targets.h"

namespace microtome {
namespace {

bool is_ycbcr(const TileFormat& format) {
  return format.compression == Compression::aperio_jpeg2000_ycbcr ||
         (format.compression == Compression::jpeg2000 && format.color == Color::ycbcr);
}

Status check_format(const TileFormat& format) {
  switch (format.type) {
    case SampleType::u8:
    case SampleType::i8:
    case SampleType::u16:
    case SampleType::i16:
    case SampleType::u32:
    case SampleType::i32:
      break;
    default:
      return unsupported("samples of {} are not supported, only integers of up to 32 bits",
                         sample_name(format.type));
  }
  if (is_ycbcr(format) && (format.samples != 3 || format.type != SampleType::u8)) {
    return unsupported("YCbCr with {} samples of {} is not supported, only 3 of uint8", format.samples,
                       sample_name(format.type));
  }
  return ok_status();
}

bool own_decoder_wanted() {
  const char* const value = std::getenv("MICROTOME_JPEG2000");
  return value == nullptr || std::string_view(value) != "library";
}

class Jpeg2000Decoder final : public Decoder {
 public:
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override {
    Status status = decode_one(packed, format, want);
    if (!status.ok()) return std::move(status).error().with_prefix("jpeg2000");
    return status;
  }

 private:
  Status decode_one(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    MICROTOME_TRY(check_request(format, want));
    MICROTOME_TRY(check_format(format));
    MICROTOME_TRY(tile_bytes(format));
    if (own_wanted_ && decode_ourselves(packed, format, want)) {
      ++decoded_by_.own;
      return ok_status();
    }
    ++decoded_by_.library;
    return library_.decode(packed, format, is_ycbcr(format), want);
  }

  // False: declined.
  bool decode_ourselves(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    try {
      const auto stream = jpeg2000::find_codestream(packed);
      if (!stream.ok() || stream->has_channel_boxes) return false;
      return own_.decode(stream->codestream, format, is_ycbcr(format), want);
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  const bool own_wanted_ = own_decoder_wanted();
  jpeg2000::TileDecoder own_;
  jpeg2000::LibraryDecoder library_;
};

std::string version() {
  const std::string_view library = jpeg2000::LibraryDecoder::version();
  if (!own_decoder_wanted()) return std::string(library);
  return fmt::format("built in ({}), {}", simd::target_choice().used, library);
}

}  // namespace

const Codec jpeg2000_codec{
    "jpeg2000",
    [](const TileFormat& format) {
      return format.compression == Compression::jpeg2000 ||
             format.compression == Compression::aperio_jpeg2000_ycbcr ||
             format.compression == Compression::aperio_jpeg2000_rgb;
    },
    make_decoder<Jpeg2000Decoder>,
    version,
};

}  // namespace microtome
