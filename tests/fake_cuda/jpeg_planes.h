// JPEG streams as the fake nvJPEG decodes them: libjpeg-turbo's planes, before upsampling.
//
// Another decoder than the one that Microtome's CPU path has in front, so that the two check each other.
// Thread-safe: no state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "microtome/device/cuda/nvjpeg_api.h"

namespace fake {

/// What a header says.
struct JpegInfo {
  int width = 0, height = 0, components = 0;
  microtome::cuda::NvjpegSampling sampling = microtome::cuda::NvjpegSampling::unknown;
  bool progressive = false;
  unsigned restart_interval = 0;
};

/// One plane for each component, of the component's size, rows without gaps.
struct JpegPlanes {
  struct Plane {
    int width = 0, height = 0;
    std::vector<uint8_t> bytes;
  };
  std::vector<Plane> planes;
};

using JpegBytes = std::span<const unsigned char>;

/// Errors: bad_jpeg, incomplete_bitstream; jpeg_not_supported, for what no backend of nvJPEG takes.
microtome::cuda::NvjpegStatus read_jpeg_info(JpegBytes stream, JpegInfo& info);

/// `lenient`: broken entropy-coded data gives what libjpeg makes of it. Errors also: execution_failed.
microtome::cuda::NvjpegStatus decode_jpeg_planes(JpegBytes stream, bool lenient, JpegPlanes& planes);

}  // namespace fake
