#include "microtome/slide/tiff_image.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/slide/grid.h"
#include "microtome/slide/tiff_strips.h"

namespace microtome {
namespace {

using tiff::Directory;
namespace tag = tiff::tag;

/// The value of a tag that has no default.
Result<uint64_t> required(const Directory& directory, uint16_t tag, std::string_view name) {
  if (!directory.has(tag)) return corrupt("{} (tag {}) is missing", name, tag);
  return directory.unsigned_value(tag);
}

/// The value of a tag, or the default that TIFF gives it, as a T.
template <class T>
Result<T> optional(const Directory& directory, uint16_t tag, std::string_view name, T fallback) {
  MICROTOME_ASSIGN(const uint64_t value, directory.unsigned_value_or(tag, fallback));
  const auto narrow = checked_cast<T>(value);
  if (!narrow) return corrupt("{} {}, expected at most {}", name, value, std::numeric_limits<T>::max());
  return *narrow;
}

/// A side of an image or a tile. What exceeds int64 is absurd in the same way as what exceeds kMaxSide.
int64_t to_side(uint64_t value) {
  return static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX));
}

Result<Size> required_size(const Directory& directory, std::pair<uint16_t, std::string_view> width,
                           std::pair<uint16_t, std::string_view> height) {
  MICROTOME_ASSIGN(const uint64_t w, required(directory, width.first, width.second));
  MICROTOME_ASSIGN(const uint64_t h, required(directory, height.first, height.second));
  return Size{to_side(w), to_side(h)};
}

/// A tag with one value per sample, which must be equal: files write one for each, or one for all.
Result<uint64_t> equal_values(const Directory& directory, uint16_t tag, std::string_view name,
                              uint64_t fallback) {
  if (!directory.has(tag)) return fallback;
  MICROTOME_ASSIGN(const auto values, directory.unsigned_values(tag, UINT16_MAX));
  if (values.empty()) return corrupt("{} (tag {}) has no value", name, tag);
  const auto differs = std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>());
  if (differs == values.end()) return values.front();
  const auto shown = std::min<ptrdiff_t>(std::ssize(values), 8);
  return unsupported("{} {}{}: samples that differ from each other", name,
                     fmt::join(values.begin(), values.begin() + shown, ", "),
                     shown < std::ssize(values) ? ", ..." : "");
}

/// The smallest type that holds `bits`; where it is wider than that, the samples are packed.
Result<SampleType> sample_type(uint64_t sample_format, uint64_t bits) {
  enum : uint64_t { kUnsigned = 1, kSigned = 2, kFloat = 3, kUndefined = 4, kComplexInt = 5, kComplex = 6 };
  if (bits == 0) return corrupt("BitsPerSample 0, expected 1 to 64");
  if (bits > 64) return unsupported("BitsPerSample {}, expected 1 to 64", bits);
  const int size = bits <= 8 ? 0 : bits <= 16 ? 1 : bits <= 32 ? 2 : 3;
  using S = SampleType;
  switch (sample_format) {
    case kUnsigned:
    case kUndefined:
      return std::array{S::u8, S::u16, S::u32, S::u64}[static_cast<size_t>(size)];
    case kSigned:
      return std::array{S::i8, S::i16, S::i32, S::i64}[static_cast<size_t>(size)];
    case kFloat:
      if (size == 0) return unsupported("floating-point samples of {} bits", bits);
      return std::array{S::f16, S::f16, S::f32, S::f64}[static_cast<size_t>(size)];
    case kComplexInt:
    case kComplex:
      return unsupported("complex samples (SampleFormat {})", sample_format);
    default:
      return corrupt("SampleFormat {}, expected 1 to 6", sample_format);
  }
}

/// Encoders leave the tag in files whose codec has no predictor; readers have always ignored it there.
/// libtiff ignores it for PackBits too, but its writers cannot set it there: whoever did meant it, as
/// tifffile does.
bool has_predictor(Compression compression) {
  switch (compression) {
    case Compression::lzw:
    case Compression::deflate:
    case Compression::deflate_old:
    case Compression::packbits:
    case Compression::lzma:
    case Compression::zstd:
    case Compression::zstd_old:
      return true;
    default:
      return false;
  }
}

Result<Predictor> read_predictor(const Directory& directory, Compression compression) {
  if (!has_predictor(compression)) return Predictor::none;
  MICROTOME_ASSIGN(const auto value, optional<uint16_t>(directory, tag::kPredictor, "Predictor", 1));
  if (value < 1 || value > 3) return unsupported("Predictor {}, expected 1 to 3", value);
  return static_cast<Predictor>(value);
}

/// PhotometricInterpretation has no default, but files without it exist: what the number of samples suggests.
Result<Color> read_color(const Directory& directory, uint16_t samples) {
  if (!directory.has(tag::kPhotometric)) {
    if (samples == 1) return Color::black_is_zero;
    if (samples == 3 || samples == 4) return Color::rgb;
  }
  MICROTOME_ASSIGN(const uint64_t value, required(directory, tag::kPhotometric, "PhotometricInterpretation"));
  const auto color = checked_cast<uint16_t>(value);
  if (!color) return corrupt("PhotometricInterpretation {}, expected at most 65535", value);
  return static_cast<Color>(*color);
}

/// Codecs whose streams know no colours.
bool is_byte_codec(Compression compression) {
  return compression == Compression::none || has_predictor(compression);
}

template <size_t kCount>
Status read_floats(const Directory& directory, uint16_t tag, std::string_view name,
                   std::array<float, kCount>& values) {
  if (!directory.has(tag)) return ok_status();
  MICROTOME_ASSIGN(const auto found, directory.real_values(tag, kCount));
  if (found.size() != kCount)
    return corrupt("{} (tag {}) of {} values, expected {}", name, tag, found.size(), kCount);
  std::transform(found.begin(), found.end(), values.begin(), [](double v) { return static_cast<float>(v); });
  return ok_status();
}

Result<YCbCrCoding> read_ycbcr(const Directory& directory) {
  YCbCrCoding coding;
  if (directory.has(tag::kYCbCrSubSampling)) {
    MICROTOME_ASSIGN(const auto factors, directory.unsigned_values(tag::kYCbCrSubSampling, 2));
    const bool known = factors.size() == 2 && factors[0] <= UINT8_MAX && factors[1] <= UINT8_MAX;
    if (!known) return corrupt("YCbCrSubSampling (tag {}), expected two factors", tag::kYCbCrSubSampling);
    coding.across = static_cast<uint8_t>(factors[0]);
    coding.down = static_cast<uint8_t>(factors[1]);
  }
  MICROTOME_TRY(read_floats(directory, tag::kYCbCrCoefficients, "YCbCrCoefficients", coding.luma));
  MICROTOME_TRY(read_floats(directory, tag::kReferenceBlackWhite, "ReferenceBlackWhite", coding.reference));
  return coding;
}

Result<TileFormat> read_format(const Directory& directory) {
  TileFormat format;
  MICROTOME_ASSIGN(const auto compression,
                   optional<uint16_t>(directory, tag::kCompression, "Compression", 1));
  format.compression = static_cast<Compression>(compression);
  MICROTOME_ASSIGN(format.samples,
                   optional<uint16_t>(directory, tag::kSamplesPerPixel, "SamplesPerPixel", 1));
  MICROTOME_ASSIGN(format.color, read_color(directory, format.samples));
  MICROTOME_ASSIGN(const uint64_t bits, equal_values(directory, tag::kBitsPerSample, "BitsPerSample", 1));
  MICROTOME_ASSIGN(const uint64_t sample_format,
                   equal_values(directory, tag::kSampleFormat, "SampleFormat", 1));
  MICROTOME_ASSIGN(format.type, sample_type(sample_format, bits));
  format.bits = static_cast<uint16_t>(bits);
  MICROTOME_ASSIGN(format.predictor, read_predictor(directory, format.compression));
  MICROTOME_ASSIGN(const auto planar,
                   optional<uint16_t>(directory, tag::kPlanarConfiguration, "PlanarConfiguration", 1));
  if (planar < 1 || planar > 2) return corrupt("PlanarConfiguration {}, expected 1 or 2", planar);
  format.planar = planar == 2 && format.samples > 1;
  format.big_endian = directory.encoding().big_endian;
  MICROTOME_ASSIGN(const auto fill_order, optional<uint16_t>(directory, tag::kFillOrder, "FillOrder", 1));
  format.lsb_first = fill_order == 2;
  if (format.color == Color::ycbcr && (format.planar || is_byte_codec(format.compression))) {
    MICROTOME_ASSIGN(format.ycbcr, read_ycbcr(directory));
  }
  return format;
}

/// What the first sample behind the colours is.
Result<Alpha> read_alpha(const Directory& directory, const TileFormat& format) {
  enum : uint64_t { kAssociated = 1, kUnassociated = 2 };
  const uint16_t colors = color_samples(format.color);
  if (colors == 0 || format.samples <= colors || !directory.has(tag::kExtraSamples)) return Alpha::none;
  MICROTOME_ASSIGN(const auto extra, directory.unsigned_values(tag::kExtraSamples, UINT16_MAX));
  if (extra.empty()) return Alpha::none;
  return extra.front() == kAssociated     ? Alpha::associated
         : extra.front() == kUnassociated ? Alpha::straight
                                          : Alpha::none;
}

/// Empty where the directory has none that fits: indices can be read all the same.
std::vector<uint16_t> read_color_map(const Directory& directory, const TileFormat& format) {
  constexpr uint16_t kMostBits = 16;
  if (format.color != Color::palette || format.bits > kMostBits) return {};
  const size_t count = size_t{3} << format.bits;
  const auto values = directory.unsigned_values(tag::kColorMap, count);
  if (!values.ok() || values->size() != count) return {};
  return {values->begin(), values->end()};
}

/// Whether the byte count of an image's only strip is 0, though it has an offset: some writers never filled
/// it in.
Result<bool> is_unfilled(const Directory& directory, const TileGrid& grid) {
  if (grid.rows != 1 || grid.byte_counts.size() != 1 || grid.offsets.size() != 1) return false;
  MICROTOME_ASSIGN(const uint64_t bytes, grid.byte_counts.at(0));
  MICROTOME_ASSIGN(const uint64_t offset, grid.offsets.at(0));
  return bytes == 0 && offset != 0 && offset < directory.encoding().source->size();
}

/// Strips whose byte counts are missing, as old writers left them: known where one uncompressed strip holds
/// the image.
Result<tiff::LazyArray> missing_byte_counts(const TileGrid& grid) {
  const TileFormat& format = grid.format;
  if (format.compression != Compression::none || grid.rows != 1 || format.planar)
    return corrupt("StripByteCounts (tag {}) is missing", tag::kStripByteCounts);
  const auto row_bits =
      checked_mul(static_cast<uint64_t>(grid.size.w), uint64_t{format.samples}, uint64_t{format.bits});
  const auto bytes = row_bits
                         ? checked_mul(static_cast<uint64_t>(grid.size.h), ceil_div(*row_bits, uint64_t{8}))
                         : std::nullopt;
  if (!bytes) return corrupt("StripByteCounts (tag {}) is missing", tag::kStripByteCounts);
  return tiff::LazyArray::of({*bytes});
}

Status read_arrays(const Directory& directory, bool tiled, TileGrid& grid) {
  const uint16_t offsets_tag = tiled ? tag::kTileOffsets : tag::kStripOffsets;
  const uint16_t counts_tag = tiled ? tag::kTileByteCounts : tag::kStripByteCounts;
  const std::string_view kind = tiled ? "Tile" : "Strip";
  if (!directory.has(offsets_tag)) {
    if (grid.format.compression == Compression::old_jpeg)
      return unsupported("old-style JPEG outside {}s", tiled ? "tile" : "strip");
    return corrupt("{}Offsets (tag {}) is missing", kind, offsets_tag);
  }
  MICROTOME_ASSIGN(grid.offsets, tiff::LazyArray::over(directory, offsets_tag));
  if (!tiled && !directory.has(counts_tag)) {
    MICROTOME_ASSIGN(grid.byte_counts, missing_byte_counts(grid));
    return ok_status();
  }
  if (!directory.has(counts_tag)) return corrupt("{}ByteCounts (tag {}) is missing", kind, counts_tag);
  MICROTOME_ASSIGN(grid.byte_counts, tiff::LazyArray::over(directory, counts_tag));
  if (tiled) return ok_status();
  MICROTOME_ASSIGN(const bool unfilled, is_unfilled(directory, grid));
  if (!unfilled) return ok_status();
  // As libtiff: up to the file's end; decoders stop where their stream does.
  MICROTOME_ASSIGN(const uint64_t offset, grid.offsets.at(0));
  grid.byte_counts = tiff::LazyArray::of({directory.encoding().source->size() - offset});
  return ok_status();
}

Status read_tables(const Directory& directory, TileFormat& format) {
  const tiff::Entry* entry = directory.find(tag::kJpegTables);
  if (entry == nullptr || format.compression != Compression::jpeg) return ok_status();
  if (entry->count > kMaxJpegTablesBytes)
    return corrupt("JPEGTables of {} bytes, expected at most {}", entry->count, kMaxJpegTablesBytes);
  MICROTOME_ASSIGN(format.tables, directory.bytes(tag::kJpegTables));
  return ok_status();
}

/// Of a tile, or of a strip: as wide as the image and as high as RowsPerStrip, whose default and whose
/// largest value both mean the whole image.
Result<Size> read_tile_size(const Directory& directory, const TiffImage& image) {
  if (image.tiled)
    return required_size(directory, {tag::kTileWidth, "TileWidth"}, {tag::kTileLength, "TileLength"});
  MICROTOME_ASSIGN(const auto rows,
                   optional<uint64_t>(directory, tag::kRowsPerStrip, "RowsPerStrip", UINT32_MAX));
  if (rows == 0) return corrupt("RowsPerStrip 0, expected at least 1");
  return Size{image.size.w, std::min(to_side(rows), image.size.h)};
}

}  // namespace

bool is_tiled(const Directory& directory) noexcept {
  return directory.has(tag::kTileWidth);
}

Result<TiffImage> read_tiff_image(const Directory& directory) {
  TiffImage image;
  MICROTOME_ASSIGN(image.size, required_size(directory, {tag::kImageWidth, "ImageWidth"},
                                             {tag::kImageLength, "ImageLength"}));
  MICROTOME_TRY(check_size("image size", image.size));
  image.tiled = is_tiled(directory);
  MICROTOME_ASSIGN(image.subfile_type,
                   optional<uint32_t>(directory, tag::kNewSubfileType, "NewSubfileType", 0));
  MICROTOME_ASSIGN(const auto depth, optional<uint32_t>(directory, tag::kImageDepth, "ImageDepth", 1));
  if (depth != 1) return unsupported("ImageDepth {}: volumes", depth);
  MICROTOME_ASSIGN(image.format, read_format(directory));
  return image;
}

Result<std::unique_ptr<TileGrid>> make_tiff_grid(const Directory& directory, const TiffImage& image) {
  auto grid = std::make_unique<TileGrid>();
  grid->format = image.format;
  MICROTOME_ASSIGN(Size tile, read_tile_size(directory, image));
  std::optional<CutStrips> cut;
  if (!image.tiled && tile.h == image.size.h) {
    MICROTOME_ASSIGN(cut, cut_strip(directory, image));
  }
  if (cut) tile.h = cut->rows;
  MICROTOME_TRY(set_geometry(*grid, image.size, tile));
  grid->last_row_is_short = !image.tiled;
  if (cut) {
    grid->offsets = std::move(cut->offsets);
    grid->byte_counts = std::move(cut->byte_counts);
  } else {
    MICROTOME_TRY(read_arrays(directory, image.tiled, *grid));
  }
  MICROTOME_TRY(read_tables(directory, grid->format));
  MICROTOME_ASSIGN(grid->alpha, read_alpha(directory, image.format));
  grid->color_map = read_color_map(directory, image.format);
  MICROTOME_TRY(check_grid(*grid));
  return grid;
}

}  // namespace microtome
