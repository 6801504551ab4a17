// A batch's pixels on the device, made from decoded tiles by one launch.
//
// The pipeline lists what each patch consists of in memory that goes up with the batch, and launches. Knows
// where samples are and how they become pixels; nothing of who decoded them. What the kernel does with a
// piece is in scatter_core.h. A kernel may be used by any thread, a list by one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/codec/jpeg/frame.h"
#include "microtome/device/cuda/module.h"
#include "microtome/read/gpu/scatter_types.h"

namespace microtome::gpu {

/// A decoded tile in a slab: planes of bytes as a JPEG frame has them (jpeg::TileDecoder::plane_size), or
/// interleaved samples of the batch's type.
struct SlabSlot {
  std::array<cuda::DeviceAddress, 3> plane{};  ///< Pixels: the first alone.
  std::array<uint32_t, 3> pitch{};             ///< Bytes between rows.
  Size size;                                   ///< Of the tile, in pixels.
  bool planes = false;
  bool ycbcr = false;  ///< Three planes that are to become RGB.
  jpeg::Sampling sampling = jpeg::Sampling::grey;
  /// As the CPU path has it for JPEG 2000: smaller planes are repeated rather than filtered, and colours
  /// rounded exactly.
  bool jpeg2000 = false;
};

/// What a batch holds. Its samples follow each other without gaps, patch by patch.
struct BatchShape {
  uint32_t images = 0;
  Size patch;
  uint16_t samples = 0;
  SampleType type = SampleType::u8;  ///< Of the tiles; of the batch too, unless `output` says otherwise.
  Output output = Output::same;
  bool planar = false;  ///< (N, C, H, W) rather than (N, H, W, C).
};

/// Where a launch finds what belongs to the batch as a whole.
struct BatchMemory {
  cuda::DeviceAddress pixels = 0;  ///< Written; aligned to a sample.
  cuda::DeviceAddress fill = 0;    ///< One pixel as the batch holds it, aligned to 8 bytes; for fills.
  cuda::DeviceAddress affine = 0;  ///< `samples` of Affine, aligned to 8 bytes, for Output::f16 and f32.
};

/// (value - mean) / deviation, in units of the tile's samples. Errors: invalid_argument, where one of them is
/// not finite or the deviation is not positive.
Result<Affine> normalisation(double mean, double deviation);

/// The pieces of one batch. They are to cover each of its pixels once: nothing orders the writes.
class PieceList {
 public:
  /// `storage`  unowned: memory for as many pieces as there will be, which outlives the list.
  PieceList(const BatchShape& shape, std::span<ScatterPiece> storage) : shape_(shape), storage_(storage) {}

  /// Puts the part `src` of a tile at `dst` of patch `image`.
  /// Errors  internal: a part that is not in the tile, the patch or the storage; a slot that is not of the
  /// batch's kind, or whose samples are not aligned. unsupported: more than one launch can do.
  Status add_tile(const SlabSlot& slot, const Rect& src, uint32_t image, const Point& dst);
  /// Fills `dst` of patch `image`. Errors as add_tile's.
  Status add_fill(uint32_t image, const Rect& dst);

  const BatchShape& shape() const noexcept { return shape_; }
  uint32_t size() const noexcept { return count_; }
  uint32_t blocks() const noexcept { return blocks_; }

 private:
  Status add(ScatterPiece piece, uint32_t image, const Rect& dst);

  BatchShape shape_;
  std::span<ScatterPiece> storage_;
  uint32_t count_ = 0, blocks_ = 0;
};

/// The batch as the kernel takes it. Errors: internal, an address that is not aligned to its samples.
Result<ScatterBatch> describe(const BatchShape& shape, const BatchMemory& memory);

/// The kernel, loaded on one device.
class ScatterKernel {
 public:
  /// Errors as cuda::Module::kernel's.
  static Result<ScatterKernel> load(const cuda::Module& module);

  /// Queues the batch's one launch. `pieces`: where the list's storage will be on the device by then. An
  /// empty list launches nothing. Errors: describe()'s and cuda::Kernel::launch's.
  Status launch(const PieceList& list, cuda::DeviceAddress pieces, const BatchMemory& memory,
                const cuda::Stream& stream) const;

 private:
  using Kernel = cuda::Kernel<ScatterBatch, cuda::DeviceAddress, uint32_t>;
  explicit ScatterKernel(Kernel kernel) : kernel_(std::move(kernel)) {}

  Kernel kernel_;
};

}  // namespace microtome::gpu
