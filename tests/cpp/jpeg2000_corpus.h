// Every JPEG 2000 tile of real files, for the proof program.
#pragma once

#include <filesystem>

#include "jpeg_corpus.h"

namespace microtome::test {

/// Calls `each` for the tiles of `file` whose number is `share` modulo `shares`: those of a slide's images;
/// in a file that is no slide, each stream that begins with a codestream's markers, up to the next. `name`
/// says which it is.
void each_jpeg2000_tile(const std::filesystem::path& file, int share, int shares, const EachTile& each);

}  // namespace microtome::test
