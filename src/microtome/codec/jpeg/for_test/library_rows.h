// Samples of a random picture as libjpeg-turbo decodes them, and the pixels that it makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace microtome::jpeg::test {

/// Rows with exactly the margins that upsample.h promises, so that the sanitizer sees a read beyond them.
struct Plane {
  static constexpr size_t kBefore = 64, kBehind = 128;
  size_t w, h;
  std::vector<std::vector<uint8_t>> rows;
  Plane(size_t width, size_t height) : w(width), h(height), rows(h) {
    for (auto& row : rows) row.assign(kBefore + w + kBehind, 0x77);
  }
  uint8_t* row(size_t y) { return rows[y].data() + kBefore; }
  void repeat_edges() {
    for (size_t y = 0; y < h; ++y) {
      row(y)[-1] = row(y)[0];
      row(y)[w] = row(y)[w - 1];
    }
  }
};

struct Image {
  size_t w, h;
  std::vector<Plane> planes;
  std::vector<uint8_t> rgb;  ///< As the library upsamples and converts it
};

/// w x h random pixels at quality 100, chroma `across` times as narrow and `down` times as low.
Image library_image(size_t w, size_t h, int across, int down, std::mt19937& random);

/// What the library makes of interleaved YCbCr pixels at quality 100, 4:4:4.
std::vector<uint8_t> library_rgb(const std::vector<uint8_t>& ycc, size_t w, size_t h);

}  // namespace microtome::jpeg::test
