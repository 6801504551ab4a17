// The seam between a device's decoders of one library each and the backend that drives them
// (stream_backend.h).
//
// A decoder takes pictures: a tile, or several tiles one below the other. It packs tiles' bytes into such
// pictures, does what the host has to do for each, and gives the device the rest. Knows formats and bytes;
// nothing of steps, marks, verdicts or what becomes of a tile that it does not decode.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/codec/jpeg/tall.h"
#include "microtome/codec/planes.h"
#include "microtome/device/cuda/device.h"
#include "microtome/read/gpu/backend.h"

namespace microtome::gpu {

/// What a decoder keeps of a picture that is on its way.
struct PictureState {
  virtual ~PictureState() = default;
};

/// One picture, and where its planes go.
struct Picture {
  size_t first = 0, tiles = 1;  ///< Jobs of the list, one below the other.
  std::span<const std::byte> bytes;
  std::vector<std::byte> own_bytes;  ///< Where `bytes` are not in the jobs' pinned memory.
  PlaneLayout tile;                  ///< Of each.
  bool ycbcr = false;                ///< Its planes are to become RGB.
  bool jpeg2000 = false;             ///< SlabSlot::jpeg2000.
  std::array<cuda::DeviceAddress, 3> plane{};
  jpeg::TallParts parts;  ///< Of a picture of several tiles.
  std::unique_ptr<PictureState> state;
  std::optional<Error> error;  ///< The decoder does not decode it.

  /// Where plane `number` of tile `index` of it begins.
  cuda::DeviceAddress plane_of(size_t index, size_t number) const noexcept {
    return plane[number] + index * tile.pitch(number) * static_cast<size_t>(tile.plane[number].h);
  }
};

/// Packs jobs that follow each other, on one thread.
class Packer {
 public:
  virtual ~Packer() = default;
  /// The bytes of a job's tile, which need not stay. An error is the tile's: it is in no picture.
  virtual Status add(size_t job, std::span<const std::byte> packed) = 0;
  /// No more will come.
  virtual void end() = 0;
};

/// What a decoder keeps of a list that is on its way.
struct DecoderState {
  virtual ~DecoderState() = default;
  /// Another list begins; the device is done with the one before.
  virtual void begin() {}
};

class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;

  /// By format alone: it may still not decode a tile. Any thread.
  virtual bool takes(const TileFormat& format) const noexcept = 0;

  /// Bytes of a slot that has room for what it makes of a whole tile; 0: planes as JPEG's are. Any thread.
  virtual size_t slot_bytes(const TileFormat& format) const noexcept {
    static_cast<void>(format);
    return 0;
  }

  /// How many of a list's jobs a thread is to pack together. Any thread.
  virtual size_t share(size_t jobs) const noexcept = 0;

  /// Appends to `pictures`. Any thread.
  virtual std::unique_ptr<Packer> packer(const JobList& list, std::vector<Picture>& pictures) = 0;

  /// The host's part. Any thread. An error is the picture's.
  virtual Status read(Picture& picture) {
    static_cast<void>(picture);
    return ok_status();
  }

  /// A picture of several tiles that is not decoded, as one for each.
  virtual std::vector<Picture> split(const Picture& picture) const {
    static_cast<void>(picture);
    return {};
  }

  /// Pictures of several tiles are refused where those of one are not: none are to be made any more.
  virtual void give_up_joining() noexcept {}

  /// For one list after another, each when the device is done with the one before. Errors: the device's.
  virtual Result<std::unique_ptr<DecoderState>> make_state() = 0;

  /// Gives the device what is left of pictures that were read; what it does not take has its error then.
  virtual void decode(DecoderState& state, std::span<Picture* const> pictures,
                      const cuda::Stream& stream) = 0;
};

}  // namespace microtome::gpu
