// From decoded tiles in a slab to pixels of a batch: what one thread of the scatter kernel does.
//
// scatter.h makes the pieces, checks them and launches; nothing is checked here. In the order of what
// happens: scatter_load.h (samples to colours), scatter_number.h (samples to numbers), scatter_store.h. Plain
// C++ for both compilers: see scatter_types.h.
//
// Note [A thread writes a run]
// A run is up to kRun pixels of one row of a piece. Runs begin where the batch's pixels, counted from its
// first one, are at a multiple of kRun, so that a whole run is stored as a few vectors whatever the piece's
// column; the first and the last of a row may be shorter. Four pixels also share most of the chroma that
// upsampling takes. Runs of a piece follow each other row by row, kThreads in a block; no block has two
// pieces.
#pragma once

#include "microtome/read/gpu/scatter_store.h"

namespace microtome::gpu {

MICROTOME_GPU_INLINE uint32_t runs_across(uint32_t width) {
  return (width + 2 * (kRun - 1)) / kRun;  // wherever the first one begins
}

/// The last piece whose first block is not behind `block`.
MICROTOME_GPU_INLINE const ScatterPiece& piece_of_block(const ScatterPiece* pieces, uint32_t count,
                                                        uint32_t block) {
  uint32_t low = 0;
  for (uint32_t left = count; left > 1;) {
    const uint32_t half = left / 2;
    if (pieces[low + half].first_block <= block) low += half;
    left -= half;
  }
  return pieces[low];
}

/// All that thread `thread` of block `block` does.
MICROTOME_GPU_INLINE void scatter_thread(const ScatterBatch& batch, const ScatterPiece* pieces,
                                         uint32_t count, uint32_t block, uint32_t thread) {
  const ScatterPiece& piece = piece_of_block(pieces, count, block);
  const uint32_t number = (block - piece.first_block) * kThreads + thread, across = runs_across(piece.w);
  const uint32_t row = number / across;
  if (row >= piece.h) return;
  const uint32_t planes = batch.planar ? batch.samples : 1;
  const uint32_t index = (piece.image * planes * batch.height + piece.y + row) * batch.width + piece.x;
  constexpr int kSide = kRun;
  const int before = static_cast<int>((number - row * across) * kRun) - static_cast<int>(index % kRun);
  const int width = static_cast<int>(piece.w);
  const Run run{before < 0 ? -before : 0,
                core::clamp(width - before, 0, kSide),
                static_cast<int>(piece.src_x) + before,
                static_cast<int>(piece.src_y + row),
                static_cast<int>(piece.x) + before,
                static_cast<int>(piece.y + row)};
  if (run.first >= run.last) return;
  const bool bytes = batch.sample_bytes == 1 && batch.kind == SampleKind::unsigned_integer;
  if (bytes && batch.samples == 3 && piece.source != PieceSource::fill) {
    Colours colours;
    core::load_colours(piece, run, colours);
    core::store_colours(batch, piece, run, colours);
  } else {
    core::scatter_samples(batch, piece, run);
  }
}

}  // namespace microtome::gpu
