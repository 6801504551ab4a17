// Decodes one tile whose frame was read: pixels of any parts of it, or its planes.
//
// Called by codec/jpeg.cc after markers.h. Either gives exactly the library's pixels, or declines, and then
// what was written so far means nothing. Keeps tables and scratch memory between tiles. Not thread-safe: one
// TileDecoder per decoder.
//
// Order of reading, which is the data's way: unstuff.h (bytes), huffman.h (tables), entropy-inl.h (symbols),
// scan-inl.h (chunks of coefficients), idct-inl.h (samples), rows-inl.h (pixels), with tile-inl.h to drive
// them and layout.h for what lies where.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg/frame.h"
#include "microtome/codec/jpeg/huffman.h"
#include "microtome/codec/jpeg/tile_job.h"
#include "microtome/codec/jpeg/unstuff.h"

namespace microtome::jpeg {

class TileDecoder {
 public:
  TileDecoder();
  ~TileDecoder();

  /// Writes all of `want.parts`, which lie inside the frame at 1 / 2^want.reduce of its size, 0 to 3: the
  /// library's scale_num of 8, 4, 2 or 1. `ycbcr`: what three components are; otherwise RGB. False: declined.
  bool decode(const Frame& frame, bool ycbcr, const Want& want);

  /// Writes the samples of each component as the frame has them, subsampled where it is. `planes` are of the
  /// sizes that plane_size() gives, of one sample per pixel. False: declined.
  bool decode_planes(const Frame& frame, std::span<const ImageView> planes);

  static Size plane_size(const Frame& frame, int component);

 private:
  struct Memory;

  bool prepare(const Frame& frame, const Rect& bounds, int reduce, TileJob& job);
  bool take_tables(const Frame& frame, TileJob& job);
  bool take_memory(TileJob& job);
  bool run(const TileJob& job);

  Unstuffer unstuffer_;
  TableCache tables_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace microtome::jpeg
