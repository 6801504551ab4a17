// Tiles that are coded alike, joined into one tall stream without decoding them: for decoders that take one
// large picture sooner than many small ones.
//
// Called by read/gpu for NVIDIA's decoder. Knows frames and bytes. Not thread-safe.
//
// Note [Joining tiles]
// Restart markers between the scans of tiles of one width make one scan of them: each ends on a byte
// boundary, a marker resets the predictors, and the MCUs of a tile as wide as the picture are one run of it.
// So a tile's height has to be a whole number of MCUs, and its own restart interval, if it has one, to divide
// its MCUs; otherwise the interval is the tile's MCUs. A decoder that upsamples chroma does so across the
// seams: what is taken from such a stream is planes. Source: ITU-T T.81 B.2.4.4, E.1.4, F.2.1.3.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "microtome/codec/jpeg/frame.h"

namespace microtome::jpeg {

/// The bytes of the frame's entropy-coded data in front of the end marker. Nothing, where that marker is
/// missing, or a marker stands there that has no place, or a restart marker is missing: what is wrong inside
/// of them only decoding tells.
std::optional<size_t> checked_scan_bytes(const Frame& frame);

/// Whether a tile of this frame can be joined with others like it.
bool is_joinable(const Frame& frame) noexcept;

/// Whether the two differ in their entropy-coded data alone.
bool are_alike(const Frame& a, const Frame& b) noexcept;

/// Where things stand in a tall stream.
struct TallParts {
  size_t header_bytes = 0, height_at = 0;
  size_t interval_at = 0;  ///< Of the segment that says the restart interval; 0: there is none.
  uint32_t tile_height = 0;
  bool own_restarts = false;                     ///< The tiles have restart markers without being joined.
  std::vector<std::pair<size_t, size_t>> scans;  ///< Begin and end of each tile's entropy-coded data.
};

/// Tile `number` of a tall stream, as a stream of its own.
std::vector<std::byte> one_of(std::span<const std::byte> tall, const TallParts& parts, size_t number);

/// One stream being written to memory that is given. Markers that say nothing of the picture are left out.
class TallStream {
 public:
  static constexpr uint32_t kMostHeight = 65500;  ///< What libjpeg takes; T.81 has 65535.

  /// Begins with the headers of a frame. `joins`: several tiles may come, of frames that are joinable and
  /// alike. False: no room.
  bool begin(const Frame& frame, bool joins, std::span<std::byte> room);
  /// The room is larger than it was, at the same place.
  void widen(std::span<std::byte> room) noexcept { room_ = room; }

  /// The tile's entropy-coded data, of `scan_bytes`. False: no room, or as high as a picture can be; nothing
  /// was added.
  bool add(const Frame& frame, size_t scan_bytes);

  uint32_t tiles() const noexcept { return static_cast<uint32_t>(parts_.scans.size()); }

  /// All of it. At least one tile was added; there is room for the end.
  std::span<const std::byte> end();
  /// What it was made of.
  TallParts take_parts() noexcept { return std::move(parts_); }

 private:
  bool put(std::span<const std::byte> bytes) noexcept;

  std::span<std::byte> room_;
  size_t size_ = 0;
  uint32_t restarts_ = 0;
  TallParts parts_;
};

}  // namespace microtome::jpeg
