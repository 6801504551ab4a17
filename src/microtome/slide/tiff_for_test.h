// Images as TIFF directories, for tests: right ones, to be changed into whatever nonsense a test is about.
//
//   TestTiff tiff;
//   tiff.directory(tiled({512, 512}, {256, 256})).set(ascii(270, "Aperio ..."));
//   auto source = tiff.source();
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/geometry.h"
#include "microtome/io/byte_source.h"
#include "microtome/tiff/directory.h"
#include "microtome/tiff/tiff_builder_for_test.h"

namespace microtome {

template <class T>
tiff::Field field(uint16_t tag, tiff::Type type, const std::vector<T>& values) {
  return tiff::TiffBuilder().field(tag, static_cast<uint16_t>(type), values);
}
inline tiff::Field u16(uint16_t tag, const std::vector<uint16_t>& values) {
  return field(tag, tiff::Type::u16, values);
}
inline tiff::Field u32(uint16_t tag, const std::vector<uint32_t>& values) {
  return field(tag, tiff::Type::u32, values);
}
inline tiff::Field rational(uint16_t tag, uint32_t numerator, uint32_t denominator) {
  tiff::Field made = field(tag, tiff::Type::rational, std::vector{numerator, denominator});
  made.count = 1;
  return made;
}
/// With its closing NUL.
inline tiff::Field ascii(uint16_t tag, std::string_view text) {
  return tiff::TiffBuilder::text(tag, std::string(text) + '\0');
}
inline tiff::Field undefined(uint16_t tag, std::string bytes) {
  const uint64_t count = bytes.size();
  return {tag, static_cast<uint16_t>(tiff::Type::undefined), count, std::move(bytes)};
}

class TestDirectory {
 public:
  /// Replaces the tag, or adds it.
  TestDirectory& set(tiff::Field tag) {
    remove(tag.tag);
    tags.push_back(std::move(tag));
    return *this;
  }
  TestDirectory& remove(uint16_t tag) {
    tags.erase(std::remove_if(tags.begin(), tags.end(), [tag](const tiff::Field& t) { return t.tag == tag; }),
               tags.end());
    return *this;
  }

  std::vector<tiff::Field> tags;
  std::deque<TestDirectory> subs;  ///< SubIFDs; references to them stay valid.
};

/// An 8-bit RGB image in uncompressed tiles, which all lie at offset 8 and are one byte long.
inline TestDirectory tiled(Size size, Size tile) {
  const auto tiles = static_cast<size_t>(((size.w + tile.w - 1) / tile.w) * ((size.h + tile.h - 1) / tile.h));
  namespace tag = tiff::tag;
  TestDirectory directory;
  directory.tags = {u32(tag::kImageWidth, {static_cast<uint32_t>(size.w)}),
                    u32(tag::kImageLength, {static_cast<uint32_t>(size.h)}),
                    u16(tag::kBitsPerSample, {8, 8, 8}),
                    u16(tag::kCompression, {1}),
                    u16(tag::kPhotometric, {2}),
                    u16(tag::kSamplesPerPixel, {3}),
                    u32(tag::kTileWidth, {static_cast<uint32_t>(tile.w)}),
                    u32(tag::kTileLength, {static_cast<uint32_t>(tile.h)}),
                    u32(tag::kTileOffsets, std::vector<uint32_t>(tiles, 8)),
                    u32(tag::kTileByteCounts, std::vector<uint32_t>(tiles, 1))};
  return directory;
}

/// The same in strips.
inline TestDirectory stripped(Size size, int64_t rows_per_strip) {
  TestDirectory directory = tiled(size, {size.w, rows_per_strip});
  namespace tag = tiff::tag;
  const auto strips = static_cast<size_t>((size.h + rows_per_strip - 1) / rows_per_strip);
  for (const uint16_t t : {tag::kTileWidth, tag::kTileLength, tag::kTileOffsets, tag::kTileByteCounts})
    directory.remove(t);
  return directory.set(u32(tag::kRowsPerStrip, {static_cast<uint32_t>(rows_per_strip)}))
      .set(u32(tag::kStripOffsets, std::vector<uint32_t>(strips, 8)))
      .set(u32(tag::kStripByteCounts, std::vector<uint32_t>(strips, 1)));
}

/// A classic little-endian TIFF: header, 8 bytes of "tiles" at offset 8, then the directories.
class TestTiff {
 public:
  /// Adds to the chain; the reference stays valid.
  TestDirectory& directory(TestDirectory directory) {
    return directories_.emplace_back(std::move(directory));
  }

  std::string build() const {
    tiff::TiffBuilder builder;
    builder.append("tiledata");
    for (const TestDirectory& directory : directories_) append(builder, directory, true);
    return builder.str();
  }

  std::shared_ptr<const ByteSource> source() const { return tiff::TiffBuilder::source_of(build()); }

 private:
  static uint32_t append(tiff::TiffBuilder& builder, const TestDirectory& directory, bool link) {
    std::vector<tiff::Field> fields = directory.tags;
    std::vector<uint32_t> subs;
    for (const TestDirectory& sub : directory.subs) subs.push_back(append(builder, sub, false));
    if (!subs.empty()) fields.push_back(u32(tiff::tag::kSubIfds, subs));
    return static_cast<uint32_t>(builder.directory(fields, link));
  }

  std::deque<TestDirectory> directories_;
};

}  // namespace microtome
