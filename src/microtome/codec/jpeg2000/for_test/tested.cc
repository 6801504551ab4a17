#include "microtome/codec/jpeg2000/for_test/tested.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "microtome/codec/jpeg2000/for_test/damage.h"
#include "microtome/codec/jpeg2000/for_test/random_stream.h"
#include "microtome/codec/jpeg2000/header.h"
#include "microtome/codec/jpeg2000/library.h"
#include "microtome/codec/jpeg2000/tile.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg2000::test {
namespace {

using microtome::test::Answer;
using microtome::test::codec_and_own;
using microtome::test::NamedSubject;
using microtome::test::RandomTile;
using microtome::test::Subject;

// Two bits for the number of components, and two more: bytes, YCbCr or signed ones, 16 bits, those signed.
constexpr uint8_t kComponents = 3, kYcbcrOrSigned = 4, kWide = 8;

bool is_signed(SampleType type) {
  return type == SampleType::i8 || type == SampleType::i16;
}

// Our own decoder alone: what it declines is seen, rather than decoded by the library after all.
Subject own(std::string_view target) {
  return [own = std::make_shared<TileDecoder>(), target](std::span<const std::byte> packed,
                                                         const TileFormat& tile, const Want& want) {
    const simd::TargetForTest use(target);
    const auto stream = find_codestream(packed);
    const bool decoded = stream.ok() && !stream->has_channel_boxes &&
                         own->decode(stream->codestream, tile, is_ycbcr(tile), want);
    return Answer{.declined = !decoded};
  };
}

class Tested final : public microtome::test::TestedCodec {
 public:
  std::string_view name() const override { return "jpeg2000"; }
  std::string_view library() const override { return "OpenJPEG"; }

  Subject judge() const override {
    return [library = std::make_shared<LibraryDecoder>()](std::span<const std::byte> packed,
                                                          const TileFormat& tile, const Want& want) {
      return Answer{.status = library->decode(packed, tile, is_ycbcr(tile), want)};
    };
  }

  std::vector<NamedSubject> subjects() const override {
    return codec_and_own(Compression::jpeg2000, "jpeg2000: ", own);
  }

  int tolerance(const TileFormat& format) const override { return test::tolerance(false, format); }
  int most_reduced() const override { return 3; }
  int usual_side() const override { return 300; }

  RandomTile random_tile(uint64_t seed, int max_side) const override {
    RandomStream stream = random_stream(seed, max_side);
    const int apart = test::tolerance(stream.reversible, stream.format);
    return {stream.format, std::move(stream.packed), std::move(stream.description), apart};
  }

  void damage(std::vector<std::byte>& stream, Random& random) const override { test::damage(stream, random); }
  void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other,
              Random& random) const override {
    test::splice(stream, other, random);
  }

  bool looks_at(const TileFormat& format) const override {
    const bool jpeg2000 = format.compression == Compression::jpeg2000 ||
                          format.compression == Compression::aperio_jpeg2000_ycbcr ||
                          format.compression == Compression::aperio_jpeg2000_rgb;
    const bool integers = format.type == SampleType::u8 || format.type == SampleType::u16 ||
                          format.type == SampleType::i8 || format.type == SampleType::i16;
    return jpeg2000 && integers && !format.planar;
  }

  std::span<const std::byte> beginning() const override {
    static constexpr std::byte kStart[] = {std::byte{0xFF}, std::byte{0x4F}, std::byte{0xFF},
                                           std::byte{0x51}};
    return kStart;
  }

  // What its SIZ says.
  TileFormat claimed_format(std::span<const std::byte> stream) const override {
    const auto header = read_header(stream);
    if (!header.ok() || header->components.size() > kComponents + 1) return format_of(0, {64, 64}, {});
    const Size size{header->x1 - header->x0, header->y1 - header->y0};
    if (std::max(size.w, size.h) > 1 << 13) return format_of(0, {64, 64}, {});
    unsigned bits = static_cast<unsigned>(header->components.size() - 1);
    for (const HeaderComponent& c : header->components) bits |= c.bits > 8 ? kWide : 0;
    const bool has_sign = header->components[0].is_signed && (bits != kComponents - 1);
    return format_of(static_cast<uint8_t>(bits | (has_sign ? kYcbcrOrSigned : 0)), size, {});
  }

  TileFormat format_of(uint8_t bits, Size size, std::span<const std::byte>) const override {
    TileFormat format;
    format.compression = Compression::jpeg2000;
    format.size = size;
    const bool wide = (bits & kWide) != 0, other = (bits & kYcbcrOrSigned) != 0;
    format.bits = wide ? 16 : 8;
    format.samples = static_cast<uint16_t>((bits & kComponents) + 1);
    const bool ycbcr = other && format.samples == 3 && !wide;
    format.type = wide ? (other ? SampleType::i16 : SampleType::u16)
                       : (other && !ycbcr ? SampleType::i8 : SampleType::u8);
    format.color = ycbcr ? Color::ycbcr : format.samples >= 3 ? Color::rgb : Color::black_is_zero;
    return format;
  }

  // Three signed bytes have no bits of their own: those of YCbCr.
  uint8_t bits_of(const TileFormat& format) const override {
    const bool other = is_ycbcr(format) || is_signed(format.type);
    return static_cast<uint8_t>((format.samples - 1) | (other ? kYcbcrOrSigned : 0) |
                                (format.bits > 8 ? kWide : 0));
  }
};

}  // namespace

bool is_ycbcr(const TileFormat& format) {
  return format.compression == Compression::aperio_jpeg2000_ycbcr ||
         (format.compression == Compression::jpeg2000 && format.color == Color::ycbcr);
}

int tolerance(bool reversible, const TileFormat& format) {
  constexpr int kIrreversible = 1, kConverted = 3;
  if (reversible) return 0;
  return is_ycbcr(format) ? kConverted : kIrreversible;
}

const microtome::test::TestedCodec& tested() {
  static const Tested codec;
  return codec;
}

}  // namespace microtome::jpeg2000::test
