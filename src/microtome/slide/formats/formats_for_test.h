// What tests of formats ask of made slides.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "microtome/base/error_for_test.h"
#include "microtome/slide/slide.h"
#include "microtome/slide/tiff_for_test.h"

namespace microtome {

inline std::shared_ptr<const Slide> opened(const TestTiff& tiff, const OpenOptions& options = {}) {
  auto slide = Slide::open(tiff.source(), options);
  EXPECT_TRUE(slide.ok()) << slide.error().to_string();
  return slide.ok() ? *slide : nullptr;
}

inline std::string error_of(const TestTiff& tiff, const OpenOptions& options = {}) {
  return error_text(Slide::open(tiff.source(), options));
}

inline std::string sizes(const Slide& slide) {
  std::string text;
  for (const Level& level : slide.levels())
    text += std::to_string(level.size.w) + "x" + std::to_string(level.size.h) + " ";
  return text;
}

inline std::string property(const Slide& slide, const std::string& key) {
  const auto found = slide.properties().find(key);
  return found == slide.properties().end() ? "(none)" : found->second;
}

inline TestDirectory reduced(TestDirectory directory) {
  return directory.set(u32(tiff::tag::kNewSubfileType, {1}));
}

inline TestDirectory described(TestDirectory directory, std::string_view text) {
  return directory.set(ascii(tiff::tag::kImageDescription, text));
}

/// An image of one 8-bit sample, as the channels of fluorescence formats are. Its first tile's one byte is at
/// `offset` (which must lie in the file), so that channels can be told apart.
inline TestDirectory grey(Size size, Size tile, uint32_t offset = 8) {
  namespace tag = tiff::tag;
  TestDirectory directory = tiled(size, tile);
  const auto tiles = static_cast<size_t>(((size.w + tile.w - 1) / tile.w) * ((size.h + tile.h - 1) / tile.h));
  return directory.set(u16(tag::kBitsPerSample, {8}))
      .set(u16(tag::kSamplesPerPixel, {1}))
      .set(u16(tag::kPhotometric, {1}))
      .set(u32(tag::kTileOffsets, std::vector<uint32_t>(tiles, offset)));
}

/// Where the first tile's bytes are of each sample of an image.
inline std::string first_offsets(const Slide& slide, int image = 0) {
  std::vector<ByteRange> ranges(slide.image(image).format.samples);
  if (const Status found = slide.planes(image, 0, 0, ranges); !found.ok()) return found.error().to_string();
  std::string text;
  for (const ByteRange& range : ranges) text += std::to_string(range.offset) + " ";
  return text;
}

}  // namespace microtome
