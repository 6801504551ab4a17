#include "microtome/read/tile_bytes.h"

#include <algorithm>

namespace microtome {

namespace {

bool contains(const ByteRange& run, const ByteRange& range) noexcept {
  return range.offset >= run.offset && range.offset - run.offset <= run.size &&
         range.size <= run.size - (range.offset - run.offset);
}

/// `first`, and as many of `next` as lie closely behind it.
ByteRange run_of(const ByteRange& first, std::span<const ByteRange> next) noexcept {
  uint64_t end = first.offset + first.size;
  for (const ByteRange& range : next) {
    if (range.offset < end || range.offset - end > TileBytes::kMaxGap) break;
    if (range.offset - first.offset > TileBytes::kMaxRun) break;
    if (range.size > TileBytes::kMaxRun - (range.offset - first.offset)) break;
    end = range.offset + range.size;
  }
  return {first.offset, end - first.offset};
}

}  // namespace

Result<std::span<const std::byte>> TileBytes::take(const ByteSource& source, ByteRange run) {
  reset();
  MICROTOME_ASSIGN(const std::span<std::byte> room, scratch_.take(run.size));
  const auto begin = std::chrono::steady_clock::now();
  const Status status = source.read_at(run.offset, room);
  ++reads_;
  if (std::chrono::steady_clock::now() - begin > kSlow) ++slow_reads_;
  if (!status.ok()) return status.error();
  source_ = &source;
  run_ = run;
  bytes_ = room;
  return bytes_;
}

Result<std::span<const std::byte>> TileBytes::read(const ByteSource& source, ByteRange range,
                                                   std::span<const ByteRange> next) {
  if (source_ != &source || !contains(run_, range)) {
    const ByteRange run = run_of(range, next);
    // What fails for several tiles is read again for the first alone: the others' failures are their own.
    if (run == range || !take(source, run).ok()) return take(source, range);
  }
  return bytes_.subspan(range.offset - run_.offset, range.size);
}

void TileBytes::shrink(size_t kept_bytes) noexcept {
  if (scratch_.capacity() <= kept_bytes) return;
  reset();
  scratch_.free();
}

}  // namespace microtome
