// JPEG tiles as pictures for a device's decoder: whole streams, and tall ones of tiles that are coded alike.
//
// Used by the decoders of nvJPEG, on the executor's threads. Knows a list's jobs and their pinned memory. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "microtome/codec/jpeg/markers.h"
#include "microtome/codec/jpeg/tall.h"
#include "microtome/read/gpu/stream_decoder.h"

namespace microtome::gpu {

/// Whether tiles of this format may be such pictures.
bool is_jpeg_for_device(const TileFormat& format) noexcept;

struct TallLimits {
  size_t most_tiles = 1;         ///< Of one picture.
  uint32_t most_height = 16000;  ///< What decoding engines take.
};

class JpegPacker final : public Packer {
 public:
  /// `list`, `pictures`  unowned: the caller's.
  JpegPacker(const JobList& list, const TallLimits& limits, std::vector<Picture>& pictures)
      : list_(list), limits_(limits), pictures_(pictures) {}

  /// Errors  unsupported: not one sequential scan of 8 bits with its tables, of the tile's size and samples,
  /// whose planes fit into the slot. corrupt: what is seen without decoding: no end marker, markers out of
  /// place.
  Status add(size_t job, std::span<const std::byte> packed) override;
  void end() override;

 private:
  bool join(size_t job, const jpeg::Frame& frame, size_t scan_bytes);
  Status begin(size_t job, const jpeg::Frame& frame, size_t scan_bytes);

  const JobList& list_;
  const TallLimits limits_;
  std::vector<Picture>& pictures_;
  jpeg::Headers headers_;
  jpeg::TallStream tall_;
  jpeg::Frame first_;     // of the tall stream that is being written
  bool is_open_ = false;  // there is one, the last of `pictures_`
  bool joins_ = false;    // and it may have more tiles
};

/// One picture for each tile of a tall one.
std::vector<Picture> split_tall(const Picture& tall);

}  // namespace microtome::gpu
