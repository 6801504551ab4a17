// A tile's samples as its stream has them, before chroma is upsampled and colours are converted: for whoever
// does these elsewhere, such as a GPU.
//
// Given by Decoder::decode_planes() of a codec that can stop there. Plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "microtome/base/geometry.h"
#include "microtome/codec/jpeg/frame.h"

namespace microtome {

/// Planes of bytes that follow each other in one piece of memory, rows at multiples of kRowBytes.
struct PlaneLayout {
  static constexpr size_t kRowBytes = 16;

  Size size;  ///< Of the stream's picture in pixels: at least the tile's.
  jpeg::Sampling sampling = jpeg::Sampling::grey;
  uint8_t planes = 0;  ///< 1 or 3.
  std::array<Size, 3> plane;

  size_t pitch(size_t number) const noexcept {
    return (static_cast<size_t>(plane[number].w) + kRowBytes - 1) / kRowBytes * kRowBytes;
  }
  size_t offset(size_t number) const noexcept {
    size_t at = 0;
    for (size_t i = 0; i < number; ++i) at += pitch(i) * static_cast<size_t>(plane[i].h);
    return at;
  }
  size_t bytes() const noexcept { return offset(planes); }
};

}  // namespace microtome
