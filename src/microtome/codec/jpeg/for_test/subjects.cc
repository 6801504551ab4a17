#include "microtome/codec/jpeg/for_test/subjects.h"

#include <memory>
#include <string_view>
#include <utility>

#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tile.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg::test {
namespace {

// Its errors say which codec they are from; the library's own do not.
Subject codec() {
  TileFormat format;
  format.compression = Compression::jpeg;
  const std::shared_ptr<Decoder> decoder = find_codec(format).value()->make().value();
  return [decoder](std::span<const std::byte> packed, const TileFormat& tile, const Want& want) {
    Status status = decoder->decode(packed, tile, want);
    if (status.ok()) return Answer{.unseen = true};
    constexpr std::string_view kPrefix = "jpeg: ";
    Error error = status.error();
    if (error.message.starts_with(kPrefix)) error.message.erase(0, kPrefix.size());
    return Answer{.status = std::move(error)};
  };
}

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

}  // namespace

std::vector<NamedSubject> subjects() {
  std::vector<NamedSubject> all{{"codec", codec()}};
  for (const std::string_view target : simd::target_choice().available) {
    all.push_back({std::string(target), own(target)});
  }
  return all;
}

}  // namespace microtome::jpeg::test
