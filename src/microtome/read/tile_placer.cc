#include "microtome/read/tile_placer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "microtome/read/fetch_tile.h"

namespace microtome {

namespace {

/// `part` of an image of which `whole` stands in `pixels`.
ImageView part_of(const ImageView& pixels, const Rect& whole, const Rect& part) noexcept {
  return pixels.part({part.x - whole.x, part.y - whole.y, part.w, part.h});
}

}  // namespace

TilePlacer::TilePlacer(ReadJob& job, Worker& worker) : job_(job), worker_(worker) {
  worker_.bytes.reset();
}

TilePlacer::~TilePlacer() {
  const auto add = [](std::atomic<uint64_t>& counter, uint64_t value) {
    if (value != 0) counter.fetch_add(value, std::memory_order_relaxed);
  };
  for (ReadCounters* counters = job_.options.counters; counters != nullptr; counters = counters->total) {
    add(counters->decoded, counts_.decoded);
    add(counters->direct, counts_.direct);
    add(counters->own, counts_.by.own);
    add(counters->library, counts_.by.library);
    add(counters->shared, counts_.shared);
    add(counters->constant, counts_.constant);
    add(counters->twins, counts_.twins);
    add(counters->absent, counts_.absent);
    add(counters->packed_bytes, counts_.packed_bytes);
  }
}

Rect TilePlacer::Current::shown() const noexcept {
  const TileKey& tile = planned.tile;
  return slide.image(static_cast<int>(tile.image)).shown(tile.col, tile.row);
}

Result<bool> TilePlacer::place(size_t number, size_t end, TileCache::Busy busy) {
  const PlannedTile& planned = job_.plan.tiles[number];
  const Slide& slide = job_.slide_of(planned);
  const TileKey& key = planned.tile;
  bytes_.reset();
  MICROTOME_ASSIGN(const std::optional<TileRef> ref,
                   slide.tile(static_cast<int>(key.image), key.col, key.row));
  if (!ref) {
    ++counts_.absent;
    fill_tile(planned);
    return true;
  }
  bytes_ = ref->bytes;
  const Current tile{planned, slide, number, end, *ref, busy};
  const BatchReadOptions& options = job_.options;
  if (options.cache != nullptr) {
    if (const auto part = options.keep ? options.keep(key) : tile.shown()) {
      MICROTOME_ASSIGN(const Cached cached, from_cache(tile, *part));
      if (cached != Cached::missing) return cached == Cached::placed;
    }
  }
  MICROTOME_TRY(decode_and_place(tile));
  return true;
}

/// `part`: what the cache is to have of the tile, if it has nothing.
Result<TilePlacer::Cached> TilePlacer::from_cache(const Current& tile, const Rect& part) {
  const TileKey& key = tile.planned.tile;
  const TileCacheKey cache_key{tile.slide.source().id(), tile.slide.tile_space(key.image), key.col, key.row};
  bool made = false;
  TileCache::Pixels pixels;
  if (job_.options.cache_use == CacheUse::consult) {
    pixels = job_.options.cache->find(cache_key);
  } else {
    const auto make = [&] {
      made = true;
      return place_and_keep(tile, part);
    };
    MICROTOME_ASSIGN(pixels, job_.options.cache->get(cache_key, make, tile.busy));
    if (pixels == nullptr) return Cached::busy;
  }
  if (made) return Cached::placed;
  // It may have been kept for others, who need another part.
  if (pixels == nullptr || !pixels->part.contains(tile.planned.needed)) return Cached::missing;
  counts_.shared += tile.planned.placement_count;
  place_cached(tile, *pixels);
  return Cached::placed;
}

/// Fills the placements and what is to be kept, in one pass over the tile.
Result<TilePixels> TilePlacer::place_and_keep(const Current& tile, const Rect& part) {
  const TileFormat& format = *tile.ref.format;
  TilePixels kept{{}, part, format.samples, format.type};
  take_placements(tile);
  MICROTOME_ASSIGN(const std::span<const std::byte> packed, fetch(tile));
  const auto known = [&] {
    const auto pixel = worker_.constants.find(packed, format, unite(tile.planned.needed, part));
    kept.pixel.assign(pixel.begin(), pixel.end());
    return !pixel.empty();
  };
  if (known()) {
    ++counts_.constant;
    fill_placements(tile, kept.pixel);
    return kept;
  }
  const size_t bytes = kept.view().row_bytes() * static_cast<size_t>(part.h);
  MICROTOME_ASSIGN(kept.buffer, job_.options.buffers->allocate(bytes));
  parts_.push_back({part, kept.view()});
  const Want want{parts_, job_.stores};
  MICROTOME_ASSIGN(const bool copied, copy_twin(tile, packed, want));
  if (!copied) MICROTOME_TRY(decode(tile, packed, want));
  if (known()) kept.buffer = Buffer();
  return kept;
}

void TilePlacer::place_cached(const Current& tile, const TilePixels& pixels) const {
  if (!pixels.pixel.empty()) return fill_placements(tile, pixels.pixel);
  for (const Placement& placement : job_.plan.of(tile.planned))
    copy_pixels(part_of(pixels.view(), pixels.part, placement.src), destination(placement), job_.stores);
}

void TilePlacer::take_placements(const Current& tile) {
  parts_.clear();
  const auto placements = job_.plan.of(tile.planned);
  for (const Placement& placement : placements) parts_.push_back({placement.src, destination(placement)});
  counts_.shared += placements.size() - 1;  // the first one is what the tile is decoded for
}

void TilePlacer::fill_placements(const Current& tile, std::span<const std::byte> pixel) const {
  for (const Placement& placement : job_.plan.of(tile.planned))
    fill_pixels(destination(placement), pixel, job_.stores);
}

Status TilePlacer::decode_and_place(const Current& tile) {
  const Rect& needed = tile.planned.needed;
  const TileFormat& format = *tile.ref.format;
  take_placements(tile);
  MICROTOME_ASSIGN(const std::span<const std::byte> packed, fetch(tile));
  if (const auto pixel = worker_.constants.find(packed, format, needed); !pixel.empty()) {
    ++counts_.constant;
    fill_placements(tile, pixel);
    return ok_status();
  }
  const Want want{parts_, job_.stores};
  MICROTOME_ASSIGN(const bool copied, copy_twin(tile, packed, want));
  if (copied) return ok_status();
  MICROTOME_TRY(decode(tile, packed, want));
  const auto home = std::find_if(parts_.begin(), parts_.end(),
                                 [&needed](const TilePart& part) { return part.src == needed; });
  if (home != parts_.end()) {
    ++counts_.direct;
    if (!format.planar)
      job_.twins.note(
          {&tile.slide.source(), &format, tile.ref.bytes, TwinTiles::sample_of(packed), needed, home->dst});
  }
  return ok_status();
}

/// The tile's bytes, with those of the tiles behind it that this thread has taken too and will decode. With a
/// cache it may never need theirs.
Result<std::span<const std::byte>> TilePlacer::fetch(const Current& tile) {
  constexpr size_t kMost = 8;
  std::array<ByteRange, kMost> next;
  size_t count = 0;
  const bool reads_ahead = job_.options.cache == nullptr && !tile.ref.format->planar;
  for (size_t i = tile.number + 1; reads_ahead && i < tile.end && count < kMost; ++i) {
    const TileKey& key = job_.plan.tiles[i].tile;
    if (key.slide != tile.planned.tile.slide) break;
    const auto ref = tile.slide.tile(static_cast<int>(key.image), key.col, key.row);
    if (!ref.ok()) break;
    if (*ref) next[count++] = (*ref)->bytes;
  }
  return fetch_tile(worker_, tile.slide, tile.planned.tile, tile.ref, std::span(next).first(count),
                    counts_.packed_bytes);
}

/// Whether all parts were copied from a tile of the same bytes.
Result<bool> TilePlacer::copy_twin(const Current& tile, std::span<const std::byte> packed, const Want& want) {
  if (tile.ref.format->planar) return false;  // twins are of one range
  const std::optional<TwinTiles::Tile> twin = job_.twins.find(packed, *tile.ref.format, want.bounds());
  if (!twin) return false;
  if (twin->source != &tile.slide.source() || twin->bytes != tile.ref.bytes) {
    MICROTOME_ASSIGN(const std::span<std::byte> bytes, worker_.twin.take(packed.size()));
    // Its bytes were there a moment ago; if they are not now, this tile has its own.
    if (!twin->source->read_at(twin->bytes.offset, bytes).ok()) return false;
    if (std::memcmp(bytes.data(), packed.data(), packed.size()) != 0) return false;
  }
  for (const TilePart& part : want.parts) {
    copy_pixels(part_of(twin->pixels, twin->region, part.src), part.dst, want.stores);
  }
  ++counts_.twins;
  return true;
}

Status TilePlacer::decode(const Current& tile, std::span<const std::byte> packed, const Want& want) {
  const TileFormat& format = *tile.ref.format;
  MICROTOME_ASSIGN(Decoder * decoder, worker_.decoder(format));
  ++counts_.decoded;
  const DecodedBy before = decoder->decoded_by();
  Status status = decoder->decode(packed, format, want);
  counts_.by.own += decoder->decoded_by().own - before.own;
  counts_.by.library += decoder->decoded_by().library - before.library;
  MICROTOME_TRY(std::move(status));
  worker_.constants.note(packed, format, want.parts);
  return ok_status();
}

void TilePlacer::fill_tile(const PlannedTile& tile) const {
  for (const Placement& placement : job_.plan.of(tile))
    fill_pixels(destination(placement), job_.options.fill);
}

void TilePlacer::fill_background(uint32_t region) const {
  fill_around(job_.dst[region], job_.plan.covered[region], job_.options.fill);
}

ImageView TilePlacer::destination(const Placement& placement) const noexcept {
  const auto [x, y] = placement.dst;
  return job_.dst[placement.region].part({x, y, placement.src.w, placement.src.h});
}

}  // namespace microtome
