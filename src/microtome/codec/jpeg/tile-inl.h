// One tile, MCU row by MCU row: coefficients, then samples in two rows of MCUs that stay in the nearest
// caches, then pixels of the rows that are complete.
//
// Included by tile.cc and compiled once per instruction set.
//
// Note [Rows lag where chroma is filtered down]
// With vertical filtering the last row of pixels of an MCU row takes chroma from the next one: after MCU row
// m, pixels up to the last but one are complete. Two MCU rows are all that is ever needed.
//
// Note [Flat rows]
// An MCU row in which every MCU is blank has one colour. It is not transformed: its samples are filled into
// the planes, for rows that filter into it, and its pixels are stores of a pattern. From the third such row
// on the planes hold the colour already.
#if defined(MICROTOME_CODEC_JPEG_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_TILE_INL_H_
#undef MICROTOME_CODEC_JPEG_TILE_INL_H_
#else
#define MICROTOME_CODEC_JPEG_TILE_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "microtome/codec/jpeg/emit-inl.h"
#include "microtome/codec/jpeg/idct_reduced-inl.h"
#include "microtome/codec/jpeg/scan-inl.h"
#include "microtome/codec/jpeg/tile_job.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

class TileRun {
 public:
  explicit TileRun(const TileJob& job) : job_(job), scan_(job, job.coefficients), emit_(job) {}

  // False: decline.
  bool run();

 private:
  bool decode_row(int64_t m);
  bool decode_chunks(int64_t blank, int64_t m, bool keep);
  void transform(int64_t m, int64_t chunk, int mcus);
  void replicate_edges(int64_t m);
  void flat_row(int64_t m);
  void sample_predictions();
  void fill_row(int64_t m);
  void emit(int64_t m, bool flat);

  // The rows of pixels that MCU row m completes, as far as they are wanted; maybe none.
  struct Rows {
    int64_t begin, end;
  };
  Rows completed_by(int64_t m) const;

  const TileJob& job_;
  Scan scan_;
  Emit emit_;
  bool out_of_range_ = false;
  int64_t flat_run_ = 0;  // needed MCU rows up to the last one that were flat, of one colour
  std::array<int, 3> flat_dc_{};
  std::array<uint8_t, 3> flat_{};  // samples of flat_dc_
};

inline bool TileRun::run() {
  for (int64_t m = 0; m <= job_.needed.stop_row; ++m) {
    if (!decode_row(m)) return false;
  }
  return job_.needed.whole ? scan_.at_end() : scan_.is_inside();
}

inline bool TileRun::decode_row(int64_t m) {
  const bool keep = m >= job_.needed.first_row && m <= job_.needed.last_row;
  const int64_t mcus = job_.layout.mcus_across, blank = scan_.skip_blank(mcus);
  const bool flat = blank == mcus;
  if (keep) emit_.expect(completed_by(m).begin, completed_by(m).end);
  if (flat && keep) {
    flat_row(m);
  } else if (!flat) {
    flat_run_ = 0;
    if (!decode_chunks(blank, m, keep)) return false;
    if (keep) replicate_edges(m);
  }
  if (out_of_range_) return false;
  if (keep) emit(m, flat);
  return true;
}

inline bool TileRun::decode_chunks(int64_t blank, int64_t m, bool keep) {
  const int64_t mcus = job_.layout.mcus_across;
  for (int64_t first = 0, chunk = 0; first < mcus; first += job_.layout.chunk_mcus, ++chunk) {
    const bool transformed = keep && chunk >= job_.needed.first_chunk && chunk <= job_.needed.last_chunk;
    const int count = static_cast<int>(std::min<int64_t>(job_.layout.chunk_mcus, mcus - first));
    const int read = static_cast<int>(std::clamp<int64_t>(blank - first, 0, count));
    if (!scan_.decode_chunk(count, read, transformed)) return false;
    if (transformed) transform(m, chunk, count);
  }
  return true;
}

// A group to rows of blocks of `side` samples.
HWY_INLINE bool transform_group(int side, int16_t* group, const int16_t* quant, uint8_t* out, size_t stride) {
  if (HWY_LIKELY(side == 8)) return idct_group(group, quant, out, stride);
  if (side == 4) return idct_group_reduced<4>(group, quant, out, stride);
  if (side == 2) return idct_group_reduced<2>(group, quant, out, stride);
  return idct_group_reduced<1>(group, quant, out, stride);
}

HWY_NOINLINE void TileRun::transform(int64_t m, int64_t chunk, int mcus) {
  const int chunk_mcus = job_.layout.chunk_mcus;
  bool out_of_range = false;
  for (size_t c = 0; c < static_cast<size_t>(job_.layout.components); ++c) {
    const ComponentLayout& component = job_.layout.component[c];
    const Plane& plane = job_.planes[c];
    const int across = 4 * component.block, groups = (mcus * component.h + 3) / 4;
    const int16_t* const quant = job_.quant[c].data();
    const int64_t left = chunk * chunk_mcus * component.h * component.block;
    // Groups without a needed block are only cleared, as the transform would leave them.
    const int64_t block = chunk * chunk_mcus * component.h;
    const int64_t begin = job_.needed.first_mcu * component.h, end = (job_.needed.last_mcu + 1) * component.h;
    for (int v = 0; v < component.v; ++v) {
      const int first = (component.first_slot + v * component.h) * chunk_mcus / 4;
      int16_t* group = job_.coefficients + static_cast<size_t>(first) * kGroupSize;
      uint8_t* out = plane.row((m * component.v + v) * component.block) + left;
      for (int g = 0; g < groups; ++g, group += kGroupSize, out += across) {
        if (HWY_LIKELY(block + 4 * g < end && block + 4 * g + 4 > begin))
          out_of_range |= transform_group(component.block, group, quant, out, plane.stride);
        else
          std::memset(group, 0, 8 * kGroupRow * sizeof(int16_t));
      }
    }
  }
  out_of_range_ |= out_of_range;
}

// Beyond its edges the triangle filter sees the edge's sample again.
inline void TileRun::replicate_edges(int64_t m) {
  if (job_.layout.across != Stretch::fancy) return;
  for (size_t c = 1; c < 3; ++c) {
    const ComponentLayout& component = job_.layout.component[c];
    const int64_t rows = component.v * component.block;
    for (int64_t y = m * rows; y < (m + 1) * rows; ++y) {
      uint8_t* const row = job_.planes[c].row(y);
      row[-1] = row[0];
      row[component.width] = row[component.width - 1];
    }
  }
}

inline void TileRun::flat_row(int64_t m) {
  if (flat_run_ == 0 || flat_dc_ != scan_.predictions()) {
    flat_run_ = 0;
    sample_predictions();
  }
  if (++flat_run_ <= 2) fill_row(m);
}

// By the inverse DCT itself, so that there is one definition of what a block of DC only looks like.
inline void TileRun::sample_predictions() {
  flat_dc_ = scan_.predictions();
  alignas(64) uint8_t samples[8 * 32];
  for (size_t c = 0; c < static_cast<size_t>(job_.layout.components); ++c) {
    job_.coefficients[0] = static_cast<int16_t>(flat_dc_[c]);
    out_of_range_ |=
        transform_group(job_.layout.component[c].block, job_.coefficients, job_.quant[c].data(), samples, 32);
    flat_[c] = samples[0];
  }
  emit_.set_flat(flat_);
}

inline void TileRun::fill_row(int64_t m) {
  for (size_t c = 0; c < static_cast<size_t>(job_.layout.components); ++c) {
    const ComponentLayout& component = job_.layout.component[c];
    const int64_t rows = component.v * component.block;
    for (int64_t y = m * rows; y < (m + 1) * rows; ++y)
      std::memset(job_.planes[c].row(y) - 1, flat_[c], static_cast<size_t>(component.width) + 2);
  }
}

inline TileRun::Rows TileRun::completed_by(int64_t m) const {
  const Layout& layout = job_.layout;
  const int64_t lag = layout.context() ? 1 : 0, rows = layout.mcu_height;
  const bool last = m + 1 == layout.mcus_down;
  return {std::max(m * rows - lag, job_.bounds.y),
          std::min(last ? layout.size.h : (m + 1) * rows - lag, job_.bounds.bottom())};
}

inline void TileRun::emit(int64_t m, bool flat) {
  if (!job_.planes_out.empty()) emit_.planes(m);
  const auto [begin, end] = completed_by(m);
  if (begin >= end) return;
  if (flat && (!job_.layout.context() || flat_run_ > 1))
    emit_.flat(begin, end);
  else
    emit_.rows(begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // MICROTOME_CODEC_JPEG_TILE_INL_H_
