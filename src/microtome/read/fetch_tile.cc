#include "microtome/read/fetch_tile.h"

#include <algorithm>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/codec/planar.h"

namespace microtome {
namespace {

// A tile of real slides packs to less than its pixels. What claims more than this is refused before memory is
// taken for it; small tiles may carry large tables, hence the floor.
constexpr uint64_t kPackedFloor = uint64_t{64} << 20;
constexpr uint64_t kPackedPerDecoded = 8;

uint64_t decoded_bytes(const TileFormat& format) noexcept {
  return checked_mul(static_cast<uint64_t>(format.size.w), static_cast<uint64_t>(format.size.h),
                     uint64_t{format.samples}, uint64_t{sample_bytes(format.type)})
      .value_or(UINT64_MAX / kPackedPerDecoded);
}

Status check_packed_size(uint64_t size, const TileFormat& format) {
  const uint64_t limit = std::max(kPackedFloor, kPackedPerDecoded * decoded_bytes(format));
  if (size <= limit) return ok_status();
  return corrupt("a tile of {} bytes, expected at most {} for {}x{} pixels", size, limit, format.size.w,
                 format.size.h);
}

/// The bytes of all samples' tiles, in one.
Result<std::span<const std::byte>> fetch_planes(Worker& worker, const Slide& slide, const TileKey& key,
                                                const TileFormat& shown, uint64_t& packed_bytes) {
  const TileFormat& format = stored_format(shown);
  std::vector<ByteRange> ranges(format.samples);
  MICROTOME_TRY(slide.planes(static_cast<int>(key.image), key.col, key.row, ranges));
  const size_t head = plane_bytes::head(ranges.size());
  uint64_t size = head;
  for (const ByteRange& range : ranges) {
    size += range.size;
    MICROTOME_TRY(check_packed_size(size, format));
  }
  MICROTOME_ASSIGN(const std::span<std::byte> packed, worker.planes.take(static_cast<size_t>(size)));
  size_t at = head;
  for (size_t sample = 0; sample < ranges.size(); ++sample) {
    const auto bytes = static_cast<size_t>(ranges[sample].size);
    plane_bytes::write_size(packed, sample, bytes);
    MICROTOME_TRY(slide.source().read_at(ranges[sample].offset, packed.subspan(at, bytes)));
    at += bytes;
  }
  packed_bytes += size - head;
  return std::span<const std::byte>(packed);
}

}  // namespace

Result<std::span<const std::byte>> fetch_tile(Worker& worker, const Slide& slide, const TileKey& key,
                                              const TileRef& ref, std::span<const ByteRange> next,
                                              uint64_t& packed_bytes) {
  if (ref.format->planar) return fetch_planes(worker, slide, key, *ref.format, packed_bytes);
  MICROTOME_TRY(check_packed_size(ref.bytes.size, *ref.format));
  packed_bytes += ref.bytes.size;
  return worker.bytes.read(slide.source(), ref.bytes, next);
}

}  // namespace microtome
