#include "microtome/read/gpu/decode_tile.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/read/fetch_tile.h"
#include "microtome/read/tile_names.h"

namespace microtome::gpu {
namespace {

constexpr size_t kRowBytes = PlaneLayout::kRowBytes;

size_t pixel_pitch(const TileFormat& format, int64_t width) noexcept {
  const size_t row = static_cast<size_t>(width) * format.samples * sample_bytes(format.type);
  return (row + kRowBytes - 1) / kRowBytes * kRowBytes;
}

bool is_constant(std::span<const std::byte> row, std::byte value) noexcept {
  return row.front() == value && std::memcmp(row.data(), row.data() + 1, row.size() - 1) == 0;
}

class Placing {
 public:
  Placing(const TileJob& job, Worker& worker)
      : job_(job), tile_(*job.tile), format_(*job.ref.format), worker_(worker) {}

  Status place(std::span<const std::byte> packed) {
    packed_ = packed;
    if (place_constant()) return ok_status();
    MICROTOME_ASSIGN(decoder_, worker_.decoder(format_));
    const DecodedBy before = decoder_->decoded_by();
    ++decoded;
    Status status = place_planes() ? ok_status() : place_pixels(tile_.part);
    // Where a tile is broken, or smaller than its size, what is needed of it may still be there.
    if (!status.ok() && tile_.part != job_.needed) status = place_pixels(job_.needed);
    by.own = decoder_->decoded_by().own - before.own - again_.own;
    by.library = decoder_->decoded_by().library - before.library - again_.library;
    return status;
  }

  uint64_t decoded = 0, constant = 0;
  DecodedBy by;

 private:
  void place_at(Point origin, Size size, const Rect& have) {
    tile_.slot = SlabSlot{};
    tile_.slot.size = size;
    tile_.slot.plane[0] = job_.room.address;
    tile_.origin = origin;
    tile_.have = have;
    tile_.verdict = TileVerdict::ok;
  }

  /// Bytes that are known to be one colour: one row of it, that every row of the slot is.
  bool place_constant() {
    const std::span<const std::byte> pixel = worker_.constants.find(packed_, format_, tile_.part);
    const auto width = static_cast<size_t>(tile_.part.w);
    if (pixel.empty() || pixel.size() > job_.room.bytes / width) return false;
    for (size_t x = 0; x < width; ++x)
      std::memcpy(job_.room.pinned + x * pixel.size(), pixel.data(), pixel.size());
    place_at({tile_.part.x, tile_.part.y}, tile_.part.size(), tile_.part);
    ++constant;
    return true;
  }

  bool place_planes() {
    const auto layout = decoder_->decode_planes(packed_, format_, {job_.room.pinned, job_.room.bytes});
    if (!layout) return false;
    place_at({0, 0}, layout->size, tile_.part);
    SlabSlot& slot = tile_.slot;
    slot.planes = true;
    slot.ycbcr = layout->planes == 3 && format_.color == Color::ycbcr;
    slot.sampling = layout->sampling;
    for (size_t i = 0; i < layout->planes; ++i) {
      slot.plane[i] = job_.room.address + layout->offset(i);
      slot.pitch[i] = static_cast<uint32_t>(layout->pitch(i));
    }
    note_constant(*layout);
    return true;
  }

  /// Planes of one value each are pixels of one colour: which, a row of them tells.
  void note_constant(const PlaneLayout& layout) {
    if (packed_.size() > ConstantTiles::kMaxPackedBytes) return;
    for (size_t i = 0; i < layout.planes; ++i) {
      const std::byte* const plane = job_.room.pinned + layout.offset(i);
      for (int64_t y = 0; y < layout.plane[i].h; ++y)
        if (!is_constant(
                {plane + static_cast<size_t>(y) * layout.pitch(i), static_cast<size_t>(layout.plane[i].w)},
                *plane))
          return;
    }
    const Rect& part = tile_.part;
    const Size row{part.w, 1};
    const auto scratch = worker_.twin.take(pixel_slot_bytes(format_, row));
    if (!scratch.ok()) return;
    ImageView view{scratch->data(), row, static_cast<int64_t>(scratch->size()), format_.samples,
                   format_.type};
    const DecodedBy before = decoder_->decoded_by();
    const Status status = decoder_->decode_part(packed_, format_, {part.x, part.y, part.w, 1}, view);
    again_ = {decoder_->decoded_by().own - before.own, decoder_->decoded_by().library - before.library};
    if (!status.ok()) return;
    view.size = part.size();
    view.row_stride = 0;
    const TilePart all{part, view};
    worker_.constants.note(packed_, format_, {&all, 1});
  }

  Status place_pixels(const Rect& part) {
    if (pixel_slot_bytes(format_, part.size()) > job_.room.bytes) {
      tile_.verdict = TileVerdict::elsewhere;
      return ok_status();
    }
    const size_t pitch = pixel_pitch(format_, part.w);
    const ImageView view{job_.room.pinned, part.size(), static_cast<int64_t>(pitch), format_.samples,
                         format_.type};
    MICROTOME_TRY(decoder_->decode_part(packed_, format_, part, view));
    place_at({part.x, part.y}, part.size(), part);
    tile_.slot.pitch[0] = static_cast<uint32_t>(pitch);
    const TilePart all{part, view};
    worker_.constants.note(packed_, format_, {&all, 1});
    return ok_status();
  }

  const TileJob& job_;
  SlabTile& tile_;
  const TileFormat& format_;
  Worker& worker_;
  Decoder* decoder_ = nullptr;
  DecodedBy again_;  // of what note_constant() decoded
  std::span<const std::byte> packed_;
};

void count(ReadCounters* counters, const Placing& placing, uint64_t packed_bytes) {
  for (; counters != nullptr; counters = counters->total) {
    counters->decoded.fetch_add(placing.decoded, std::memory_order_relaxed);
    counters->constant.fetch_add(placing.constant, std::memory_order_relaxed);
    counters->own.fetch_add(placing.by.own, std::memory_order_relaxed);
    counters->library.fetch_add(placing.by.library, std::memory_order_relaxed);
    counters->packed_bytes.fetch_add(packed_bytes, std::memory_order_relaxed);
  }
}

}  // namespace

size_t pixel_slot_bytes(const TileFormat& format, Size size) noexcept {
  const auto bytes = checked_mul(static_cast<size_t>(size.w) + kRowBytes, static_cast<size_t>(size.h),
                                 size_t{format.samples}, sample_bytes(format.type));
  constexpr size_t kTooMuch = size_t{1} << 62;
  if (!bytes || *bytes > kTooMuch) return kTooMuch;
  return pixel_pitch(format, size.w) * static_cast<size_t>(size.h);
}

void decode_tile(const TileJob& job, Worker& worker, std::span<const ByteRange> next,
                 ReadCounters* counters) {
  SlabTile& tile = *job.tile;
  uint64_t packed_bytes = 0;
  Placing placing(job, worker);
  Status status;
  try {
    const auto packed = fetch_tile(worker, *job.slide, tile.key, job.ref, next, packed_bytes);
    status = packed.ok() ? placing.place(*packed) : Status(packed.error());
  } catch (const std::bad_alloc&) {
    status = Error{Errc::out_of_memory, "no memory left"};
  }
  count(counters, placing, packed_bytes);
  if (status.ok()) return;
  tile.verdict = TileVerdict::failed;
  tile.have = job.needed;
  tile.error = std::move(status).error().with_place(place_name(*job.slide, tile.key, job.ref.bytes));
}

}  // namespace microtome::gpu
