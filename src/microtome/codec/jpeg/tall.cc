#include "microtome/codec/jpeg/tall.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace microtome::jpeg {
namespace {

constexpr std::byte kMark{0xFF};
constexpr uint8_t kRst0 = 0xD0, kRst7 = 0xD7, kEoi = 0xD9;
constexpr size_t kMarkerBytes = 2;

uint32_t mcus_of(const Frame& frame) noexcept {
  const int64_t w = 8 * frame.h_max(), h = 8 * frame.v_max();
  return static_cast<uint32_t>(((frame.size.w + w - 1) / w) * ((frame.size.h + h - 1) / h));
}

/// Headers in memory that holds any: four tables of each kind, frame, interval, scan.
class Headers {
 public:
  void byte(unsigned value) { bytes_[size_++] = static_cast<std::byte>(value); }
  void word(unsigned value) {
    byte(value >> 8);
    byte(value & 255);
  }
  void marker(unsigned value) { word(0xFF00 | value); }

  void quant_table(unsigned id, const QuantTable& table) {
    const bool wide = is_wide(table);
    marker(0xDB);
    word(wide ? 2 + 1 + 128 : 2 + 1 + 64);
    byte(id | (wide ? 16U : 0U));
    for (const uint8_t at : kNaturalOrder) wide ? word(table.natural[at]) : byte(table.natural[at]);
  }

  void huffman_table(unsigned kind, unsigned id, const HuffmanSpec& table) {
    marker(0xC4);
    word(2U + 17U + table.size);
    byte(kind << 4 | id);
    for (size_t i = 1; i < table.counts.size(); ++i) byte(table.counts[i]);
    for (size_t i = 0; i < table.size; ++i) byte(table.symbols[i]);
  }

  static bool is_wide(const QuantTable& table) {
    return std::any_of(table.natural.begin(), table.natural.end(),
                       [](uint16_t value) { return value > 255; });
  }

  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }

 private:
  static constexpr size_t kMost = 2 + 4 * (5 + 128) + 8 * (5 + 16 + 256) + 19 + 6 + 14;
  std::array<std::byte, kMost> bytes_;
  size_t size_ = 0;
};

struct Used {
  std::array<bool, 4> quant{}, dc{}, ac{};
};

Used used_by(const Frame& frame) {
  Used used;
  for (size_t i = 0; i < frame.components; ++i) {
    used.quant[frame.component[i].quant] = true;
    used.dc[frame.component[i].dc] = true;
    used.ac[frame.component[i].ac] = true;
  }
  return used;
}

/// Whether baseline has room for it: two Huffman tables of a kind, 8-bit quantisation.
bool is_baseline(const Frame& frame, const Used& used) {
  for (size_t id = 0; id < 4; ++id) {
    if (id > 1 && (used.dc[id] || used.ac[id])) return false;
    if (used.quant[id] && Headers::is_wide(frame.tables.quant[id])) return false;
  }
  return true;
}

void put_word(std::span<std::byte> to, size_t at, uint32_t value) {
  to[at] = static_cast<std::byte>(value >> 8);
  to[at + 1] = static_cast<std::byte>(value & 255);
}

/// Gives restart markers their numbers anew, from `number` on.
void renumber(std::span<std::byte> scan, uint32_t& number) {
  for (size_t i = 0; i + 1 < scan.size(); ++i) {
    if (scan[i] != kMark) continue;
    const auto code = std::to_integer<uint8_t>(scan[++i]);
    if (code >= kRst0 && code <= kRst7) scan[i] = static_cast<std::byte>(kRst0 + number++ % 8);
  }
}

/// All in front of the entropy-coded data.
void write(const Frame& frame, uint32_t interval, Headers& to, TallParts& parts) {
  const Used used = used_by(frame);
  to.marker(0xD8);
  for (unsigned id = 0; id < 4; ++id)
    if (used.quant[id]) to.quant_table(id, frame.tables.quant[id]);
  to.marker(is_baseline(frame, used) ? 0xC0 : 0xC1);
  to.word(8U + 3U * frame.components);
  to.byte(8);
  parts.height_at = to.size();
  to.word(static_cast<unsigned>(frame.size.h));
  to.word(static_cast<unsigned>(frame.size.w));
  to.byte(frame.components);
  for (size_t i = 0; i < frame.components; ++i) {
    const Component& c = frame.component[i];
    to.byte(c.id);
    to.byte(static_cast<unsigned>(c.h << 4 | c.v));
    to.byte(c.quant);
  }
  for (unsigned id = 0; id < 4; ++id) {
    if (used.dc[id]) to.huffman_table(0, id, frame.tables.dc[id]);
    if (used.ac[id]) to.huffman_table(1, id, frame.tables.ac[id]);
  }
  if (interval != 0) {
    parts.interval_at = to.size();
    to.marker(0xDD);
    to.word(4);
    to.word(interval);
  }
  to.marker(0xDA);
  to.word(6U + 2U * frame.components);
  to.byte(frame.components);
  for (size_t i = 0; i < frame.components; ++i) {
    to.byte(frame.component[i].id);
    to.byte(static_cast<unsigned>(frame.component[i].dc << 4 | frame.component[i].ac));
  }
  for (const unsigned value : {0U, 63U, 0U}) to.byte(value);
}

}  // namespace

std::optional<size_t> checked_scan_bytes(const Frame& frame) {
  const uint32_t interval = frame.restart_interval;
  const uint32_t expected = interval == 0 ? 0 : (mcus_of(frame) + interval - 1) / interval - 1;
  uint32_t seen = 0;
  const std::byte* const begin = frame.scan.data();
  const std::byte* const end = begin + frame.scan.size();
  for (const std::byte* at = begin; end - at >= static_cast<ptrdiff_t>(kMarkerBytes); at += kMarkerBytes) {
    at = static_cast<const std::byte*>(std::memchr(at, 0xFF, static_cast<size_t>(end - at) - 1));
    if (at == nullptr) break;
    const auto code = std::to_integer<uint8_t>(at[1]);
    if (code == 0) continue;
    if (code == kEoi) return seen == expected ? std::optional(static_cast<size_t>(at - begin)) : std::nullopt;
    if (code < kRst0 || code > kRst7 || seen == expected || code - kRst0 != static_cast<int>(seen % 8))
      return std::nullopt;
    ++seen;
  }
  return std::nullopt;
}

bool is_joinable(const Frame& frame) noexcept {
  constexpr uint32_t kMostInterval = 65535;
  const uint32_t mcus = mcus_of(frame);
  if (frame.size.h % (8 * frame.v_max()) != 0) return false;
  return frame.restart_interval == 0 ? mcus <= kMostInterval : mcus % frame.restart_interval == 0;
}

bool are_alike(const Frame& a, const Frame& b) noexcept {
  if (a.size != b.size || a.components != b.components || a.restart_interval != b.restart_interval)
    return false;
  for (size_t i = 0; i < a.components; ++i) {
    const Component &x = a.component[i], &y = b.component[i];
    if (x.id != y.id || x.h != y.h || x.v != y.v || x.quant != y.quant || x.dc != y.dc || x.ac != y.ac)
      return false;
    if (a.tables.quant[x.quant] != b.tables.quant[x.quant] || a.tables.dc[x.dc] != b.tables.dc[x.dc] ||
        a.tables.ac[x.ac] != b.tables.ac[x.ac])
      return false;
  }
  return true;
}

bool TallStream::put(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() > room_.size() - size_) return false;
  std::memcpy(room_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

bool TallStream::begin(const Frame& frame, bool joins, std::span<std::byte> room) {
  room_ = room;
  size_ = 0;
  restarts_ = 0;
  parts_ = {};
  parts_.tile_height = static_cast<uint32_t>(frame.size.h);
  parts_.own_restarts = frame.restart_interval != 0;
  Headers headers;
  write(frame, parts_.own_restarts ? frame.restart_interval : joins ? mcus_of(frame) : 0, headers, parts_);
  parts_.header_bytes = headers.size();
  return put(headers.bytes());
}

bool TallStream::add(const Frame& frame, size_t scan_bytes) {
  const size_t between = tiles() > 0 ? kMarkerBytes : 0;
  const size_t left = room_.size() - size_;
  if (left < between + kMarkerBytes || scan_bytes > left - between - kMarkerBytes) return false;
  if ((tiles() + 1) * parts_.tile_height > kMostHeight) return false;
  parts_.scans.reserve(parts_.scans.size() + 1);
  if (between > 0) {
    room_[size_++] = kMark;
    room_[size_++] = static_cast<std::byte>(kRst0 + restarts_++ % 8);
  }
  parts_.scans.emplace_back(size_, size_ + scan_bytes);
  static_cast<void>(put(frame.scan.first(scan_bytes)));
  if (parts_.own_restarts) renumber(room_.subspan(size_ - scan_bytes, scan_bytes), restarts_);
  return true;
}

std::span<const std::byte> TallStream::end() {
  put_word(room_, parts_.height_at, parts_.tile_height * tiles());
  room_[size_++] = kMark;
  room_[size_++] = static_cast<std::byte>(kEoi);
  return room_.first(size_);
}

std::vector<std::byte> one_of(std::span<const std::byte> tall, const TallParts& parts, size_t number) {
  constexpr size_t kInterval = 6;  // bytes of its segment, which the tile had none of
  const auto [begin, end] = parts.scans[number];
  const bool drops = parts.interval_at != 0 && !parts.own_restarts;
  const size_t head = drops ? parts.interval_at : parts.header_bytes;
  std::vector<std::byte> one(tall.begin(), tall.begin() + static_cast<ptrdiff_t>(head));
  const auto append = [&](size_t from, size_t to) {
    one.insert(one.end(), tall.begin() + static_cast<ptrdiff_t>(from),
               tall.begin() + static_cast<ptrdiff_t>(to));
  };
  if (drops) append(head + kInterval, parts.header_bytes);
  put_word(one, parts.height_at, parts.tile_height);
  append(begin, end);
  uint32_t restarts = 0;
  renumber(std::span(one).subspan(one.size() - (end - begin)), restarts);
  one.push_back(kMark);
  one.push_back(static_cast<std::byte>(kEoi));
  return one;
}

}  // namespace microtome::jpeg
