// The tiles of one read that are the same bytes in the file: decoded once, copied after that.
//
// Writers that store equal tiles once give several tiles one offset; others store the same bytes again and
// again. The table knows tiles that stand decoded in a destination by their length and a few of their bytes.
// Whether another one is its twin the caller finds out by comparing all: see Note [When two tiles are the
// same].
// Knows ranges of bytes and where pixels are; reads and decodes nothing. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "microtome/base/bytes.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"

namespace microtome {

class ByteSource;

class TwinTiles {
 public:
  /// A decoded tile. All that it points to lives as long as the read.
  struct Tile {
    const ByteSource* source = nullptr;
    const TileFormat* format = nullptr;
    ByteRange bytes;
    uint64_t sample = 0;  ///< sample_of() its bytes.
    Rect region;          ///< The part of it that was decoded …
    ImageView pixels;     ///< … and where it stands, unchanged until the read's end.
  };

  /// A few of the bytes: unequal for most tiles that are not twins, so that those are not read again.
  static uint64_t sample_of(std::span<const std::byte> packed) noexcept;

  /// A tile that may be the twin of this one and holds `region`.
  std::optional<Tile> find(std::span<const std::byte> packed, const TileFormat& format,
                           const Rect& region) const;

  /// After `tile` has been decoded.
  void note(const Tile& tile);

 private:
  // Twins meet in one slot; what else falls into it takes their place, and they are decoded once more.
  static constexpr size_t kSlots = 256;
  static size_t slot_of(uint64_t packed_bytes, uint64_t sample) noexcept {
    return static_cast<size_t>(((packed_bytes ^ sample) * 0x9E3779B97F4A7C15) >> 56);
  }

  mutable std::mutex mutex_;
  std::unique_ptr<std::array<Tile, kSlots>> tiles_;  // made with the first: 28 KB that small reads do without
};

}  // namespace microtome
