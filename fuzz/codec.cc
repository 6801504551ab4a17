// Every decoder on arbitrary streams: it returns pixels or an error, and touches only its output.
//
// Input: eight bytes of header (see `Header`), a length byte and that many bytes of tables, then the stream.
// With the flag `planar` the stream is cut into as many as there are samples; with `rgb`, what the samples
// look like is asked for. Sizes stay below 256x256 pixels, so that time goes into the stream. The first byte
// picks the compression, which is how the seeds under corpus/codec reach each codec.
#include "microtome/codec/codec.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "microtome/codec/planar.h"
#include "microtome/codec/rgb.h"

using namespace microtome;

namespace {

constexpr Compression kCompressions[] = {
    Compression::jpeg,
    Compression::jpeg2000,
    Compression::aperio_jpeg2000_ycbcr,
    Compression::aperio_jpeg2000_rgb,
    Compression::none,
    Compression::deflate,
    Compression::deflate_old,
    Compression::lzw,
    Compression::packbits,
    Compression::zstd,
    Compression::lzma,
    Compression::webp,
    Compression::jpegxl,
    Compression::lerc,
};
constexpr SampleType kTypes[] = {SampleType::u8,  SampleType::u16, SampleType::u32, SampleType::f64,
                                 SampleType::f32, SampleType::f16, SampleType::i16, SampleType::i8};
constexpr Color kColors[] = {Color::rgb, Color::ycbcr, Color::black_is_zero, Color::palette};
constexpr uint8_t kPlanar = 32, kRgb = 64, kStraight = 128;  // in color_and_type

struct Header {
  uint8_t compression, color_and_type, samples_and_flags, w, h, x, y, stride_gap;
};

TileFormat format_of(const Header& header) {
  TileFormat format;
  format.compression = kCompressions[header.compression % std::size(kCompressions)];
  format.color = kColors[header.color_and_type % 4];
  format.type = kTypes[header.color_and_type / 4 % std::size(kTypes)];
  const auto whole = 8 * sample_bytes(format.type), missing = size_t{header.stride_gap} / 4;
  format.bits = static_cast<uint16_t>(whole - missing % whole);
  format.samples = static_cast<uint16_t>(header.samples_and_flags % 8 + 1);
  format.predictor = (header.samples_and_flags & 64) != 0  ? Predictor::floating_point
                     : (header.samples_and_flags & 8) != 0 ? Predictor::horizontal
                                                           : Predictor::none;
  format.lsb_first = (header.samples_and_flags & 32) != 0;
  format.big_endian = (header.samples_and_flags & 16) != 0;
  format.size = {header.w + 1, header.h + 1};
  format.planar = (header.color_and_type & kPlanar) != 0 && format.samples > 1;
  format.ycbcr.across = static_cast<uint8_t>(1 << header.x % 3);
  format.ycbcr.down = static_cast<uint8_t>(1 << header.y % 3);
  return format;
}

// What the samples of `stored` look like.
TileFormat as_rgb(const TileFormat& stored, bool straight) {
  TileFormat format = stored;
  format.color = Color::rgb;
  format.samples = 3;
  format.type = SampleType::u8;
  format.bits = 8;
  RgbForm form{stored, straight ? Alpha::straight : Alpha::associated};
  if (stored.bits <= 16) form.color_map.assign(size_t{3} << stored.bits, 0x1234);
  format.rgb_form = std::make_shared<const RgbForm>(std::move(form));
  return format;
}

// The stream as planes of about equal size.
std::vector<std::byte> cut_into_planes(std::span<const std::byte> stream, size_t planes) {
  std::vector<std::byte> packed(plane_bytes::head(planes));
  size_t left = stream.size();
  for (size_t plane = 0; plane < planes; ++plane) {
    const size_t size = left / (planes - plane);
    plane_bytes::write_size(packed, plane, size);
    left -= size;
  }
  packed.insert(packed.end(), stream.begin(), stream.end());
  return packed;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Header header;
  if (size < sizeof header + 1) return 0;
  std::memcpy(&header, data, sizeof header);
  TileFormat format = format_of(header);
  const std::span input(reinterpret_cast<const std::byte*>(data) + sizeof header + 1,
                        size - sizeof header - 1);
  const size_t tables_size = std::min<size_t>(data[sizeof header], input.size());
  format.tables.data = input.first(tables_size);
  // A copy of its own, so that reading past its end is seen.
  const std::span rest = input.subspan(tables_size);
  const std::vector<std::byte> stream =
      format.planar ? cut_into_planes(rest, format.samples) : std::vector(rest.begin(), rest.end());

  // Decoders live on between inputs, as they do between tiles.
  const bool rgb = (header.color_and_type & kRgb) != 0;
  static std::map<std::tuple<const Codec*, bool, bool>, std::unique_ptr<Decoder>> decoders;
  const Codec* codec = find_codec(format).value();
  auto& decoder = decoders[{codec, format.planar, rgb}];
  if (!decoder) {
    decoder = codec->make().value();
    if (format.planar) decoder = std::make_unique<PlanarDecoder>(std::move(decoder));
    if (rgb) decoder = std::make_unique<RgbDecoder>(std::move(decoder));
  }
  if (rgb) format = as_rgb(format, (header.color_and_type & kStraight) != 0);

  const int64_t x = header.x % format.size.w, y = header.y % format.size.h;
  const Rect region{x, y, format.size.w - x, format.size.h - y};
  ImageView view{nullptr, region.size(), 0, format.samples, format.type};
  const size_t row = view.row_bytes(), gap = header.stride_gap % 4;
  view.row_stride = static_cast<int64_t>(row + gap);
  std::vector<std::byte> pixels((row + gap) * static_cast<size_t>(view.size.h), std::byte{0xA5});
  view.data = pixels.data();
  // A part of the part besides it, which must get the same pixels.
  const Rect corner{region.w / 2, region.h / 2, region.w - region.w / 2, region.h - region.h / 2};
  ImageView again{nullptr, corner.size(), 0, format.samples, format.type};
  again.row_stride = static_cast<int64_t>(again.row_bytes());
  std::vector<std::byte> corner_pixels(again.row_bytes() * static_cast<size_t>(corner.h));
  again.data = corner_pixels.data();
  const TilePart parts[] = {{{x + corner.x, y + corner.y, corner.w, corner.h}, again}, {region, view}};
  const Status status = decoder->decode(stream, format, {parts});
  if (!status.ok()) {
    require(status.error().code != Errc::internal && status.error().code != Errc::invalid_argument);
    const bool wrapped = format.planar || rgb;  // which have errors of their own
    require(wrapped || status.error().message.starts_with(std::string(codec->name) + ": "));
  } else {
    const ImageView same = view.part(corner);
    for (int64_t line = 0; line < corner.h; ++line) {
      require(std::memcmp(same.row(line), again.row(line), again.row_bytes()) == 0);
    }
  }
  for (int64_t line = 0; line < view.size.h; ++line) {
    const std::byte* after = view.row(line) + row;
    require(std::all_of(after, after + gap, [](std::byte b) { return b == std::byte{0xA5}; }));
  }
  return 0;
}
