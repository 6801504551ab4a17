// Rows of planes to rows of pixels: upsampling, colour and interleaving in one go, so that nothing goes
// through memory between the planes and the destination.
//
// Called by the driver of a tile for each output row; rows of 4:2:0 are made together (pairs-inl.h). Each
// call writes the pixels [x0, x1) to `out`, which points to pixel x0, and no byte else. `stream` writes past
// the caches where `out` is aligned to 64 bytes (elsewhere it is ignored); the caller ends it with
// simd::stream_end(). Thread-safe: no state.
#if defined(MICROTOME_CODEC_JPEG_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG_ROWS_INL_H_
#undef MICROTOME_CODEC_JPEG_ROWS_INL_H_
#else
#define MICROTOME_CODEC_JPEG_ROWS_INL_H_
#endif

#include "microtome/codec/jpeg/colour-inl.h"
#include "microtome/codec/jpeg/store-inl.h"
#include "microtome/codec/jpeg/stream-inl.h"
#include "microtome/codec/jpeg/upsample-inl.h"
#include "microtome/codec/jpeg/upsample.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {
namespace rows {

constexpr bool halves_width(Upsampling how) {
  return how == Upsampling::across || how == Upsampling::across_repeat;
}

HWY_INLINE Pixels convert(const uint8_t* luma, const Chroma& cb, const Chroma& cr) {
  const Chroma y = split(luma);
  return interleaved(to_rgb(y.even, cb.even, cr.even), to_rgb(y.odd, cb.odd, cr.odd));
}

// x0 is even where chroma has half the width.
template <Upsampling kHow, bool kStream>
HWY_NOINLINE void convert_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out) {
  const uint8_t *const b = from.near[0], *const r = from.near[1], *const b2 = from.far[0],
                       *const r2 = from.far[1];
  if constexpr (kHow == Upsampling::across) {
    for (size_t x = x0; x < x1; x += kBytes, out += 3 * kBytes)
      put<kStream>(convert(from.luma + x, across(b + x / 2), across(r + x / 2)), x1 - x, out);
  } else if constexpr (kHow == Upsampling::across_repeat) {
    for (size_t x = x0; x < x1; x += kBytes, out += 3 * kBytes) {
      const I16 cb = sub(widen(b + x / 2), set16(128)), cr = sub(widen(r + x / 2), set16(128));
      put<kStream>(convert(from.luma + x, {cb, cb}, {cr, cr}), x1 - x, out);
    }
  } else {
    for (size_t x = x0; x < x1; x += kBytes, out += 3 * kBytes) {
      const uint8_t *const fb = kHow == Upsampling::none ? b : b2, *const fr =
                                                                       kHow == Upsampling::none ? r : r2;
      put<kStream>(convert(from.luma + x, down<kHow>(b + x, fb + x), down<kHow>(r + x, fr + x)), x1 - x, out);
    }
  }
}

template <bool kStream>
HWY_NOINLINE void interleave_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out) {
  for (size_t x = x0; x < x1; x += kBytes, out += 3 * kBytes) {
    put<kStream>(interleaved(load8(from.luma + x), load8(from.near[0] + x), load8(from.near[1] + x)), x1 - x,
                 out);
  }
}

template <Upsampling kHow>
HWY_INLINE void ycc_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out, bool stream) {
  if (halves_width(kHow) && x0 % 2 != 0 && x0 < x1) {  // a pixel that is the second of its chroma sample
    uint8_t two[6];
    convert_row<kHow, false>(from, x0 - 1, x0 + 1, two);
    std::memcpy(out, two + 3, 3);
    ++x0;
    out += 3;
  }
  if (!stream) return convert_row<kHow, false>(from, x0, x1, out);
  if (is_lines(x1 - x0, out)) return convert_row<kHow, true>(from, x0, x1, out);
  stream_pieces(x0, x1, out, [&](size_t first, size_t last, uint8_t* to) HWY_ATTR {
    convert_row<kHow, false>(from, first, first + whole_vectors(last - first), to);
  });
}

}  // namespace rows

/// One row of YCbCr as RGB.
inline void write_ycc_row(Upsampling how, const RowSource& from, size_t x0, size_t x1, uint8_t* out,
                          bool stream) {
  switch (how) {
    case Upsampling::none:
      return rows::ycc_row<Upsampling::none>(from, x0, x1, out, stream);
    case Upsampling::across:
      return rows::ycc_row<Upsampling::across>(from, x0, x1, out, stream);
    case Upsampling::across_repeat:
      return rows::ycc_row<Upsampling::across_repeat>(from, x0, x1, out, stream);
    case Upsampling::down_upper:
      return rows::ycc_row<Upsampling::down_upper>(from, x0, x1, out, stream);
    case Upsampling::down_lower:
      return rows::ycc_row<Upsampling::down_lower>(from, x0, x1, out, stream);
  }
}

/// One row whose three planes are the samples: luma, near[0], near[1] are red, green, blue.
inline void write_rgb_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out, bool stream) {
  if (!stream) return rows::interleave_row<false>(from, x0, x1, out);
  if (is_lines(x1 - x0, out)) return rows::interleave_row<true>(from, x0, x1, out);
  stream_pieces(x0, x1, out, [&](size_t first, size_t last, uint8_t* to) HWY_ATTR {
    rows::interleave_row<false>(from, first, first + whole_vectors(last - first), to);
  });
}

/// One row of one plane.
inline void write_grey_row(const uint8_t* plane, size_t x0, size_t x1, uint8_t* out, bool stream) {
  if (stream) return stream_bytes(plane + x0, x1 - x0, out);
  std::memcpy(out, plane + x0, x1 - x0);
}

/// `pixel`: `samples` bytes, 1 or 3.
inline FlatRow flat_row(const uint8_t* pixel, size_t samples) {
  FlatRow row;
  for (size_t i = 0; i < sizeof(row.bytes); ++i) row.bytes[i] = pixel[i % samples];
  return row;
}

/// `bytes` bytes of a flat row, from its first pixel on.
inline void write_flat_row(const FlatRow& row, size_t bytes, uint8_t* out, bool stream) {
  size_t done = stream ? HWY_MIN(before_line(out), bytes) : 0;
  std::memcpy(out, row.bytes, done);
  const uint8_t* const phase = row.bytes + done % 3;
  constexpr size_t kPeriod = 3 * kLine;
  if (stream) {
    for (; done + kPeriod <= bytes; done += kPeriod) {
      for (size_t i = 0; i < kPeriod; i += kBytes) stream8(load8(phase + i), out + done + i);
    }
  } else {
    for (; done + kPeriod <= bytes; done += kPeriod) {
      for (size_t i = 0; i < kPeriod; i += kBytes) store8(load8(phase + i), out + done + i);
    }
  }
  std::memcpy(out + done, phase, bytes - done);
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
