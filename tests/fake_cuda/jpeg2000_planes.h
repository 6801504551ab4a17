// JPEG 2000 streams as the fake nvJPEG2000 decodes them: OpenJPEG's planes, before chroma is enlarged.
//
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "microtome/device/cuda/nvjpeg2k_api.h"

namespace fake {

struct Jpeg2kComponent {
  uint32_t width = 0, height = 0;
  uint8_t precision = 0;
  bool is_signed = false;
  std::vector<int32_t> samples;
};

struct Jpeg2kPicture {
  microtome::cuda::Nvjpeg2kImageInfo info{};
  std::vector<Jpeg2kComponent> components;
};

/// `whole`: samples too. Errors: bad_jpeg; jpeg_not_supported, a picture or tiles that do not begin at the
/// origin.
microtome::cuda::Nvjpeg2kStatus read_jpeg2k(std::span<const unsigned char> stream, bool whole,
                                            Jpeg2kPicture& picture);

}  // namespace fake
