// A scan's bytes as its encoder's bits were, before stuffing and markers were put between them.
//
// Called by the tile decoder between headers and entropy decoding. Not thread-safe: one Unstuffer per
// decoder.
//
// Note [What ends a scan]
// The end marker, whatever follows it; or, as for the library, the end of the tile. Before it only stuffed
// bytes and the restart markers that belong there may stand. All else (another marker, fill bytes, a restart
// marker too many, too few or out of turn, half a marker at the end) is declined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace microtome::jpeg {

/// Bytes behind a scan that may be read too, so that the entropy decoder looks at its position once in a
/// while only. The first 64 are 0; the others have any value.
inline constexpr size_t kScanPadding = 10240;

struct ScanBytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
  std::span<const uint32_t> ends;  ///< Where each segment between restart markers ends; the last: `size`.
};

class Unstuffer {
 public:
  /// The bytes of `scan` (Frame::scan), which must have `segments` segments: 1 and the restart markers
  /// between them. Null: declined, for want of memory too. Valid until the next call.
  const ScanBytes* run(std::span<const std::byte> scan, size_t segments);

 private:
  std::unique_ptr<uint8_t[]> buffer_;
  size_t capacity_ = 0;
  std::vector<uint32_t> ends_;
  ScanBytes bytes_;
};

}  // namespace microtome::jpeg
