#include "microtome/codec/jpeg2000/for_test/subjects.h"

#include <memory>
#include <string_view>
#include <utility>

#include "microtome/codec/jpeg2000/header.h"
#include "microtome/codec/jpeg2000/tile.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg2000::test {
namespace {

using jpeg::test::Answer;

// Its errors say which codec they are from; the library's own do not.
Subject codec() {
  TileFormat format;
  format.compression = Compression::jpeg2000;
  const std::shared_ptr<Decoder> decoder = find_codec(format).value()->make().value();
  return [decoder](std::span<const std::byte> packed, const TileFormat& tile, const Want& want) {
    Status status = decoder->decode(packed, tile, want);
    if (status.ok()) return Answer{.unseen = true};
    constexpr std::string_view kPrefix = "jpeg2000: ";
    Error error = status.error();
    if (error.message.starts_with(kPrefix)) error.message.erase(0, kPrefix.size());
    return Answer{.status = std::move(error)};
  };
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

}  // namespace

std::vector<NamedSubject> subjects() {
  std::vector<NamedSubject> all{{"codec", codec()}};
  for (const std::string_view target : simd::target_choice().available) {
    all.push_back({std::string(target), own(target)});
  }
  return all;
}

}  // namespace microtome::jpeg2000::test
