// Loops over one row of samples, as fast as the processor allows.
//
// Called by `codec` (colour, packing, predictors) and by `read` (background). They know rows of bytes and
// nothing of images, strides, codecs or ownership. The vector ones are compiled for several instruction sets
// and chosen at run time; results are the same on all of them. Rows may be at any alignment. Thread-safe: no
// state.
#pragma once

#include <cstddef>
#include <cstdint>

namespace microtome::simd {

/// Interleaves planes of samples that are already within the output's range: dst[i * samples + s] =
/// planes[s][i]. Values outside 0..255 (0..65535) saturate. `dst` has room for pixels * samples values and
/// may not overlap the planes.
void interleave(const int32_t* const* planes, size_t samples, size_t pixels, uint8_t* dst);
void interleave_u16(const int32_t* const* planes, size_t samples, size_t pixels, std::byte* dst);

/// dst[2i] = dst[2i + 1] = src[i] for `count` samples of `src`: chroma at half the width, replicated.
void repeat_pairs(const int32_t* src, size_t count, int32_t* dst);

/// Full-range BT.601 (JFIF) YCbCr to RGB, each value rounded to the nearest integer, exact halves up, then
/// clamped:
///
///     R = Y + 1.402 (Cr - 128)            B = Y + 1.772 (Cb - 128)
///     G = Y - (0.114 * 1.772 (Cb - 128) + 0.299 * 1.402 (Cr - 128)) / 0.587
///
/// Inputs are 0..255. Writes 3 * pixels bytes. See Note [YCbCr in integers] in kernels.cc.
void ycc_to_rgb(const int32_t* y, const int32_t* cb, const int32_t* cr, size_t pixels, uint8_t* rgb);

/// Undoes TIFF's horizontal predictor in place (TIFF 6.0 section 14): each sample is the difference to the
/// same sample of the pixel before, modulo 2^bits. `sample_bytes` is 1, 2, 4 or 8; samples are in the
/// machine's byte order.
void unpredict(std::byte* row, size_t sample_bytes, size_t samples, size_t pixels);

/// Copies `count` values of `width` bytes (1, 2, 4 or 8), each with its bytes reversed. `src` may be `dst`.
void swap_bytes(const std::byte* src, size_t width, size_t count, std::byte* dst);

/// Repeats one pixel of `pixel_bytes` bytes `pixels` times.
void fill(const std::byte* pixel, size_t pixel_bytes, size_t pixels, std::byte* dst);

/// Copies past the caches, for results larger than them: the memory is not loaded before it is overwritten,
/// and what is in the caches stays there. Call stream_end() after the last row and before another thread is
/// told of them. Memory does not overlap.
void stream_copy(const std::byte* src, size_t bytes, std::byte* dst);
void stream_end();

}  // namespace microtome::simd
