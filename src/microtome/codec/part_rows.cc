#include "microtome/codec/part_rows.h"

#include <algorithm>
#include <cstring>

#include "microtome/simd/kernels.h"

namespace microtome {

Result<PartRows> PartRows::make(const Want& want, int64_t band, Scratch& scratch) {
  PartRows rows;
  rows.want_ = &want;
  rows.bounds_ = want.bounds();
  rows.band_ = band;
  rows.pixel_bytes_ = want.parts.front().dst.pixel_bytes();
  rows.row_bytes_ = rows.pixel_bytes_ * static_cast<size_t>(rows.bounds_.w);
  const auto takes_all = [&rows](const TilePart& part) { return part.src == rows.bounds_; };
  const auto home = std::find_if(want.parts.begin(), want.parts.end(), takes_all);
  if (home != want.parts.end()) {
    rows.home_ = &*home;
  } else {
    MICROTOME_ASSIGN(const std::span<std::byte> memory,
                     scratch.at_least(rows.row_bytes_ * static_cast<size_t>(band)));
    rows.scratch_ = memory.data();
  }
  return rows;
}

std::byte* PartRows::row(int64_t y) const noexcept {
  if (home_ != nullptr) return home_->dst.row(y - bounds_.y);
  return scratch_ + static_cast<size_t>((y - bounds_.y) % band_) * row_bytes_;
}

void PartRows::done(int64_t y) const {
  if (home_ == nullptr || want_->parts.size() > 1) copy(y, row(y), home_);
}

void PartRows::put(int64_t y, const std::byte* row) const {
  copy(y, row, nullptr);
}

void PartRows::copy(int64_t y, const std::byte* row, const TilePart* but) const {
  for (const TilePart& part : want_->parts) {
    if (&part == but || y < part.src.y || y >= part.src.bottom()) continue;
    const std::byte* const from = row + static_cast<size_t>(part.src.x - bounds_.x) * pixel_bytes_;
    std::byte* const to = part.dst.row(y - part.src.y);
    if (want_->stores == Stores::streaming) {
      simd::stream_copy(from, part.dst.row_bytes(), to);
    } else {
      std::memcpy(to, from, part.dst.row_bytes());
    }
  }
}

void PartRows::end() const {
  if (want_->stores == Stores::streaming) simd::stream_end();
}

}  // namespace microtome
