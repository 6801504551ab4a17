#include "jpeg2000_corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "microtome/codec/jpeg2000/header.h"
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
  const bool jpeg2000 = format.compression == Compression::jpeg2000 ||
                        format.compression == Compression::aperio_jpeg2000_ycbcr ||
                        format.compression == Compression::aperio_jpeg2000_rgb;
  return jpeg2000 && format.type == SampleType::u8 && !format.planar;
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

// The size and components that a stream's SIZ claims, so that most streams are decoded.
TileFormat format_of_stream(std::span<const std::byte> stream) {
  TileFormat format;
  format.compression = Compression::jpeg2000;
  format.color = Color::black_is_zero;
  format.bits = 8;
  format.size = {64, 64};
  const auto header = jpeg2000::read_header(stream);
  if (!header.ok() || header->components.size() > 8) return format;
  const int64_t w = header->x1 - header->x0, h = header->y1 - header->y0;
  if (std::max(w, h) > 1 << 13) return format;
  format.size = {w, h};
  format.samples = static_cast<uint16_t>(header->components.size());
  if (format.samples == 3) format.color = Color::rgb;
  return format;
}

void streams_in(const ByteSource& source, int share, int shares, const EachTile& each) {
  if (source.size() > kMaxFile) return;
  std::vector<std::byte> bytes(source.size());
  if (!source.read_at(0, bytes).ok()) return;
  const std::byte start[] = {std::byte{0xFF}, std::byte{0x4F}, std::byte{0xFF}, std::byte{0x51}};
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

void each_jpeg2000_tile(const fs::path& file, int share, int shares, const EachTile& each) {
  const auto source = open_file(file.string());
  if (!source.ok()) return;
  const auto slide = Slide::open(*source);
  if (slide.ok()) {
    tiles_of_slide(**slide, share, shares, each);
  } else {
    streams_in(**source, share, shares, each);
  }
}

}  // namespace microtome::test
