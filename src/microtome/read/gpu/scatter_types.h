// What the scatter kernel is given, and what its parts share.
//
// Plain C++ that nvcc and the host's compiler both take, as all of scatter_*.h: kernels.cu makes the kernel
// of it, the fake driver and tests loop over it, and both give the same bits, so that tests compare it with
// the CPU path without a GPU. Knows addresses and sizes, nothing of tiles, codecs or files. Thread-safe: no
// state.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define MICROTOME_GPU_INLINE __host__ __device__ __forceinline__
#define MICROTOME_GPU_NO_UNROLL _Pragma("unroll 1")
#else
#define MICROTOME_GPU_INLINE inline
#define MICROTOME_GPU_NO_UNROLL
#endif

namespace microtome::gpu {

inline constexpr uint32_t kRun = 4;        ///< Pixels of a thread.
inline constexpr uint32_t kThreads = 256;  ///< Of a block.

enum class PieceSource : uint8_t {
  fill,    ///< ScatterBatch::fill.
  pixels,  ///< Interleaved samples at plane[0], of the batch's type.
  planes,  ///< One byte a sample; plane[1] and plane[2], if there are any, as `chroma` says.
};

/// What planes 1 and 2 are, against plane 0, and how they become as large.
enum class Chroma : uint8_t {
  whole,          ///< As large.
  across,         ///< Half as wide: triangle filter.
  across_repeat,  ///< Half as wide: each sample twice.
  down,           ///< Half as high: triangle filter.
  both,           ///< Half as wide and high: triangle filter.
  both_repeat,    ///< Half as wide and high: each sample four times.
};

/// How three planes become RGB.
enum class YcbcrToRgb : uint8_t {
  none,
  jpeg,   ///< As libjpeg-turbo's tables have it.
  exact,  ///< Rounded to nearest, halves up: simd::ycc_to_rgb, which JPEG 2000 has.
};

enum class SampleKind : uint8_t { unsigned_integer, signed_integer, floating };

/// What the batch holds: samples as the tiles have them, or converted.
enum class Output : uint8_t { same, f16, f32 };

/// A rectangle of one patch and where its pixels come from. `pitch`: bytes between rows.
struct ScatterPiece {
  uint64_t plane[3];
  uint32_t pitch[3];
  uint32_t src_x, src_y;  ///< Its first pixel, in pixels of the tile.
  uint32_t image, x, y, w, h;
  uint32_t chroma_w, chroma_h;  ///< Of planes 1 and 2, where they are smaller.
  uint32_t first_block;         ///< How many blocks the pieces before it have.
  PieceSource source;
  Chroma chroma;
  YcbcrToRgb ycbcr;
  uint8_t unused;
};
static_assert(sizeof(ScatterPiece) == 80);

/// Of float output, for one sample of a pixel.
struct Affine {
  double scale, offset;
};

struct ScatterBatch {
  uint64_t pixels;  ///< Its first sample; aligned to one.
  uint64_t fill;    ///< One pixel of output samples, aligned; unused where no piece is a fill.
  uint64_t affine;  ///< An Affine for each sample, aligned; unused when Output::same.
  uint32_t width, height, samples;  ///< Of a patch.
  uint8_t sample_bytes;             ///< Of a source's sample: 1, 2, 4 or 8.
  SampleKind kind;                  ///< Of a source's sample.
  Output output;
  uint8_t planar;  ///< Samples of a patch stand in planes (NCHW), rather than pixel by pixel (NHWC).
};
static_assert(sizeof(ScatterBatch) == 40);

/// Pixels first … last - 1 of a run are the piece's. Column 0 of a run is pixel (x, y) of the tile and
/// (at_x, at_y) of the patch, and may lie in front of them.
struct Run {
  int first, last;
  int x, y;
  int at_x, at_y;
};

/// Source samples of a run of three bytes a pixel, by sample.
struct Colours {
  int value[3][kRun];
};

namespace core {

MICROTOME_GPU_INLINE int clamp(int value, int low, int high) {
  return value < low ? low : value > high ? high : value;
}

template <class T>
MICROTOME_GPU_INLINE T load(uint64_t address) {
  return *reinterpret_cast<const T*>(address);
}

}  // namespace core
}  // namespace microtome::gpu
