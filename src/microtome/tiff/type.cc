#include "microtome/tiff/type.h"

#include <string_view>

#include "microtome/base/fail.h"

namespace microtome::tiff {
namespace {

struct TypeFacts {
  std::string_view name;
  uint32_t size = 0;
  bool integer = false;
};

// TIFF 6.0, section 2 (1-12); Technical Note 1 (13); BigTIFF (16-18).
TypeFacts facts(Type type) noexcept {
  switch (type) {
    case Type::u8:
      return {"BYTE", 1, true};
    case Type::ascii:
      return {"ASCII", 1, false};
    case Type::u16:
      return {"SHORT", 2, true};
    case Type::u32:
      return {"LONG", 4, true};
    case Type::rational:
      return {"RATIONAL", 8, false};
    case Type::i8:
      return {"SBYTE", 1, true};
    case Type::undefined:
      return {"UNDEFINED", 1, false};
    case Type::i16:
      return {"SSHORT", 2, true};
    case Type::i32:
      return {"SLONG", 4, true};
    case Type::srational:
      return {"SRATIONAL", 8, false};
    case Type::f32:
      return {"FLOAT", 4, false};
    case Type::f64:
      return {"DOUBLE", 8, false};
    case Type::ifd:
      return {"IFD", 4, true};
    case Type::u64:
      return {"LONG8", 8, true};
    case Type::i64:
      return {"SLONG8", 8, true};
    case Type::ifd8:
      return {"IFD8", 8, true};
  }
  return {};
}

std::string_view known_tag(uint16_t number) noexcept {
  switch (number) {
    case tag::kNewSubfileType:
      return "NewSubfileType";
    case tag::kImageWidth:
      return "ImageWidth";
    case tag::kImageLength:
      return "ImageLength";
    case tag::kBitsPerSample:
      return "BitsPerSample";
    case tag::kCompression:
      return "Compression";
    case tag::kPhotometric:
      return "PhotometricInterpretation";
    case tag::kFillOrder:
      return "FillOrder";
    case tag::kImageDescription:
      return "ImageDescription";
    case tag::kMake:
      return "Make";
    case tag::kModel:
      return "Model";
    case tag::kStripOffsets:
      return "StripOffsets";
    case tag::kOrientation:
      return "Orientation";
    case tag::kSamplesPerPixel:
      return "SamplesPerPixel";
    case tag::kRowsPerStrip:
      return "RowsPerStrip";
    case tag::kStripByteCounts:
      return "StripByteCounts";
    case tag::kXResolution:
      return "XResolution";
    case tag::kYResolution:
      return "YResolution";
    case tag::kPlanarConfiguration:
      return "PlanarConfiguration";
    case tag::kResolutionUnit:
      return "ResolutionUnit";
    case tag::kSoftware:
      return "Software";
    case tag::kDateTime:
      return "DateTime";
    case tag::kArtist:
      return "Artist";
    case tag::kHostComputer:
      return "HostComputer";
    case tag::kPredictor:
      return "Predictor";
    case tag::kTileWidth:
      return "TileWidth";
    case tag::kTileLength:
      return "TileLength";
    case tag::kTileOffsets:
      return "TileOffsets";
    case tag::kTileByteCounts:
      return "TileByteCounts";
    case tag::kSubIfds:
      return "SubIFDs";
    case tag::kExtraSamples:
      return "ExtraSamples";
    case tag::kSampleFormat:
      return "SampleFormat";
    case tag::kJpegTables:
      return "JPEGTables";
    case tag::kYCbCrSubSampling:
      return "YCbCrSubSampling";
    case tag::kImageDepth:
      return "ImageDepth";
    case tag::kCopyright:
      return "Copyright";
    case tag::kIccProfile:
      return "ICCProfile";
    default:
      return {};
  }
}

}  // namespace

uint32_t type_size(Type type) noexcept {
  return facts(type).size;
}

bool is_integer(Type type) noexcept {
  return facts(type).integer;
}

std::string type_name(Type type) {
  const std::string_view name = facts(type).name;
  if (name.empty()) return fmt::format("unknown type {}", static_cast<uint16_t>(type));
  return std::string(name);
}

std::string tag_name(uint16_t number) {
  const std::string_view name = known_tag(number);
  if (name.empty()) return fmt::format("tag {}", number);
  return fmt::format("tag {} ({})", number, name);
}

}  // namespace microtome::tiff
