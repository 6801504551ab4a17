#include "tiles_of_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "microtome/io/byte_source.h"
#include "microtome/slide/slide.h"

namespace microtome::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxFile = uint64_t{1} << 28;  // of those that are searched for streams

bool of_this_share(int64_t number, int share, int shares) {
  return number % shares == share;
}

void tiles_of_slide(const TestedCodec& codec, const Slide& slide, int share, int shares,
                    const EachTile& each) {
  int64_t number = 0;
  std::vector<std::byte> packed;
  for (int image = 0; image < slide.image_count(); ++image) {
    const TileGrid& grid = slide.image(image);
    // Formats that the codec refuses without looking at a tile are nobody's to compare.
    if (!codec.looks_at(grid.format)) continue;
    for (int64_t row = 0; row < grid.rows; ++row) {
      for (int64_t col = 0; col < grid.cols; ++col) {
        if (!of_this_share(number++, share, shares)) continue;
        const auto ref = slide.tile(image, col, row);
        if (!ref.ok() || !*ref || (*ref)->bytes.size > kMaxFile) continue;
        packed.resize((*ref)->bytes.size);
        if (!slide.source().read_at((*ref)->bytes.offset, packed).ok()) continue;
        each(packed, *(*ref)->format,
             fmt::format("{} {} tile {},{}", slide.name(), slide.image_name(image), col, row));
      }
    }
  }
}

void streams_in(const TestedCodec& codec, const ByteSource& source, int share, int shares,
                const EachTile& each) {
  if (source.size() > kMaxFile) return;
  std::vector<std::byte> bytes(source.size());
  if (!source.read_at(0, bytes).ok()) return;
  const auto next_stream = [&](auto from) {
    return std::search(from, bytes.end(), codec.beginning().begin(), codec.beginning().end());
  };
  auto from = next_stream(bytes.begin());
  for (int64_t number = 0; from != bytes.end(); ++number) {
    const auto next = next_stream(from + 1);
    if (of_this_share(number, share, shares)) {
      const std::span stream(from, next);
      each(stream, codec.claimed_format(stream),
           fmt::format("{} at {}", source.name(), from - bytes.begin()));
    }
    from = next;
  }
}

}  // namespace

void each_tile(const TestedCodec& codec, const fs::path& file, int share, int shares, const EachTile& each) {
  const auto source = open_file(file.string());
  if (!source.ok()) return;
  const auto slide = Slide::open(*source);
  if (slide.ok()) {
    tiles_of_slide(codec, **slide, share, shares, each);
  } else {
    streams_in(codec, **source, share, shares, each);
  }
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::is_regular_file(folder)) files.push_back(folder);
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace microtome::test
