// What the samples of a batch on the device are to be, and where they stand: those of the tiles, or floats.
//
// Made by the bindings from a caller's arguments, used by whoever makes reads for a pipeline. Knows samples
// and numbers; nothing of patches or memory of the device. Thread-safe: values.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/read/gpu/scatter.h"

namespace microtome::gpu {

/// As a caller asks for it.
struct OutputRequest {
  std::optional<SampleType> type;  ///< Nothing: the tiles' own.
  bool planar = false;             ///< (N, C, H, W) rather than (N, H, W, C).
  /// In units of the tiles' samples: none, one for all samples of a pixel, or one for each.
  std::vector<double> mean, deviation;
};

/// The same, checked against the images that are read.
struct OutputFormat {
  /// Errors  invalid_argument: `type` is neither the tiles' nor f16 or f32; a mean or deviation where no
  /// floats are asked for, of another number than one or `samples`, or as normalisation() refuses it.
  static Result<OutputFormat> make(const OutputRequest& request, SampleType tiles, uint16_t samples);

  Output output = Output::same;
  bool planar = false;
  std::vector<Affine> affine;  ///< One for each sample; empty where output is `same`.

  /// Of what is on the device in the end.
  SampleType type(SampleType tiles) const noexcept;
  /// Of `images` patches, or without a first axis of one region.
  std::vector<int64_t> shape(std::optional<int64_t> images, Size patch, uint16_t samples) const;
};

/// What the kernel reads beside tiles and pieces, as it goes up with each step: an Affine for each sample, if
/// samples are converted; then one pixel of background, as the batch holds it.
struct Constants {
  std::vector<std::byte> bytes;
  size_t fill_at = 0;
};

/// `fill`: one pixel of the tiles' samples, converted as theirs are. Errors: invalid_argument, it is not
/// that.
Result<Constants> make_constants(const BatchShape& shape, const OutputFormat& format,
                                 std::span<const std::byte> fill);

/// Of any format.
constexpr size_t most_constants_bytes(uint16_t samples) noexcept {
  return samples * (sizeof(Affine) + sizeof(double));
}

}  // namespace microtome::gpu
