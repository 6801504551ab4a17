#include "microtome/read/gpu/scatter.h"

#include <cmath>
#include <limits>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/scatter_core.h"

namespace microtome::gpu {
namespace {

constexpr int64_t kMostBlocks = std::numeric_limits<int32_t>::max();
constexpr int64_t kLargestSide = 1 << 30;

SampleKind kind_of(SampleType type) noexcept {
  switch (type) {
    case SampleType::f16:
    case SampleType::f32:
    case SampleType::f64:
      return SampleKind::floating;
    case SampleType::i8:
    case SampleType::i16:
    case SampleType::i32:
    case SampleType::i64:
      return SampleKind::signed_integer;
    default:
      return SampleKind::unsigned_integer;
  }
}

int64_t output_sample_bytes(const BatchShape& shape) noexcept {
  if (shape.output == Output::f16) return 2;
  if (shape.output == Output::f32) return 4;
  return static_cast<int64_t>(sample_bytes(shape.type));
}

/// How libjpeg-turbo upsamples (layout.h's Stretch): its triangle filter across wants three columns, and
/// where chroma is halved both ways it filters both or neither.
Chroma chroma_of(const SlabSlot& slot) noexcept {
  const bool filtered = (slot.size.w + 1) / 2 > 2 && !slot.jpeg2000;
  switch (slot.sampling) {
    case jpeg::Sampling::s422:
      return filtered ? Chroma::across : Chroma::across_repeat;
    case jpeg::Sampling::s440:
      return Chroma::down;
    case jpeg::Sampling::s420:
      return filtered ? Chroma::both : Chroma::both_repeat;
    default:
      return Chroma::whole;
  }
}

Size chroma_size(const SlabSlot& slot) noexcept {
  const bool across = slot.sampling == jpeg::Sampling::s422 || slot.sampling == jpeg::Sampling::s420;
  const bool down = slot.sampling == jpeg::Sampling::s440 || slot.sampling == jpeg::Sampling::s420;
  return {across ? (slot.size.w + 1) / 2 : slot.size.w, down ? (slot.size.h + 1) / 2 : slot.size.h};
}

Status check_slot(const SlabSlot& slot, const BatchShape& shape) {
  if (slot.planes) {
    const int planes = slot.sampling == jpeg::Sampling::grey ? 1 : 3;
    if (shape.type != SampleType::u8 || shape.samples != planes || (slot.ycbcr && planes != 3))
      return internal("scatter: {} planes of bytes for a batch of {} samples of {}", planes, shape.samples,
                      sample_name(shape.type));
    return ok_status();
  }
  const size_t bytes = sample_bytes(shape.type);
  if (slot.plane[0] % bytes != 0 || slot.pitch[0] % bytes != 0)
    return internal("scatter: samples of {} at {:#x}, {} bytes a row, are not aligned",
                    sample_name(shape.type), slot.plane[0], slot.pitch[0]);
  return ok_status();
}

}  // namespace

Result<Affine> normalisation(double mean, double deviation) {
  if (!std::isfinite(mean)) return invalid_argument("mean: {} is not a number", mean);
  if (!(std::isfinite(deviation) && deviation > 0))
    return invalid_argument("deviation: {}, expected a number above 0", deviation);
  return Affine{1 / deviation, -mean / deviation};
}

Status PieceList::add_tile(const SlabSlot& slot, const Rect& src, uint32_t image, const Point& dst) {
  MICROTOME_TRY(check_slot(slot, shape_));
  if (src.empty() || !Rect{0, 0, slot.size.w, slot.size.h}.contains(src) || slot.size.w > kLargestSide ||
      slot.size.h > kLargestSide)
    return internal("scatter: part {},{} {}x{} of a tile of {}x{}", src.x, src.y, src.w, src.h, slot.size.w,
                    slot.size.h);
  const Size chroma = chroma_size(slot);
  ScatterPiece piece{};
  for (size_t i = 0; i < slot.plane.size(); ++i) {
    piece.plane[i] = slot.plane[i];
    piece.pitch[i] = slot.pitch[i];
  }
  piece.src_x = static_cast<uint32_t>(src.x);
  piece.src_y = static_cast<uint32_t>(src.y);
  piece.source = slot.planes ? PieceSource::planes : PieceSource::pixels;
  piece.chroma = chroma_of(slot);
  if (slot.planes && slot.ycbcr) piece.ycbcr = slot.jpeg2000 ? YcbcrToRgb::exact : YcbcrToRgb::jpeg;
  piece.chroma_w = static_cast<uint32_t>(chroma.w);
  piece.chroma_h = static_cast<uint32_t>(chroma.h);
  return add(piece, image, {dst.x, dst.y, src.w, src.h});
}

Status PieceList::add_fill(uint32_t image, const Rect& dst) {
  return add(ScatterPiece{}, image, dst);
}

Status PieceList::add(ScatterPiece piece, uint32_t image, const Rect& dst) {
  const Size patch = shape_.patch;
  if (patch.w > kLargestSide || patch.h > kLargestSide)
    return unsupported("patches of {}x{} on a GPU; sides may be up to {}", patch.w, patch.h, kLargestSide);
  if (dst.empty() || image >= shape_.images || !Rect{0, 0, patch.w, patch.h}.contains(dst))
    return internal("scatter: part {},{} {}x{} of patch {} of {}, which are {}x{}", dst.x, dst.y, dst.w,
                    dst.h, image, shape_.images, patch.w, patch.h);
  if (count_ == storage_.size()) return internal("scatter: more than {} pieces", storage_.size());
  const int64_t runs = static_cast<int64_t>(runs_across(static_cast<uint32_t>(dst.w))) * dst.h;
  const int64_t blocks = blocks_ + (runs + kThreads - 1) / kThreads;
  // Threads of a piece are counted in 32 bits.
  if (runs > std::numeric_limits<uint32_t>::max() - int64_t{kThreads} || blocks > kMostBlocks)
    return unsupported("a batch of {} patches of {}x{} on a GPU; smaller ones work", shape_.images, patch.w,
                       patch.h);
  piece.image = image;
  piece.x = static_cast<uint32_t>(dst.x);
  piece.y = static_cast<uint32_t>(dst.y);
  piece.w = static_cast<uint32_t>(dst.w);
  piece.h = static_cast<uint32_t>(dst.h);
  piece.first_block = blocks_;
  storage_[count_++] = piece;
  blocks_ = static_cast<uint32_t>(blocks);
  return ok_status();
}

Result<ScatterBatch> describe(const BatchShape& shape, const BatchMemory& memory) {
  if (memory.pixels % static_cast<uint64_t>(output_sample_bytes(shape)) != 0)
    return internal("scatter: a batch at {:#x} is not aligned to its samples of {} bytes", memory.pixels,
                    output_sample_bytes(shape));
  return ScatterBatch{memory.pixels,
                      memory.fill,
                      memory.affine,
                      static_cast<uint32_t>(shape.patch.w),
                      static_cast<uint32_t>(shape.patch.h),
                      shape.samples,
                      static_cast<uint8_t>(sample_bytes(shape.type)),
                      kind_of(shape.type),
                      shape.output,
                      shape.planar};
}

Result<ScatterKernel> ScatterKernel::load(const cuda::Module& module) {
  MICROTOME_ASSIGN(Kernel kernel,
                   (module.kernel<ScatterBatch, cuda::DeviceAddress, uint32_t>("microtome_scatter")));
  return ScatterKernel(std::move(kernel));
}

Status ScatterKernel::launch(const PieceList& list, cuda::DeviceAddress pieces, const BatchMemory& memory,
                             const cuda::Stream& stream) const {
  if (list.size() == 0) return ok_status();
  MICROTOME_ASSIGN(const ScatterBatch batch, describe(list.shape(), memory));
  return kernel_.launch({list.blocks()}, {kThreads}, stream, batch, pieces, list.size());
}

}  // namespace microtome::gpu
