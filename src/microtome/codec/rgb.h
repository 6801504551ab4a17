// What stored samples look like: red, green and blue of 8 bits, composed over white.
//
// Used by `read` for tiles whose format has an RgbForm; it wraps the decoder of the stored samples. It knows
// samples and nothing of files.
//
// Note [How samples become RGB]
// First to 8 bits: an unsigned sample of n bits is scaled by 255 / (2^n - 1) and rounded to nearest. Grey
// fills all three; with Color::white_is_zero it is turned round before that. Palette indices are looked up.
// YCbCr has been converted by the decoder already. Then alpha, of 8 bits as well: c a / 255 + (255 - a) for
// straight alpha (rounded to nearest), c + (255 - a) for associated (at most 255). Other extra samples are
// left out. What has no such form is `unsupported`: signed and floating-point samples, CMYK, CIELab and what
// else needs a profile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "microtome/codec/codec.h"
#include "microtome/codec/request.h"

namespace microtome {

class RgbDecoder final : public Decoder {
 public:
  explicit RgbDecoder(std::unique_ptr<Decoder> stored) : stored_(std::move(stored)) {}

  /// `format` has an RgbForm. Errors: those of the decoder of stored samples, and unsupported.
  Status decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) override;

 private:
  void prepare(const RgbForm& form);

  std::unique_ptr<Decoder> stored_;
  Scratch pixels_, row_;
  // For samples of up to 16 bits: the value of each. Of the form in `prepared_for_`, which keeps its address
  // from being another's.
  std::vector<std::array<uint8_t, 3>> table_;
  std::shared_ptr<const RgbForm> prepared_for_;
};

}  // namespace microtome
