#include "microtome/read/constant_tiles.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace microtome {

namespace {

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
  return a.size() == b.size() && (a.data() == b.data() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

bool same_but_tables(const TileFormat& a, const TileFormat& b) noexcept {
  return a.compression == b.compression && a.color == b.color && a.predictor == b.predictor &&
         a.type == b.type && a.samples == b.samples && a.bits == b.bits && a.planar == b.planar &&
         a.big_endian == b.big_endian && a.lsb_first == b.lsb_first && a.size == b.size &&
         a.rgb_form == b.rgb_form && (a.color != Color::ycbcr || a.ycbcr == b.ycbcr);
}

/// Tissue says no within its first pixels.
bool is_constant(const ImageView& view) noexcept {
  if (view.size.empty()) return false;
  const size_t pixel = view.pixel_bytes(), row = view.row_bytes();
  if (std::memcmp(view.row(0) + pixel, view.row(0), row - pixel) != 0) return false;
  for (int64_t y = 1; y < view.size.h; ++y) {
    if (std::memcmp(view.row(y), view.row(0), row) != 0) return false;
  }
  return true;
}

/// Whether all pixels of all parts are equal. Looks at a few of each first: a part that is read to its end
/// should be worth it.
bool are_constant(std::span<const TilePart> parts) noexcept {
  const size_t pixel = parts.front().dst.pixel_bytes();
  const std::byte* const first = parts.front().dst.data;
  for (const TilePart& part : parts) {
    const auto [w, h] = part.src.size();
    for (const Point at : {Point{0, 0}, Point{w / 2, h / 2}, Point{w - 1, h - 1}}) {
      if (std::memcmp(part.dst.part({at.x, at.y, 1, 1}).data, first, pixel) != 0) return false;
    }
  }
  return std::all_of(parts.begin(), parts.end(), [](const TilePart& part) { return is_constant(part.dst); });
}

/// Whether `parts` cover `region`: what each leaves of it is cut into rectangles for the next.
bool cover(std::span<const TilePart> parts, const Rect& region) {
  std::vector<Rect> left{region}, next;
  for (const TilePart& part : parts) {
    next.clear();
    for (const Rect& rect : left) {
      const Rect cut = intersect(rect, part.src);
      if (cut.empty()) {
        next.push_back(rect);
        continue;
      }
      const Rect around[] = {{rect.x, rect.y, rect.w, cut.y - rect.y},
                             {rect.x, cut.bottom(), rect.w, rect.bottom() - cut.bottom()},
                             {rect.x, cut.y, cut.x - rect.x, cut.h},
                             {cut.right(), cut.y, rect.right() - cut.right(), cut.h}};
      std::copy_if(std::begin(around), std::end(around), std::back_inserter(next),
                   [](const Rect& r) { return !r.empty(); });
    }
    left.swap(next);
    if (left.empty()) return true;
  }
  return false;
}

int64_t area(const Rect& rect) noexcept {
  return rect.w * rect.h;
}

}  // namespace

bool same_encoding(const TileFormat& a, const TileFormat& b) noexcept {
  return &a == &b || (same_but_tables(a, b) && same_bytes(a.tables.data, b.tables.data));
}

ConstantTiles::Entry* ConstantTiles::entry_of(std::span<const std::byte> packed,
                                              const TileFormat& format) noexcept {
  if (packed.size() > kMaxPackedBytes) return nullptr;
  for (Entry& entry : entries_) {
    if (entry.packed.size() == packed.size() && same_bytes(entry.packed, packed) &&
        same_but_tables(entry.format, format) && same_bytes(entry.tables, format.tables.data))
      return &entry;
  }
  return nullptr;
}

std::span<const std::byte> ConstantTiles::find(std::span<const std::byte> packed, const TileFormat& format,
                                               const Rect& region) noexcept {
  Entry* const entry = entry_of(packed, format);
  if (entry == nullptr || !entry->region.contains(region)) return {};
  entry->last_used = ++now_;
  return entry->pixel;
}

void ConstantTiles::note(std::span<const std::byte> packed, const TileFormat& format,
                         std::span<const TilePart> parts) {
  if (packed.size() > kMaxPackedBytes || !are_constant(parts)) return;
  const Rect region = Want{parts}.bounds();
  if (!cover(parts, region)) return;
  const ImageView& pixels = parts.front().dst;
  if (Entry* const known = entry_of(packed, format); known != nullptr) {
    if (area(known->region) < area(region)) {
      known->region = region;
      known->pixel.assign(pixels.data, pixels.data + pixels.pixel_bytes());
    }
    return;
  }
  Entry entry{{packed.begin(), packed.end()},
              {format.tables.data.begin(), format.tables.data.end()},
              format,
              region,
              {pixels.data, pixels.data + pixels.pixel_bytes()},
              ++now_};
  entry.format.tables = {};
  if (entries_.size() < kMaxEntries) {
    entries_.push_back(std::move(entry));
    return;
  }
  *std::min_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.last_used < b.last_used;
  }) = std::move(entry);
}

}  // namespace microtome
