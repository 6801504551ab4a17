// JPEG tiles (ITU-T T.81).
//
// Source: Adobe TIFF Technical Note 2 for abbreviated streams and their tables. TIFF's photometric
// interpretation says what the components are; Adobe and JFIF markers are ignored, since slides contradict
// them.
//
// Note [Two decoders]
// Our own decoder comes first. It gives the library's pixels or declines, and never an error: then the
// library decodes the tile, and its pixels or its error are the result. So no stream gets another verdict
// from us than from libjpeg-turbo. MICROTOME_JPEG=library in the environment leaves everything to the
// library, for reports and tests; it is read when a decoder is made.
#include <array>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/codec_list.h"
#include "microtome/codec/jpeg/library.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tile.h"
#include "microtome/codec/request.h"
#include "microtome/simd/targets.h"

namespace microtome {
namespace {

// What one scan can hold.
constexpr uint16_t kMaxSamples = 4;

Status check_format(const TileFormat& format) {
  if (format.bits == 12)
    return unsupported("12-bit JPEG is not supported by {}", jpeg::LibraryDecoder::version());
  MICROTOME_TRY(check_whole_samples(format));
  if (format.type != SampleType::u8) {
    return unsupported("samples of {} are not supported, only of uint8", sample_name(format.type));
  }
  if (format.samples > kMaxSamples || (format.color == Color::ycbcr && format.samples != 3)) {
    return unsupported("{} with {} components is not supported", color_name(format.color), format.samples);
  }
  return ok_status();
}

// Old-style JPEG (TIFF 6.0 section 22) may keep its tables anywhere in the file. Many writers store whole
// streams all the same, and those are JPEG as any other.
Status check_complete(std::span<const std::byte> packed, const TileFormat& format) {
  const bool starts = packed.size() >= 2 && packed[0] == std::byte{0xFF} && packed[1] == std::byte{0xD8};
  if (format.compression != Compression::old_jpeg || starts) return ok_status();
  return unsupported("old-style JPEG whose tables and data stand apart in the file");
}

bool own_decoder_wanted() {
  const char* const value = std::getenv("MICROTOME_JPEG");
  return value == nullptr || std::string_view(value) != "library";
}

// To a single sample of each block.
constexpr int kMaxReduce = 3;

class JpegDecoder final : public Decoder {
 public:
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override {
    Status status = decode_one(packed, format, want);
    if (!status.ok()) return std::move(status).error().with_prefix("jpeg");
    return status;
  }

  std::optional<PlaneLayout> plane_layout(std::span<const std::byte> packed,
                                          const TileFormat& format) override {
    const jpeg::Frame* const frame = frame_of_planes(packed, format);
    return frame == nullptr ? std::nullopt : std::optional(layout_of(*frame));
  }

  std::optional<PlaneLayout> decode_planes(std::span<const std::byte> packed, const TileFormat& format,
                                           std::span<std::byte> room) override {
    const jpeg::Frame* const frame = frame_of_planes(packed, format);
    if (frame == nullptr) return std::nullopt;
    const PlaneLayout layout = layout_of(*frame);
    if (layout.bytes() > room.size()) return std::nullopt;
    std::array<ImageView, 3> views;
    for (size_t i = 0; i < layout.planes; ++i)
      views[i] = {room.data() + layout.offset(i), layout.plane[i], static_cast<int64_t>(layout.pitch(i)), 1,
                  SampleType::u8};
    try {
      if (!own_.decode_planes(*frame, std::span(views).first(layout.planes))) return std::nullopt;
    } catch (const std::bad_alloc&) {
      return std::nullopt;
    }
    ++decoded_by_.own;
    return layout;
  }

 private:
  // The frame of a tile whose planes are as good as its pixels; null: there is none.
  const jpeg::Frame* frame_of_planes(std::span<const std::byte> packed, const TileFormat& format) {
    if (!own_wanted_ || !check_format(format).ok() || !check_complete(packed, format).ok()) return nullptr;
    try {
      const jpeg::Frame* const frame = headers_.read(packed, format.tables.data);
      if (frame == nullptr || frame->components != format.samples) return nullptr;
      const bool covers = frame->size.w >= format.size.w && frame->size.h >= format.size.h;
      const bool whole = frame->sampling == jpeg::Sampling::grey || frame->sampling == jpeg::Sampling::s444;
      return covers && (whole || format.color == Color::ycbcr) ? frame : nullptr;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  static PlaneLayout layout_of(const jpeg::Frame& frame) {
    PlaneLayout layout{frame.size, frame.sampling, frame.components, {}};
    for (int i = 0; i < layout.planes; ++i)
      layout.plane[static_cast<size_t>(i)] = jpeg::TileDecoder::plane_size(frame, i);
    return layout;
  }

  Status decode_one(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    MICROTOME_TRY(check_request(format, want));
    MICROTOME_TRY(check_format(format));
    MICROTOME_TRY(check_complete(packed, format));
    if (want.reduce > kMaxReduce) MICROTOME_TRY(check_full_resolution(want));
    if (own_wanted_ && decode_ourselves(packed, format, want)) {
      ++decoded_by_.own;
      return ok_status();
    }
    ++decoded_by_.library;
    return library_.decode(packed, format, want);
  }

  // False: declined.
  bool decode_ourselves(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
    try {
      const jpeg::Frame* const frame = headers_.read(packed, format.tables.data);
      if (frame == nullptr || frame->components != format.samples) return false;
      // A stream may be larger than the tile, or smaller where the rest is not asked for.
      const auto [w, h] = reduced_size(frame->size, want.reduce);
      const Rect picture{0, 0, w, h};
      if (!picture.contains(want.bounds())) return false;
      return own_.decode(*frame, format.color == Color::ycbcr, want);
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  const bool own_wanted_ = own_decoder_wanted();
  jpeg::Headers headers_;
  jpeg::TileDecoder own_;
  jpeg::LibraryDecoder library_;
};

std::string version() {
  const std::string_view library = jpeg::LibraryDecoder::version();
  if (!own_decoder_wanted()) return std::string(library);
  return fmt::format("built in ({}), {}", simd::target_choice().used, library);
}

}  // namespace

const Codec jpeg_codec{
    "jpeg",
    [](const TileFormat& format) {
      return format.compression == Compression::jpeg || format.compression == Compression::old_jpeg;
    },
    make_decoder<JpegDecoder>,
    version,
};

}  // namespace microtome
