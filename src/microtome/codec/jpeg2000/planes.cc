#include "microtome/codec/jpeg2000/planes.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "microtome/simd/kernels.h"

namespace microtome::jpeg2000 {
namespace {

template <class T>
void interleave_as(std::span<const int32_t* const> rows, size_t width, std::byte* to) {
  constexpr auto kMin = static_cast<int64_t>(std::numeric_limits<T>::min());
  constexpr auto kMax = static_cast<int64_t>(std::numeric_limits<T>::max());
  for (size_t s = 0; s < rows.size(); ++s) {
    for (size_t i = 0; i < width; ++i) {
      const auto value = static_cast<T>(std::clamp<int64_t>(rows[s][i], kMin, kMax));
      std::memcpy(to + sizeof(T) * (i * rows.size() + s), &value, sizeof(T));
    }
  }
}

}  // namespace

const int32_t* plane_row(const Plane& plane, uint32_t x, uint32_t y, size_t width, int32_t* room) {
  const uint32_t row = std::min(std::max(y / plane.dy, plane.y0) - plane.y0, plane.h - 1);
  const int32_t* const samples = plane.data + size_t{row} * plane.w;
  const uint32_t first = std::max(x / plane.dx, plane.x0) - plane.x0;
  if (plane.dx == 1) return samples + first;
  const bool pairs = plane.dx == 2 && x % 2 == 0 && x / 2 >= plane.x0;
  if (pairs && first + (width + 1) / 2 <= plane.w) {
    simd::repeat_pairs(samples + first, (width + 1) / 2, room);
    return room;
  }
  for (size_t i = 0; i < width; ++i) {
    const auto at = static_cast<uint32_t>((x + i) / plane.dx);
    room[i] = samples[std::min(std::max(at, plane.x0) - plane.x0, plane.w - 1)];
  }
  return room;
}

void interleave_samples(std::span<const int32_t* const> rows, size_t width, SampleType type, std::byte* to) {
  switch (type) {
    case SampleType::u8:
      return simd::interleave(rows.data(), rows.size(), width, reinterpret_cast<uint8_t*>(to));
    case SampleType::u16:
      return simd::interleave_u16(rows.data(), rows.size(), width, to);
    case SampleType::i8:
      return interleave_as<int8_t>(rows, width, to);
    case SampleType::i16:
      return interleave_as<int16_t>(rows, width, to);
    case SampleType::u32:
      return interleave_as<uint32_t>(rows, width, to);
    default:
      return interleave_as<int32_t>(rows, width, to);
  }
}

}  // namespace microtome::jpeg2000
