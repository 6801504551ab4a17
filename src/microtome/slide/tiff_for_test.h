// Makes small TIFFs in memory, for tests: tags as given, in file order, whatever nonsense they are.
//
//   TestTiff tiff;
//   tiff.directory(tiled({512, 512}, {256, 256})).set(ascii(270, "Aperio ..."));
//   auto source = tiff.source();
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/geometry.h"
#include "microtome/io/byte_source.h"
#include "microtome/tiff/directory.h"

namespace microtome {

struct TestTag {
  uint16_t tag = 0;
  tiff::Type type = tiff::Type::u16;
  uint32_t count = 0;
  std::string bytes;  ///< Little-endian.
};

template <class T>
std::string little_endian(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());  // tests run on such machines
  return bytes;
}

inline TestTag u16(uint16_t tag, std::vector<uint16_t> values) {
  return {tag, tiff::Type::u16, static_cast<uint32_t>(values.size()), little_endian(values)};
}
inline TestTag u32(uint16_t tag, std::vector<uint32_t> values) {
  return {tag, tiff::Type::u32, static_cast<uint32_t>(values.size()), little_endian(values)};
}
inline TestTag rational(uint16_t tag, uint32_t numerator, uint32_t denominator) {
  return {tag, tiff::Type::rational, 1, little_endian(std::vector{numerator, denominator})};
}
/// With its closing NUL.
inline TestTag ascii(uint16_t tag, std::string_view text) {
  return {tag, tiff::Type::ascii, static_cast<uint32_t>(text.size() + 1), std::string(text) + '\0'};
}
inline TestTag undefined(uint16_t tag, std::string bytes) {
  return {tag, tiff::Type::undefined, static_cast<uint32_t>(bytes.size()), std::move(bytes)};
}

class TestDirectory {
 public:
  /// Replaces the tag, or adds it.
  TestDirectory& set(TestTag tag) {
    remove(tag.tag);
    tags.push_back(std::move(tag));
    return *this;
  }
  TestDirectory& remove(uint16_t tag) {
    tags.erase(std::remove_if(tags.begin(), tags.end(), [tag](const TestTag& t) { return t.tag == tag; }),
               tags.end());
    return *this;
  }

  std::vector<TestTag> tags;
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
  TestDirectory& directory(TestDirectory directory) {
    return directories_.emplace_back(std::move(directory));
  }

  std::shared_ptr<const ByteSource> source() const {
    auto bytes = std::make_shared<const std::string>(build());
    return make_memory_source({std::as_bytes(std::span(*bytes)), bytes});
  }

  std::string build() const {
    std::string file("II*\0\0\0\0\0tiledata", 16);
    std::vector<uint32_t> offsets;
    for (const TestDirectory& directory : directories_) offsets.push_back(append(file, directory));
    size_t link = 4;
    for (size_t i = 0; i < offsets.size(); ++i) {
      put(file, link, offsets[i]);
      link = offsets[i] + 2 + 12 * entries(directories_[i]);
    }
    return file;
  }

 private:
  static size_t entries(const TestDirectory& directory) {
    return directory.tags.size() + (directory.subs.empty() ? 0 : 1);
  }

  template <class T>
  static void put(std::string& file, size_t at, T value) {
    std::memcpy(file.data() + at, &value, sizeof value);
  }

  /// Appends SubIFDs, values and the directory itself, whose offset it returns.
  static uint32_t append(std::string& file, const TestDirectory& directory) {
    std::vector<TestTag> tags = directory.tags;
    if (!directory.subs.empty()) {
      std::vector<uint32_t> offsets;
      for (const TestDirectory& sub : directory.subs) offsets.push_back(append(file, sub));
      tags.push_back(u32(tiff::tag::kSubIfds, offsets));
    }
    std::string block(2, '\0');
    put(block, 0, static_cast<uint16_t>(tags.size()));
    for (const TestTag& tag : tags) {
      const size_t at = block.size();
      block.resize(at + 12);
      put(block, at, tag.tag);
      put(block, at + 2, static_cast<uint16_t>(tag.type));
      put(block, at + 4, tag.count);
      if (tag.bytes.size() <= 4) {
        std::memcpy(block.data() + at + 8, tag.bytes.data(), tag.bytes.size());
      } else {
        put(block, at + 8, static_cast<uint32_t>(file.size()));
        file += tag.bytes;
        file.resize((file.size() + 1) & ~size_t{1});
      }
    }
    const auto offset = static_cast<uint32_t>(file.size());
    file += block + std::string(4, '\0');
    file.resize((file.size() + 1) & ~size_t{1});
    return offset;
  }

  std::deque<TestDirectory> directories_;
};

}  // namespace microtome
