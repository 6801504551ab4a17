// Tiles whose samples are stored apart (TIFF PlanarConfiguration 2): each sample's tile is one of the codec's
// own, with one sample, and here they are put together.
//
// Used by `read`, which gathers the bytes. They travel as one run of bytes,
// so that everything between the two sees an ordinary packed tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "microtome/codec/codec.h"
#include "microtome/codec/request.h"
#include "microtome/codec/ycbcr.h"

namespace microtome {

/// The samples' packed tiles in one: their sizes, eight bytes each in the machine's order, then their bytes.
namespace plane_bytes {
/// Bytes that the sizes of so many planes take.
size_t head(size_t planes) noexcept;
void write_size(std::span<std::byte> packed, size_t plane, uint64_t size) noexcept;
}  // namespace plane_bytes

/// Decodes tiles of planar formats with a codec's decoder for one sample.
///
/// `packed` of decode() is what plane_bytes describes. Errors: those of the codec, for the first sample that
/// has one.
class PlanarDecoder final : public Decoder {
 public:
  explicit PlanarDecoder(std::unique_ptr<Decoder> one_sample) : one_sample_(std::move(one_sample)) {}

  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override;

 private:
  std::unique_ptr<Decoder> one_sample_;
  Scratch planes_, row_;
  YCbCrConverter ycbcr_;
};

}  // namespace microtome
