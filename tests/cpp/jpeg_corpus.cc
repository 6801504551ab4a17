#include "jpeg_corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>

#include "microtome/io/byte_source.h"
#include "microtome/slide/slide.h"

namespace microtome::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxFile = uint64_t{1} << 28;  // of those that are searched for streams

bool of_this_share(int64_t number, int share, int shares) {
  return number % shares == share;
}

// Formats that the codec refuses without looking at a tile are nobody's to compare.
bool looked_at(const TileFormat& format) {
  return format.compression == Compression::jpeg && (format.samples == 1 || format.samples == 3) &&
         format.type == SampleType::u8 && !format.planar;
}

void tiles_of_slide(const Slide& slide, int share, int shares, const EachTile& each) {
  int64_t number = 0;
  std::vector<std::byte> packed;
  for (int image = 0; image < slide.image_count(); ++image) {
    const TileGrid& grid = slide.image(image);
    if (!looked_at(grid.format)) continue;
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

// The size and components that a stream's frame header claims; a guess where there is none, for the verdict.
TileFormat format_of_stream(std::span<const std::byte> stream) {
  const auto at = [&](size_t i) { return i < stream.size() ? std::to_integer<int>(stream[i]) : 0; };
  TileFormat format;
  format.compression = Compression::jpeg;
  format.color = Color::ycbcr;
  format.bits = 8;
  format.size = {64, 64};
  for (size_t i = 2; i + 10 < stream.size() && at(i) == 0xFF;) {
    const int marker = at(i + 1);
    if (marker == 0xFF) {
      ++i;
      continue;
    }
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      format.size = {std::max(at(i + 7) << 8 | at(i + 8), 1), std::max(at(i + 5) << 8 | at(i + 6), 1)};
      format.samples = at(i + 9) == 1 ? 1 : 3;
      if (format.samples == 1) format.color = Color::black_is_zero;
      break;
    }
    i += 2 + static_cast<size_t>(at(i + 2) << 8 | at(i + 3));
  }
  return format;
}

void streams_in(const ByteSource& source, int share, int shares, const EachTile& each) {
  if (source.size() > kMaxFile) return;
  std::vector<std::byte> bytes(source.size());
  if (!source.read_at(0, bytes).ok()) return;
  const std::byte start[] = {std::byte{0xFF}, std::byte{0xD8}, std::byte{0xFF}};
  auto from = std::search(bytes.begin(), bytes.end(), std::begin(start), std::end(start));
  for (int64_t number = 0; from != bytes.end(); ++number) {
    const auto next = std::search(from + 1, bytes.end(), std::begin(start), std::end(start));
    if (of_this_share(number, share, shares)) {
      const std::span stream(from, next);
      each(stream, format_of_stream(stream), fmt::format("{} at {}", source.name(), from - bytes.begin()));
    }
    from = next;
  }
}

}  // namespace

void each_jpeg_tile(const fs::path& file, int share, int shares, const EachTile& each) {
  const auto source = open_file(file.string());
  if (!source.ok()) return;
  const auto slide = Slide::open(*source);
  if (slide.ok()) {
    tiles_of_slide(**slide, share, shares, each);
  } else {
    streams_in(**source, share, shares, each);
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
