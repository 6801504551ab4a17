// The scatter kernel's sources of three bytes a pixel: samples, upsampled and converted.
//
// Integers alone, and libjpeg-turbo's results: Notes [Triangle upsampling] and [Colour in 16 bits] in
// codec/jpeg; for planes of JPEG 2000 those of the CPU path.
//
// Plain C++ for both compilers: see scatter_types.h.
#pragma once

#include "microtome/read/gpu/scatter_types.h"

namespace microtome::gpu::core {

MICROTOME_GPU_INLINE uint64_t row_address(const ScatterPiece& piece, int plane, int y) {
  return piece.plane[plane] + static_cast<uint64_t>(piece.pitch[plane]) * static_cast<uint32_t>(y);
}

/// Plane `plane` where it is as large as the tile. Columns outside the run's own repeat these.
MICROTOME_GPU_INLINE void load_whole(const ScatterPiece& piece, const Run& run, int plane, int (&to)[kRun]) {
  const uint64_t row = row_address(piece, plane, run.y);
  for (int i = 0; i < static_cast<int>(kRun); ++i)
    to[i] = load<uint8_t>(row + static_cast<uint32_t>(run.x + clamp(i, run.first, run.last - 1)));
}

MICROTOME_GPU_INLINE bool is_filtered_down(Chroma chroma) {
  return chroma == Chroma::down || chroma == Chroma::both;
}

/// The rows of a smaller plane that output row y takes: where only one counts, both are it.
struct ChromaRows {
  uint64_t near, far;
};

MICROTOME_GPU_INLINE ChromaRows chroma_rows(const ScatterPiece& piece, const Run& run, int plane) {
  if (piece.chroma == Chroma::across || piece.chroma == Chroma::across_repeat) {
    const uint64_t row = row_address(piece, plane, run.y);
    return {row, row};
  }
  const int near = run.y >> 1, last = static_cast<int>(piece.chroma_h) - 1;
  const int far = clamp(near + (run.y & 1 ? 1 : -1), 0, last);
  return {row_address(piece, plane, near), row_address(piece, plane, far)};
}

/// A column of a smaller plane: three parts of the near row and one of the far, or the near row alone.
MICROTOME_GPU_INLINE int chroma_column(const ChromaRows& rows, bool filtered, int column) {
  const int near = load<uint8_t>(rows.near + static_cast<uint32_t>(column));
  return filtered ? 3 * near + load<uint8_t>(rows.far + static_cast<uint32_t>(column)) : near;
}

/// A plane that is half as high only.
MICROTOME_GPU_INLINE void upsample_down(const ScatterPiece& piece, const Run& run, int plane,
                                        int (&to)[kRun]) {
  const ChromaRows rows = chroma_rows(piece, run, plane);
  const int bias = run.y & 1 ? 2 : 1;
  for (int i = 0; i < static_cast<int>(kRun); ++i)
    to[i] = (chroma_column(rows, true, run.x + clamp(i, run.first, run.last - 1)) + bias) >> 2;
}

/// A plane that is half as wide. The four pixels take at most four columns; which, depends on whether the
/// first pixel's column is even. Neighbours beyond an edge are the edge's column itself.
MICROTOME_GPU_INLINE void upsample_across(const ScatterPiece& piece, const Run& run, int plane,
                                          int (&to)[kRun]) {
  const bool filtered = is_filtered_down(piece.chroma), odd = run.x & 1;
  const ChromaRows rows = chroma_rows(piece, run, plane);
  const int first = (run.x - 1) >> 1, last = static_cast<int>(piece.chroma_w) - 1;
  int column[4];
  for (int i = 0; i < 4; ++i) column[i] = chroma_column(rows, filtered, clamp(first + i, 0, last));
  const int near[4] = {odd ? column[0] : column[1], column[1], odd ? column[1] : column[2], column[2]};
  if (piece.chroma == Chroma::across_repeat || piece.chroma == Chroma::both_repeat) {
    for (int i = 0; i < static_cast<int>(kRun); ++i) to[i] = near[i];
    return;
  }
  const int next[4] = {odd ? column[1] : column[0], odd ? column[0] : column[2], odd ? column[2] : column[1],
                       odd ? column[1] : column[3]};
  for (int i = 0; i < static_cast<int>(kRun); ++i) {
    const bool right = ((i & 1) != 0) != odd;
    const int sum = 3 * near[i] + next[i];
    to[i] = filtered ? (sum + (right ? 7 : 8)) >> 4 : (sum + (right ? 2 : 1)) >> 2;
  }
}

MICROTOME_GPU_INLINE void load_chroma(const ScatterPiece& piece, const Run& run, int plane, int (&to)[kRun]) {
  if (piece.chroma == Chroma::whole)
    load_whole(piece, run, plane, to);
  else if (piece.chroma == Chroma::down)
    upsample_down(piece, run, plane, to);
  else
    upsample_across(piece, run, plane, to);
}

MICROTOME_GPU_INLINE void to_rgb(Colours& colours) {
  for (uint32_t i = 0; i < kRun; ++i) {
    const int y = colours.value[0][i], cb = colours.value[1][i] - 128, cr = colours.value[2][i] - 128;
    colours.value[0][i] = clamp(y + ((91881 * cr + 32768) >> 16), 0, 255);
    colours.value[1][i] = clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16), 0, 255);
    colours.value[2][i] = clamp(y + ((116130 * cb + 32768) >> 16), 0, 255);
  }
}

/// Factors of 2^22, and a little more than a half, by which exact halves go up and nothing else does: the
/// test goes through all values.
MICROTOME_GPU_INLINE void to_exact_rgb(Colours& colours) {
  constexpr int kBits = 22, kHalf = (1 << (kBits - 1)) + 64;
  for (uint32_t i = 0; i < kRun; ++i) {
    const int y = colours.value[0][i], cb = colours.value[1][i] - 128, cr = colours.value[2][i] - 128;
    colours.value[0][i] = clamp(y + ((5880414 * cr + kHalf) >> kBits), 0, 255);
    colours.value[1][i] = clamp(y + ((-1443412 * cb - 2995305 * cr + kHalf) >> kBits), 0, 255);
    colours.value[2][i] = clamp(y + ((7432307 * cb + kHalf) >> kBits), 0, 255);
  }
}

MICROTOME_GPU_INLINE void load_colours(const ScatterPiece& piece, const Run& run, Colours& to) {
  if (piece.source == PieceSource::pixels) {
    const uint64_t row = row_address(piece, 0, run.y);
    for (int i = 0; i < static_cast<int>(kRun); ++i) {
      const auto column = static_cast<uint32_t>(run.x + clamp(i, run.first, run.last - 1));
      for (uint32_t c = 0; c < 3; ++c) to.value[c][i] = load<uint8_t>(row + 3 * column + c);
    }
    return;
  }
  load_whole(piece, run, 0, to.value[0]);
  load_chroma(piece, run, 1, to.value[1]);
  load_chroma(piece, run, 2, to.value[2]);
  if (piece.ycbcr == YcbcrToRgb::jpeg) to_rgb(to);
  if (piece.ycbcr == YcbcrToRgb::exact) to_exact_rgb(to);
}

}  // namespace microtome::gpu::core
