// Finished samples to where they are wanted: rows of pixels into every part that has them, from planes that
// are still in the nearest cache.
//
// Included by tile-inl.h and compiled once per instruction set.
#if defined(MICROTOME_CODEC_JPEG_EMIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_EMIT_INL_H_
#undef MICROTOME_CODEC_JPEG_EMIT_INL_H_
#else
#define MICROTOME_CODEC_JPEG_EMIT_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "microtome/codec/jpeg/pairs-inl.h"
#include "microtome/codec/jpeg/rows-inl.h"
#include "microtome/codec/jpeg/tile_job.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

class Emit {
 public:
  explicit Emit(const TileJob& job) : job_(job) {}

  // Pixels of rows begin…end - 1, whose samples are in the planes.
  void rows(int64_t begin, int64_t end) const {
    for (const TilePart& part : job_.parts) part_rows(part, begin, end);
  }

  // The same where all samples are those of set_flat().
  void flat(int64_t begin, int64_t end) const;
  void set_flat(const std::array<uint8_t, 3>& samples);

  // Rows begin…end - 1 come next: has the ends of theirs fetched that will not be streamed.
  //
  // Such a line shares its 64 bytes with the tile beside it and must be read before it can be written.
  // Nothing foresees that, and stores wait in order: without this, each row of pixels waits for memory twice.
  void expect(int64_t begin, int64_t end) const;

  // Samples of MCU row m.
  void planes(int64_t m) const;

 private:
  static uint8_t* row_of(const TilePart& part, int64_t y) {
    return reinterpret_cast<uint8_t*>(part.dst.row(y - part.src.y));
  }
  // Row y of a chroma plane, or the edge's beyond it.
  const uint8_t* chroma(size_t c, int64_t y) const {
    return job_.planes[c].row(std::clamp<int64_t>(y, 0, job_.layout.component[c].height - 1));
  }
  // What write_ycc_pairs() asks for.
  struct Rows {
    const Emit& emit;
    const TilePart& part;
    const uint8_t* luma(int64_t y) const { return emit.job_.planes[0].row(y); }
    const uint8_t* chroma(size_t c, int64_t r) const { return emit.chroma(c, r); }
    uint8_t* out(int64_t y) const { return row_of(part, y); }
  };
  void part_rows(const TilePart& part, int64_t begin, int64_t end) const;
  void row(const TilePart& part, int64_t y) const;

  const TileJob& job_;
  FlatRow flat_row_{};
};

inline void Emit::expect(int64_t begin, int64_t end) const {
  if (!job_.stream) return;
  for (const TilePart& part : job_.parts) {
    const int64_t y0 = std::max(begin, part.src.y), y1 = std::min(end, part.src.bottom());
    for (int64_t y = y0; y < y1; ++y) fetch_ends(row_of(part, y), static_cast<size_t>(part.dst.row_bytes()));
  }
}

inline void Emit::part_rows(const TilePart& part, int64_t begin, int64_t end) const {
  const Layout& layout = job_.layout;
  const int64_t y0 = std::max(begin, part.src.y), y1 = std::min(end, part.src.bottom());
  if (layout.across != Stretch::fancy || layout.down != Stretch::fancy) {
    for (int64_t y = y0; y < y1; ++y) row(part, y);
  } else if (y0 < y1) {
    write_ycc_pairs(Rows{*this, part}, y0, y1, static_cast<size_t>(part.src.x),
                    static_cast<size_t>(part.src.right()), job_.stream);
  }
}

inline void Emit::row(const TilePart& part, int64_t y) const {
  const Layout& layout = job_.layout;
  const auto x0 = static_cast<size_t>(part.src.x), x1 = static_cast<size_t>(part.src.right());
  uint8_t* const out = row_of(part, y);
  const uint8_t* const luma = job_.planes[0].row(y);
  if (layout.components == 1) return write_grey_row(luma, x0, x1, out, job_.stream);
  const int64_t near = layout.down == Stretch::none ? y : y / 2, far = y % 2 == 0 ? near - 1 : near + 1;
  const RowSource from{luma, {chroma(1, near), chroma(2, near)}, {chroma(1, far), chroma(2, far)}};
  if (!job_.ycbcr) return write_rgb_row(from, x0, x1, out, job_.stream);
  Upsampling how = Upsampling::none;
  if (layout.across == Stretch::replicate)
    how = Upsampling::across_repeat;
  else if (layout.across == Stretch::fancy)
    how = Upsampling::across;
  else if (layout.down == Stretch::fancy)
    how = y % 2 == 0 ? Upsampling::down_upper : Upsampling::down_lower;
  write_ycc_row(how, from, x0, x1, out, job_.stream);
}

inline void Emit::flat(int64_t begin, int64_t end) const {
  for (const TilePart& part : job_.parts) {
    const int64_t y0 = std::max(begin, part.src.y), y1 = std::min(end, part.src.bottom());
    for (int64_t y = y0; y < y1; ++y)
      write_flat_row(flat_row_, part.dst.row_bytes(), row_of(part, y), job_.stream);
  }
}

// The pixel is made as all others are, from rows of the samples.
inline void Emit::set_flat(const std::array<uint8_t, 3>& samples) {
  if (job_.layout.components == 1 || !job_.ycbcr) {
    flat_row_ = flat_row(samples.data(), static_cast<size_t>(job_.layout.components));
    return;
  }
  constexpr size_t kBefore = 64, kAfter = 128;  // what row kernels may read around a pixel
  uint8_t rows[3][kBefore + kAfter];
  for (size_t c = 0; c < 3; ++c) std::memset(rows[c], samples[c], sizeof rows[c]);
  const RowSource from{rows[0] + kBefore, {rows[1] + kBefore, rows[2] + kBefore}, {nullptr, nullptr}};
  uint8_t pixel[3];
  write_ycc_row(Upsampling::none, from, 0, 1, pixel, false);
  flat_row_ = flat_row(pixel, 3);
}

inline void Emit::planes(int64_t m) const {
  for (size_t c = 0; c < static_cast<size_t>(job_.layout.components); ++c) {
    const ComponentLayout& component = job_.layout.component[c];
    const int64_t rows = component.v * component.block;
    const int64_t end = std::min((m + 1) * rows, component.height);
    for (int64_t y = m * rows; y < end; ++y) {
      std::memcpy(job_.planes_out[c].row(y), job_.planes[c].row(y), static_cast<size_t>(component.width));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // MICROTOME_CODEC_JPEG_EMIT_INL_H_
