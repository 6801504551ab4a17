#include "microtome/codec/for_test/tested.h"

#include <memory>
#include <utility>

#include "microtome/simd/targets.h"

namespace microtome::test {
namespace {

Subject codec_subject(Compression compression, std::string_view prefix) {
  TileFormat format;
  format.compression = compression;
  const std::shared_ptr<Decoder> decoder = find_codec(format).value()->make().value();
  return [decoder, prefix](std::span<const std::byte> packed, const TileFormat& tile, const Want& want) {
    Status status = decoder->decode(packed, tile, want);
    if (status.ok()) return Answer{.unseen = true};
    Error error = status.error();
    if (error.message.starts_with(prefix)) error.message.erase(0, prefix.size());
    return Answer{.status = std::move(error)};
  };
}

}  // namespace

std::vector<NamedSubject> codec_and_own(Compression compression, std::string_view prefix,
                                        Subject (*own)(std::string_view target)) {
  std::vector<NamedSubject> all{{"codec", codec_subject(compression, prefix)}};
  for (const std::string_view target : simd::target_choice().available) {
    all.push_back({std::string(target), own(target)});
  }
  return all;
}

}  // namespace microtome::test
