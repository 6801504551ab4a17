#include "microtome/base/pixels.h"

#include <fmt/format.h>

namespace microtome {

size_t sample_bytes(SampleType type) noexcept {
  switch (type) {
    case SampleType::u8:
    case SampleType::i8:
      return 1;
    case SampleType::u16:
    case SampleType::i16:
    case SampleType::f16:
      return 2;
    case SampleType::u32:
    case SampleType::i32:
    case SampleType::f32:
      return 4;
    case SampleType::u64:
    case SampleType::i64:
    case SampleType::f64:
      return 8;
  }
  return 1;
}

std::string_view sample_name(SampleType type) noexcept {
  switch (type) {
    case SampleType::u8:
      return "uint8";
    case SampleType::u16:
      return "uint16";
    case SampleType::u32:
      return "uint32";
    case SampleType::u64:
      return "uint64";
    case SampleType::i8:
      return "int8";
    case SampleType::i16:
      return "int16";
    case SampleType::i32:
      return "int32";
    case SampleType::i64:
      return "int64";
    case SampleType::f16:
      return "float16";
    case SampleType::f32:
      return "float32";
    case SampleType::f64:
      return "float64";
  }
  return "uint8";
}

std::string compression_name(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "uncompressed";
    case Compression::ccitt_rle:
      return "CCITT RLE";
    case Compression::ccitt_fax3:
      return "CCITT fax group 3";
    case Compression::ccitt_fax4:
      return "CCITT fax group 4";
    case Compression::lzw:
      return "LZW";
    case Compression::old_jpeg:
      return "old-style JPEG";
    case Compression::jpeg:
      return "JPEG";
    case Compression::deflate:
      return "deflate";
    case Compression::packbits:
      return "PackBits";
    case Compression::deflate_old:
      return "deflate (32946)";
    case Compression::aperio_jpeg2000_ycbcr:
      return "Aperio JPEG 2000 YCbCr (33003)";
    case Compression::aperio_jpeg2000_rgb:
      return "Aperio JPEG 2000 RGB (33005)";
    case Compression::jpeg2000:
      return "JPEG 2000";
    case Compression::lerc:
      return "LERC";
    case Compression::lzma:
      return "LZMA";
    case Compression::zstd_old:
      return "zstd (34926)";
    case Compression::webp_old:
      return "WebP (34927)";
    case Compression::jpegxr:
      return "JPEG XR";
    case Compression::zstd:
      return "zstd";
    case Compression::webp:
      return "WebP";
    case Compression::jpegxl:
      return "JPEG XL";
    case Compression::jpegxl_dng:
      return "JPEG XL (52546)";
  }
  return fmt::format("compression {}", static_cast<int>(compression));
}

uint16_t color_samples(Color color) noexcept {
  switch (color) {
    case Color::white_is_zero:
    case Color::black_is_zero:
    case Color::palette:
    case Color::mask:
      return 1;
    case Color::rgb:
    case Color::ycbcr:
    case Color::cielab:
    case Color::icclab:
    case Color::itulab:
      return 3;
    case Color::cmyk:
      return 4;
    default:
      return 0;
  }
}

std::string color_name(Color color) {
  switch (color) {
    case Color::white_is_zero:
      return "grey, white is zero";
    case Color::black_is_zero:
      return "grey";
    case Color::rgb:
      return "RGB";
    case Color::palette:
      return "palette";
    case Color::mask:
      return "mask";
    case Color::cmyk:
      return "CMYK";
    case Color::ycbcr:
      return "YCbCr";
    case Color::cielab:
      return "CIELab";
    case Color::icclab:
      return "ICCLab";
    case Color::itulab:
      return "ITULab";
    case Color::cfa:
      return "colour filter array";
    case Color::linear_raw:
      return "linear raw";
  }
  return fmt::format("photometric {}", static_cast<int>(color));
}

}  // namespace microtome
