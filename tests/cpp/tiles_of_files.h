// Every tile of a codec in real files, for the proof program.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "microtome/base/pixels.h"
#include "microtome/codec/for_test/tested.h"

namespace microtome::test {

/// Calls `each` for the tiles of `file` whose number is `share` modulo `shares`: those of a slide's images;
/// in a file that is no slide, each stream that begins as the codec's do, up to the next. `name` says which
/// it is.
using EachTile =
    std::function<void(std::span<const std::byte> packed, const TileFormat& format, const std::string& name)>;
void each_tile(const TestedCodec& codec, const std::filesystem::path& file, int share, int shares,
               const EachTile& each);

/// Regular files below `folder`, sorted; `folder` itself where it is a file.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

}  // namespace microtome::test
