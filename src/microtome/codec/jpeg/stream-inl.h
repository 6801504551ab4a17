// Writing past the caches where rows do not begin at cache lines.
//
// Called by the row writers. A store that bypasses the caches pays only for whole lines of 64 bytes. A row
// that begins inside a line (every row of a tile of 240 pixels) is made in a small buffer, which stays in the
// nearest cache, and its whole lines are streamed from there; the ends, which share a line with a neighbour,
// are written as usual. Thread-safe: no state.
#if defined(MICROTOME_CODEC_JPEG_STREAM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_STREAM_INL_H_
#undef MICROTOME_CODEC_JPEG_STREAM_INL_H_
#else
#define MICROTOME_CODEC_JPEG_STREAM_INL_H_
#endif

#include "microtome/codec/jpeg/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {

constexpr size_t kLine = 64;  // bytes of a cache line

/// Bytes from `p` to the next line.
HWY_INLINE size_t before_line(const uint8_t* p) {
  return (kLine - reinterpret_cast<uintptr_t>(p) % kLine) % kLine;
}

/// Begins to fetch the lines at both ends of [out, out + bytes) that stream_bytes() will write in part.
HWY_INLINE void fetch_ends(uint8_t* out, size_t bytes) {
  uint8_t* const end = out + bytes;
  if (before_line(out) != 0) __builtin_prefetch(out, 1);
  if (before_line(end) != 0) __builtin_prefetch(end - 1, 1);
}

/// Whether a row can be streamed as it is made. 64 pixels are whole lines; a line that is streamed in part is
/// slow.
HWY_INLINE bool is_lines(size_t pixels, const uint8_t* out) {
  return pixels % 64 == 0 && before_line(out) == 0;
}

HWY_INLINE void stream_bytes(const uint8_t* from, size_t bytes, uint8_t* out) {
  const size_t head = HWY_MIN(before_line(out), bytes);
  std::memcpy(out, from, head);
  size_t done = head;
  for (; done + kLine <= bytes; done += kLine) {
    for (size_t i = 0; i < kLine; i += kBytes) stream8(load8(from + done + i), out + done + i);
  }
  std::memcpy(out + done, from + done, bytes - done);
}

/// Pixels that are made at once: whole vectors.
constexpr size_t kPiece = 512;

/// `pixels` and what is left of the last vector. A piece may be made by whole vectors.
HWY_INLINE size_t whole_vectors(size_t pixels) {
  return (pixels + kBytes - 1) / kBytes * kBytes;
}

/// Calls make(first, last, buffer) for pieces of the pixels [x0, x1) and streams what it writes, three bytes
/// a pixel, to `out`.
template <class Make>
HWY_INLINE void stream_pieces(size_t x0, size_t x1, uint8_t* out, const Make& make) {
  alignas(64) uint8_t buffer[3 * kPiece];
  for (size_t x = x0; x < x1; x += kPiece, out += 3 * kPiece) {
    const size_t end = HWY_MIN(x + kPiece, x1);
    make(x, end, buffer);
    stream_bytes(buffer, 3 * (end - x), out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
