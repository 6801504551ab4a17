#include "microtome/read/gpu/jpeg_packer.h"

#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/jpeg/tile.h"
#include "microtome/read/gpu/slab_ring.h"

namespace microtome::gpu {
namespace {

constexpr size_t kHeaderBytes = 4096;  // more than any header of ours has

bool is_subsampled(const jpeg::Frame& frame) noexcept {
  return frame.sampling != jpeg::Sampling::grey && frame.sampling != jpeg::Sampling::s444;
}

PlaneLayout layout_of(const jpeg::Frame& frame) {
  PlaneLayout layout{frame.size, frame.sampling, frame.components, {}};
  for (int i = 0; i < layout.planes; ++i)
    layout.plane[static_cast<size_t>(i)] = jpeg::TileDecoder::plane_size(frame, i);
  return layout;
}

/// Whether the second job's room begins where the first one's ends.
bool follows(const TileJob& first, const TileJob& second) noexcept {
  return second.room.address == first.room.address + SlabRing::aligned(first.room.bytes);
}

Status check(const jpeg::Frame& frame, const TileJob& job) {
  const TileFormat& format = *job.ref.format;
  if (frame.size != format.size)
    return unsupported("{}x{} pixels for a tile of {}x{}", frame.size.w, frame.size.h, format.size.w,
                       format.size.h);
  if (frame.components != format.samples)
    return unsupported("{} components for {} samples", frame.components, format.samples);
  if (is_subsampled(frame) && format.color != Color::ycbcr)
    return unsupported("{} with subsampled components", color_name(format.color));
  const size_t bytes = layout_of(frame).bytes();
  if (bytes > job.room.bytes)
    return unsupported("planes of {} bytes, where tiles of its image have room for {}", bytes,
                       job.room.bytes);
  return ok_status();
}

}  // namespace

bool is_jpeg_for_device(const TileFormat& format) noexcept {
  const bool jpeg = format.compression == Compression::jpeg || format.compression == Compression::old_jpeg;
  return jpeg && !format.planar && format.rgb_form == nullptr && format.type == SampleType::u8 &&
         format.bits == 8 && (format.samples == 1 || format.samples == 3);
}

Status JpegPacker::add(size_t job, std::span<const std::byte> packed) {
  const TileJob& of = list_.jobs[job];
  const jpeg::Frame* const frame = headers_.read(packed, of.ref.format->tables.data);
  if (frame == nullptr) return unsupported("a JPEG stream that is not one sequential scan of 8 bits");
  MICROTOME_TRY(check(*frame, of));
  const auto scan_bytes = jpeg::checked_scan_bytes(*frame);
  if (!scan_bytes) return corrupt("a JPEG stream without its end, or with markers out of place");
  if (join(job, *frame, *scan_bytes)) return ok_status();
  end();
  return begin(job, *frame, *scan_bytes);
}

/// Puts the tile below those of the picture before it, if they belong together.
bool JpegPacker::join(size_t job, const jpeg::Frame& frame, size_t scan_bytes) {
  if (!is_open_ || !joins_) return false;
  Picture& picture = pictures_.back();
  if (job != picture.first + picture.tiles || picture.tiles == limits_.most_tiles) return false;
  const TileJob &first = list_.jobs[picture.first], &last = list_.jobs[job - 1], &of = list_.jobs[job];
  if (!follows(last, of) || !are_alike(first_, frame) || first.ref.format->color != of.ref.format->color)
    return false;
  if ((picture.tiles + 1) * static_cast<size_t>(frame.size.h) > limits_.most_height) return false;
  const auto room = static_cast<size_t>(of.room.pinned - first.room.pinned) + of.room.bytes;
  tall_.widen({first.room.pinned, room});
  if (!tall_.add(frame, scan_bytes)) return false;
  ++picture.tiles;
  return true;
}

Status JpegPacker::begin(size_t job, const jpeg::Frame& frame, size_t scan_bytes) {
  const TileJob& of = list_.jobs[job];
  Picture picture;
  picture.first = job;
  picture.tile = layout_of(frame);
  picture.ycbcr = frame.components == 3 && of.ref.format->color == Color::ycbcr;
  joins_ = limits_.most_tiles > 1 && is_joinable(frame);
  if (!tall_.begin(frame, joins_, {of.room.pinned, of.room.bytes}) || !tall_.add(frame, scan_bytes)) {
    // More bytes than its planes have: memory of its own, and nobody joins it.
    joins_ = false;
    picture.own_bytes.resize(kHeaderBytes + scan_bytes);
    if (!tall_.begin(frame, false, picture.own_bytes) || !tall_.add(frame, scan_bytes))
      return unsupported("{}x{} pixels in one picture", frame.size.w, frame.size.h);
  }
  if (joins_) first_ = frame;
  pictures_.push_back(std::move(picture));
  is_open_ = true;
  return ok_status();
}

void JpegPacker::end() {
  if (!std::exchange(is_open_, false)) return;
  Picture& picture = pictures_.back();
  const TileJob& first = list_.jobs[picture.first];
  picture.bytes = tall_.end();
  size_t at = 0;
  for (size_t i = 0; i < picture.tile.planes; ++i) {
    picture.plane[i] = first.room.address + at;
    at += picture.tiles * picture.tile.pitch(i) * static_cast<size_t>(picture.tile.plane[i].h);
  }
  if (picture.tiles > 1) picture.parts = tall_.take_parts();
}

std::vector<Picture> split_tall(const Picture& tall) {
  std::vector<Picture> pictures(tall.tiles);
  for (size_t i = 0; i < tall.tiles; ++i) {
    Picture& picture = pictures[i];
    picture.first = tall.first + i;
    picture.own_bytes = jpeg::one_of(tall.bytes, tall.parts, i);
    picture.bytes = picture.own_bytes;
    picture.tile = tall.tile;
    picture.ycbcr = tall.ycbcr;
    for (size_t plane = 0; plane < tall.tile.planes; ++plane) picture.plane[plane] = tall.plane_of(i, plane);
  }
  return pictures;
}

}  // namespace microtome::gpu
