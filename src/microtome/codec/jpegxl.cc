// JPEG XL (ISO/IEC 18181), by libjxl: codestreams and files with boxes, TIFF compressions 50002 and 52546.
//
// Samples come in the stream's own colour space: grey or red, green, blue, then its extra channels (alpha
// among them) in their order. The photometric interpretation changes nothing, and alpha is never multiplied
// or divided out.
#include <jxl/decode.h>

#include <memory>

#include "microtome/base/fail.h"
#include "microtome/codec/codec_list.h"
#include "microtome/codec/picture.h"

namespace microtome {
namespace {

struct Destroy {
  void operator()(JxlDecoder* decoder) const { JxlDecoderDestroy(decoder); }
};
using Handle = std::unique_ptr<JxlDecoder, Destroy>;

struct StoredAs {
  JxlDataType type;
  uint32_t exponent_bits;  // 0 for integers
};

Result<StoredAs> stored_as(SampleType type) {
  switch (type) {
    case SampleType::u8:
      return StoredAs{JXL_TYPE_UINT8, 0};
    case SampleType::u16:
      return StoredAs{JXL_TYPE_UINT16, 0};
    case SampleType::f16:
      return StoredAs{JXL_TYPE_FLOAT16, 5};
    case SampleType::f32:
      return StoredAs{JXL_TYPE_FLOAT, 8};
    default:
      return unsupported("samples of {} are not supported, only of uint8, uint16, float16 and float32",
                         sample_name(type));
  }
}

Status check_info(const JxlBasicInfo& info, const TileFormat& format, const StoredAs& stored) {
  if (info.have_animation != JXL_FALSE) return unsupported("animations are not supported");
  const uint64_t samples = uint64_t{info.num_color_channels} + info.num_extra_channels;
  if (samples != format.samples) return corrupt("{} channels, expected {}", samples, format.samples);
  // The library scales other depths to the whole range of its output, which would be other values.
  if (info.bits_per_sample != format.bits || info.exponent_bits_per_sample != stored.exponent_bits) {
    return unsupported("{}-bit {} samples, expected {} bits of {}", info.bits_per_sample,
                       info.exponent_bits_per_sample > 0 ? "floating-point" : "integer", format.bits,
                       sample_name(format.type));
  }
  return ok_status();
}

class JpegXlDecoder final : public Decoder {
 public:
  explicit JpegXlDecoder(Handle handle) : handle_(std::move(handle)) {}

  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override {
    Status status = decode_one(packed, format, want);
    // The library keeps a tile's memory until it is told of the next.
    JxlDecoderReset(handle_.get());
    if (!status.ok()) return std::move(status).error().with_prefix("jpegxl");
    return status;
  }

 private:
  Status decode_one(std::span<const std::byte> packed, const TileFormat& format, const Want& want);
  Result<JxlBasicInfo> read_info(const TileFormat& format, const StoredAs& stored);
  Status read_pixels(const JxlBasicInfo& info, const TileFormat& format, const StoredAs& stored,
                     const Picture& picture);
  Status read_image(const JxlPixelFormat& pixels, std::span<std::byte> color, std::span<std::byte> extra,
                    uint32_t extra_channels);
  /// The next event, or an error that says why there is none.
  Result<JxlDecoderStatus> next_event();
  /// Whether the library's one buffer of samples, which knows alpha alone, takes all channels.
  bool is_one_buffer(const JxlBasicInfo& info) const;

  Handle handle_;
  size_t packed_size_ = 0;
  Scratch pixels_, channels_;
};

Result<JxlDecoderStatus> JpegXlDecoder::next_event() {
  const JxlDecoderStatus status = JxlDecoderProcessInput(handle_.get());
  if (status == JXL_DEC_ERROR)
    return corrupt("invalid data, or an end before the stream's ({} bytes packed)", packed_size_);
  if (status == JXL_DEC_NEED_MORE_INPUT) return corrupt("premature end ({} bytes packed)", packed_size_);
  if (status == JXL_DEC_SUCCESS) return corrupt("no image in the stream ({} bytes packed)", packed_size_);
  return status;
}

bool JpegXlDecoder::is_one_buffer(const JxlBasicInfo& info) const {
  if (info.num_extra_channels == 0) return true;
  JxlExtraChannelInfo extra;
  return info.num_extra_channels == 1 &&
         JxlDecoderGetExtraChannelInfo(handle_.get(), 0, &extra) == JXL_DEC_SUCCESS &&
         extra.type == JXL_CHANNEL_ALPHA;
}

Status JpegXlDecoder::decode_one(std::span<const std::byte> packed, const TileFormat& format,
                                 const Want& want) {
  MICROTOME_TRY(check_request(format, want));
  MICROTOME_TRY(check_full_resolution(want));
  MICROTOME_TRY(check_whole_samples(format));
  MICROTOME_ASSIGN(const StoredAs stored, stored_as(format.type));
  MICROTOME_TRY(tile_bytes(format));
  packed_size_ = packed.size();
  if (JxlDecoderSubscribeEvents(handle_.get(), JXL_DEC_BASIC_INFO | JXL_DEC_FULL_IMAGE) != JXL_DEC_SUCCESS ||
      JxlDecoderSetInput(handle_.get(), reinterpret_cast<const uint8_t*>(packed.data()), packed.size()) !=
          JXL_DEC_SUCCESS) {
    return internal("the library refuses its input");
  }
  JxlDecoderCloseInput(handle_.get());
  MICROTOME_ASSIGN(const JxlBasicInfo info, read_info(format, stored));
  MICROTOME_ASSIGN(const Picture picture, Picture::make({info.xsize, info.ysize}, format, want,
                                                        Picture::Rows::without_gaps, pixels_));
  MICROTOME_TRY(read_pixels(info, format, stored, picture));
  picture.place();
  return ok_status();
}

Result<JxlBasicInfo> JpegXlDecoder::read_info(const TileFormat& format, const StoredAs& stored) {
  MICROTOME_ASSIGN(const JxlDecoderStatus status, next_event());
  JxlBasicInfo info;
  if (status != JXL_DEC_BASIC_INFO || JxlDecoderGetBasicInfo(handle_.get(), &info) != JXL_DEC_SUCCESS) {
    return corrupt("no header ({} bytes packed)", packed_size_);
  }
  MICROTOME_TRY(check_info(info, format, stored));
  return info;
}

Status JpegXlDecoder::read_pixels(const JxlBasicInfo& info, const TileFormat& format, const StoredAs& stored,
                                  const Picture& picture) {
  JxlPixelFormat pixels{format.samples, stored.type, JXL_NATIVE_ENDIAN, 0};
  if (is_one_buffer(info)) return read_image(pixels, {picture.data(), picture.bytes()}, {}, 0);
  // Colors in one image, and each extra channel in a plane behind it.
  pixels.num_channels = info.num_color_channels;
  const size_t width = sample_bytes(format.type), plane = picture.bytes() / format.samples;
  const size_t color_bytes = plane * info.num_color_channels;
  MICROTOME_ASSIGN(const std::span<std::byte> memory, channels_.at_least(picture.bytes()));
  MICROTOME_TRY(
      read_image(pixels, memory.first(color_bytes), memory.subspan(color_bytes), info.num_extra_channels));
  picture.put(memory.data(), width * info.num_color_channels, 0);
  for (size_t i = info.num_color_channels; i < format.samples; ++i) {
    picture.put(memory.data() + i * plane, width, i * width);
  }
  return ok_status();
}

Status JpegXlDecoder::read_image(const JxlPixelFormat& pixels, std::span<std::byte> color,
                                 std::span<std::byte> extra, uint32_t extra_channels) {
  for (;;) {
    MICROTOME_ASSIGN(const JxlDecoderStatus event, next_event());
    if (event == JXL_DEC_FULL_IMAGE) return ok_status();
    if (event != JXL_DEC_NEED_IMAGE_OUT_BUFFER)
      return corrupt("unexpected event {}", static_cast<int>(event));
    bool ok =
        JxlDecoderSetImageOutBuffer(handle_.get(), &pixels, color.data(), color.size()) == JXL_DEC_SUCCESS;
    for (uint32_t i = 0; i < extra_channels; ++i) {
      const size_t bytes = extra.size() / extra_channels;
      ok = ok && JxlDecoderSetExtraChannelBuffer(handle_.get(), &pixels, extra.data() + i * bytes, bytes,
                                                 i) == JXL_DEC_SUCCESS;
    }
    if (!ok) return internal("the library refuses its output");
  }
}

Result<std::unique_ptr<Decoder>> make() {
  Handle handle(JxlDecoderCreate(nullptr));
  if (!handle) return out_of_memory("jpegxl: no memory for a decoder");
  return std::unique_ptr<Decoder>(std::make_unique<JpegXlDecoder>(std::move(handle)));
}

std::string version() {
  const uint32_t number = JxlDecoderVersion();
  return fmt::format("libjxl {}.{}.{}", number / 1000000, number / 1000 % 1000, number % 1000);
}

}  // namespace

const Codec jpegxl_codec{
    "jpegxl",
    [](const TileFormat& format) {
      return format.compression == Compression::jpegxl || format.compression == Compression::jpegxl_dng;
    },
    make,
    version,
};

}  // namespace microtome
