#include "microtome/codec/jpeg/for_test/tested.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "microtome/codec/jpeg/for_test/damage.h"
#include "microtome/codec/jpeg/for_test/random_stream.h"
#include "microtome/codec/jpeg/library.h"
#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tile.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg::test {
namespace {

using microtome::test::Answer;
using microtome::test::codec_and_own;
using microtome::test::NamedSubject;
using microtome::test::RandomTile;
using microtome::test::Subject;

constexpr uint8_t kGrey = 1, kOtherColor = 2;

struct Own {
  Headers headers;
  TileDecoder tiles;
};

// Our own decoder alone: what it declines is seen, rather than decoded by the library after all.
Subject own(std::string_view target) {
  return [own = std::make_shared<Own>(), target](std::span<const std::byte> packed, const TileFormat& tile,
                                                 const Want& want) {
    const simd::TargetForTest use(target);
    const Frame* frame = own->headers.read(packed, tile.tables.data);
    const bool fits = frame != nullptr && frame->components == tile.samples && frame->size.w >= tile.size.w &&
                      frame->size.h >= tile.size.h;
    const bool decoded = fits && own->tiles.decode(*frame, tile.color == Color::ycbcr, want);
    return Answer{.declined = !decoded};
  };
}

class Tested final : public microtome::test::TestedCodec {
 public:
  std::string_view name() const override { return "jpeg"; }
  std::string_view library() const override { return "libjpeg-turbo"; }

  Subject judge() const override {
    return [library = std::make_shared<LibraryDecoder>()](std::span<const std::byte> packed,
                                                          const TileFormat& tile, const Want& want) {
      return Answer{.status = library->decode(packed, tile, want)};
    };
  }

  std::vector<NamedSubject> subjects() const override {
    return codec_and_own(Compression::jpeg, "jpeg: ", own);
  }

  int tolerance(const TileFormat&) const override { return 0; }
  int most_reduced() const override { return 3; }
  int usual_side() const override { return 600; }

  RandomTile random_tile(uint64_t seed, int max_side) const override {
    RandomStream stream = random_stream(seed, max_side);
    return {stream.format, std::move(stream.packed), std::move(stream.description), 0};
  }

  void damage(std::vector<std::byte>& stream, Random& random) const override { test::damage(stream, random); }
  void splice(std::vector<std::byte>& stream, const std::vector<std::byte>& other,
              Random& random) const override {
    test::splice(stream, other, random);
  }

  bool looks_at(const TileFormat& format) const override {
    return format.compression == Compression::jpeg && (format.samples == 1 || format.samples == 3) &&
           format.type == SampleType::u8 && !format.planar;
  }

  std::span<const std::byte> beginning() const override {
    static constexpr std::byte kStart[] = {std::byte{0xFF}, std::byte{0xD8}, std::byte{0xFF}};
    return kStart;
  }

  // What its frame header says.
  TileFormat claimed_format(std::span<const std::byte> stream) const override {
    const auto at = [&](size_t i) { return i < stream.size() ? std::to_integer<int>(stream[i]) : 0; };
    Size size{64, 64};
    bool grey = false;
    for (size_t i = 2; i + 10 < stream.size() && at(i) == 0xFF;) {
      const int marker = at(i + 1);
      if (marker == 0xFF) {
        ++i;
        continue;
      }
      if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
        size = {std::max(at(i + 7) << 8 | at(i + 8), 1), std::max(at(i + 5) << 8 | at(i + 6), 1)};
        grey = at(i + 9) == 1;
        break;
      }
      i += 2 + static_cast<size_t>(at(i + 2) << 8 | at(i + 3));
    }
    return format_of(grey ? kGrey : 0, size, {});
  }

  TileFormat format_of(uint8_t bits, Size size, std::span<const std::byte> tables) const override {
    TileFormat format;
    format.compression = Compression::jpeg;
    format.size = size;
    format.bits = 8;
    const bool grey = (bits & kGrey) != 0, other = (bits & kOtherColor) != 0;
    format.samples = grey ? 1 : 3;
    format.color = grey    ? (other ? Color::white_is_zero : Color::black_is_zero)
                   : other ? Color::rgb
                           : Color::ycbcr;
    format.tables.data = tables;
    return format;
  }

  uint8_t bits_of(const TileFormat& format) const override {
    const bool other = format.color == Color::rgb || format.color == Color::white_is_zero;
    return static_cast<uint8_t>((format.samples == 1 ? kGrey : 0) | (other ? kOtherColor : 0));
  }
};

}  // namespace

const microtome::test::TestedCodec& tested() {
  static const Tested codec;
  return codec;
}

}  // namespace microtome::jpeg::test
