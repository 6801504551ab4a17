// Packed tiles that are known to be one colour throughout: blank glass, which fills most of many slides.
//
// A worker's memory, across reads and slides: bytes of a tile → its colour. A scanner's blank tiles are often
// the same few hundred bytes, thousands of times; the first is decoded and the others are filled, at the
// speed of memory. Knows bytes, formats and pixels; nothing of slides or files. Not thread-safe.
//
// Note [When two tiles are the same]
// Decoders are pure: equal bytes in an equal format give equal pixels. So bytes are compared whole, never a
// hash alone, and formats by content, since a format's address may be another slide's by now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/codec/codec.h"

namespace microtome {

/// Whether a tile of either format would be decoded to the same pixels.
bool same_encoding(const TileFormat& a, const TileFormat& b) noexcept;

class ConstantTiles {
 public:
  static constexpr size_t kMaxEntries = 16;
  /// A tile of more bytes than this is never looked up nor kept: glass packs to far less.
  static constexpr size_t kMaxPackedBytes = 32u << 10;

  /// The one pixel that all of `region` of the tile is; empty where that is not known. Valid until note().
  std::span<const std::byte> find(std::span<const std::byte> packed, const TileFormat& format,
                                  const Rect& region) noexcept;

  /// Keeps a tile whose `parts` have just been decoded, if they are one colour and leave no gap between them,
  /// in the place of the one that was not asked for the longest. Throws std::bad_alloc only.
  void note(std::span<const std::byte> packed, const TileFormat& format, std::span<const TilePart> parts);

  size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::vector<std::byte> packed, tables;
    TileFormat format;  // its tables are empty: they may belong to a slide that is gone
    Rect region;
    std::vector<std::byte> pixel;
    uint64_t last_used = 0;
  };
  Entry* entry_of(std::span<const std::byte> packed, const TileFormat& format) noexcept;

  std::vector<Entry> entries_;
  uint64_t now_ = 0;
};

}  // namespace microtome
