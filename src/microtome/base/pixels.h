// What pixels look like in memory, and how a tile's bytes are to be understood.
//
// This is the vocabulary that containers (tiff, slide) and codecs share, so that neither includes the other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/base/bytes.h"
#include "microtome/base/geometry.h"

namespace microtome {

/// One sample of one pixel, always in the machine's byte order once decoded.
enum class SampleType : uint8_t { u8, u16, u32, u64, i8, i16, i32, i64, f16, f32, f64 };

/// Bytes per sample: 1, 2, 4 or 8.
size_t sample_bytes(SampleType type) noexcept;

/// NumPy's name: "uint8", "float32".
std::string_view sample_name(SampleType type) noexcept;

/// Borrows an image: rows of `size.w * samples` interleaved samples, `row_stride` bytes apart (which may
/// exceed a row, never be less). Whoever passes one keeps the memory alive.
struct ImageView {
  std::byte* data = nullptr;
  Size size;
  int64_t row_stride = 0;
  uint16_t samples = 0;
  SampleType type = SampleType::u8;

  size_t pixel_bytes() const noexcept { return samples * sample_bytes(type); }
  size_t row_bytes() const noexcept { return static_cast<size_t>(size.w) * pixel_bytes(); }
  std::byte* row(int64_t y) const noexcept { return data + y * row_stride; }

  /// The part of this view that `r` (in its own pixels, wholly inside) covers.
  ImageView part(const Rect& r) const noexcept {
    return {data + r.y * row_stride + r.x * static_cast<int64_t>(pixel_bytes()), r.size(), row_stride,
            samples, type};
  }
};

/// How pixels are written: as usual, or past the caches (simd::stream_copy), for results larger than these.
enum class Stores : uint8_t { cached, streaming };

/// How a tile is packed. The values are TIFF's Compression tag (TIFF 6.0 and its registry); other containers
/// map theirs to it. A value not listed here is kept as it is and answered with `unsupported`.
enum class Compression : uint16_t {
  none = 1,
  ccitt_rle = 2,
  ccitt_fax3 = 3,
  ccitt_fax4 = 4,
  lzw = 5,
  old_jpeg = 6,
  jpeg = 7,
  deflate = 8,
  packbits = 32773,
  deflate_old = 32946,
  aperio_jpeg2000_ycbcr = 33003,
  aperio_jpeg2000_rgb = 33005,
  jpeg2000 = 34712,
  lerc = 34887,
  lzma = 34925,
  zstd_old = 34926,
  webp_old = 34927,
  jpegxr = 34934,
  zstd = 50000,
  webp = 50001,
  jpegxl = 50002,
  jpegxl_dng = 52546,
};

/// "JPEG", "LZW", "zstd"; "compression 12345" for what has no name here.
std::string compression_name(Compression compression);

/// What the samples mean. The values are TIFF's PhotometricInterpretation (TIFF 6.0 section 8).
enum class Color : uint16_t {
  white_is_zero = 0,
  black_is_zero = 1,
  rgb = 2,
  palette = 3,
  mask = 4,
  cmyk = 5,
  ycbcr = 6,
  cielab = 8,
  icclab = 9,
  itulab = 10,
  cfa = 32803,
  linear_raw = 34892,
};

/// "RGB", "YCbCr"; "photometric 12345" for what has no name here.
std::string color_name(Color color);

/// TIFF's Predictor tag (TIFF 6.0 section 14; Adobe TIFF Technical Note 3).
enum class Predictor : uint16_t { none = 1, horizontal = 2, floating_point = 3 };

/// How YCbCr samples are stored and what they stand for, where the codec itself knows nothing of it (TIFF 6.0
/// sections 20 and 21). The codes in `reference` that mean black and white are those of Y, Cb and Cr.
struct YCbCrCoding {
  uint8_t across = 2, down = 2;  ///< So many luma samples to a chroma sample.
  std::array<float, 3> luma{0.299F, 0.587F, 0.114F};
  std::array<float, 6> reference{0, 255, 128, 255, 128, 255};
  bool operator==(const YCbCrCoding&) const = default;
};

struct RgbForm;

/// All that a decoder may know about a tile besides its bytes.
struct TileFormat {
  Compression compression = Compression::none;
  Color color = Color::rgb;
  Predictor predictor = Predictor::none;
  SampleType type = SampleType::u8;
  uint16_t samples = 3;  ///< Per pixel, interleaved in the output.
  uint16_t bits = 8;     ///< Per sample as stored; fewer than 8 * sample_bytes(type) are packed.
  bool planar = false;   ///< Each sample in a tile of its own (TIFF PlanarConfiguration 2): PlanarDecoder's.
  bool big_endian = false;  ///< Byte order of samples wider than a byte.
  bool lsb_first = false;   ///< TIFF FillOrder 2: bits of a byte from the lowest on.
  Size size;                ///< Of the tile as encoded; edge tiles are stored whole.
  Bytes tables;             ///< JPEGTables (Adobe TIFF Technical Note 2), or empty.
  YCbCrCoding ycbcr;        ///< Of Color::ycbcr, unless the codec converts it.
  /// Set: the pixels are to be what the stored samples look like. Then `type` and `samples` are uint8 and 3,
  /// and what is stored is `rgb_form->stored`.
  std::shared_ptr<const RgbForm> rgb_form = nullptr;
};

/// What an extra sample says of the others (TIFF 6.0 section 18): they have been multiplied by it, or not.
enum class Alpha : uint8_t { none, associated, straight };

/// Stored samples, and how they become red, green and blue of 8 bits.
struct RgbForm {
  TileFormat stored;
  Alpha alpha = Alpha::none;  ///< Of the first sample behind the colours.
  /// Of Color::palette: red of every index, then green, then blue, each of 16 bits.
  std::vector<uint16_t> color_map = {};
};

/// The samples as the file has them.
inline const TileFormat& stored_format(const TileFormat& format) noexcept {
  return format.rgb_form ? format.rgb_form->stored : format;
}

/// How many samples are colour, of a pixel whose others are extra ones; 0 where that is not known.
uint16_t color_samples(Color color) noexcept;

}  // namespace microtome
