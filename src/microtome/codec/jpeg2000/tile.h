// Decodes one tile of a slide: from its codestream, mostly of one tile too, to pixels of any parts of it.
//
// Called by codec/jpeg2000.cc. Gives the library's pixels, or declines, and then what was written so far
// means nothing. Keeps layouts and scratch memory between tiles: once a slide's kinds of tiles were met, a
// tile allocates nothing. Not thread-safe: one TileDecoder per decoder.
//
// Order of reading, which is the data's way: codestream.h and coding.h (headers), layout.h and progression.h
// (what lies where), packets.h (bytes of code-blocks), coder-inl.h and block-inl.h (quantised values),
// lines-inl.h and wavelet-inl.h (images), finisher-inl.h and samples-inl.h (samples of the picture),
// pixels-inl.h, with tile-inl.h to drive them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "microtome/codec/codec.h"
#include "microtome/codec/jpeg2000/codestream.h"
#include "microtome/codec/jpeg2000/layout.h"
#include "microtome/codec/jpeg2000/packets.h"
#include "microtome/codec/jpeg2000/tile_job.h"
#include "microtome/codec/request.h"

namespace microtome::jpeg2000 {

class TileDecoder {
 public:
  TileDecoder();
  ~TileDecoder();

  /// Writes all of `want.parts`. `ycbcr`: the three components are YCbCr
  /// and are given as RGB. False: declined.
  bool decode(std::span<const std::byte> codestream, const TileFormat& format, bool ycbcr, const Want& want);

 private:
  struct Known {
    std::vector<std::byte> segments;
    size_t tile = 0;
    Layout layout;
    bool declined = false;
    uint64_t used = 0;
  };
  struct Memory;

  /// Null: declined.
  const Layout* layout_of(size_t tile);
  bool decode_part_of(size_t tile, const TileFormat& format, bool ycbcr, const Want& want);
  bool decode_tile(size_t tile, const TileFormat& format, bool ycbcr, const Want& want);
  bool take_memory(const Layout& layout, TileJob& job);

  static constexpr size_t kKept = 4;  // kinds of tiles; slides have one or two
  std::array<Known, kKept> known_;
  uint64_t uses_ = 0;
  Codestream stream_;
  std::vector<std::byte> segments_;
  std::vector<TilePart> parts_;
  PacketReader packets_;
  std::unique_ptr<Memory> memory_;
  Scratch row_;
};

}  // namespace microtome::jpeg2000
