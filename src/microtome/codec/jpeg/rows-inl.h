// Rows of planes to rows of pixels: upsampling, colour and interleaving in one go, so that nothing goes
// through memory between the planes and the destination.
//
// Called by the driver of a tile for each output row, or for pairs of them (4:2:0). Each call writes the
// pixels [x0, x1) to `out`, which points to pixel x0, and no byte else. `stream` writes past the caches where
// `out` is aligned to 64 bytes (elsewhere it is ignored); the caller ends it with simd::stream_end().
// Thread-safe: no state.
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
  return how == Upsampling::across || how == Upsampling::across_repeat || how == Upsampling::both;
}

HWY_INLINE Pixels convert(const uint8_t* luma, const Chroma& cb, const Chroma& cr) {
  const Chroma y = split(luma);
  return interleaved(to_rgb(y.even, cb.even, cr.even), to_rgb(y.odd, cb.odd, cr.odd));
}

// kBytes pixels or what is left of them.
template <bool kStream>
HWY_INLINE void put(const Pixels& pixels, size_t left, uint8_t* out) {
  if (HWY_LIKELY(left >= kBytes)) {
    store<kStream>(pixels, out);
  } else {
    store_first(pixels, left, out);
  }
}

// x0 is even where chroma has half the width.
template <Upsampling kHow, bool kStream>
HWY_NOINLINE void convert_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out) {
  const uint8_t *const b = from.near[0], *const r = from.near[1], *const b2 = from.far[0],
                       *const r2 = from.far[1];
  if constexpr (kHow == Upsampling::across || kHow == Upsampling::both) {
    const auto sums = [&](const uint8_t* near, const uint8_t* far, ptrdiff_t c) HWY_ATTR {
      return column_sums<kHow>(near + c, kHow == Upsampling::both ? far + c : near + c);
    };
    auto c = static_cast<ptrdiff_t>(x0 / 2);
    constexpr auto kStep = static_cast<ptrdiff_t>(kWords);
    Window cb{sums(b, b2, c - kStep), sums(b, b2, c), {}}, cr{sums(r, r2, c - kStep), sums(r, r2, c), {}};
    for (size_t x = x0; x < x1; x += kBytes, c += kStep, out += 3 * kBytes) {
      cb.next = sums(b, b2, c + kStep);
      cr.next = sums(r, r2, c + kStep);
      put<kStream>(convert(from.luma + x, across<kHow>(cb), across<kHow>(cr)), x1 - x, out);
      cb = Window{cb.cur, cb.next, cb.next};
      cr = Window{cr.cur, cr.next, cr.next};
    }
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

// Both rows at once, x0 even: the near row's part of the column sums is formed once.
template <bool kStream>
HWY_NOINLINE void convert_pair(const PairSource& from, size_t x0, size_t x1, uint8_t* out0, uint8_t* out1) {
  struct Sums {
    I16 upper, lower;
  };
  const auto sums = [&](int k, ptrdiff_t c) HWY_ATTR {
    const I16 near = near_sums(from.near[k] + c);
    return Sums{add(near, widen(from.above[k] + c)), add(near, widen(from.below[k] + c))};
  };
  auto c = static_cast<ptrdiff_t>(x0 / 2);
  constexpr auto kStep = static_cast<ptrdiff_t>(kWords);
  constexpr Upsampling kBoth = Upsampling::both;
  Sums b0 = sums(0, c - kStep), b1 = sums(0, c), r0 = sums(1, c - kStep), r1 = sums(1, c);
  for (size_t x = x0; x < x1; x += kBytes, c += kStep, out0 += 3 * kBytes, out1 += 3 * kBytes) {
    const Sums b2 = sums(0, c + kStep), r2 = sums(1, c + kStep);
    put<kStream>(convert(from.luma[0] + x, across<kBoth>(Window{b0.upper, b1.upper, b2.upper}),
                         across<kBoth>(Window{r0.upper, r1.upper, r2.upper})),
                 x1 - x, out0);
    put<kStream>(convert(from.luma[1] + x, across<kBoth>(Window{b0.lower, b1.lower, b2.lower}),
                         across<kBoth>(Window{r0.lower, r1.lower, r2.lower})),
                 x1 - x, out1);
    b0 = b1;
    b1 = b2;
    r0 = r1;
    r1 = r2;
  }
}

template <bool kStream>
HWY_NOINLINE void interleave_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out) {
  for (size_t x = x0; x < x1; x += kBytes, out += 3 * kBytes) {
    put<kStream>(interleaved(load8(from.luma + x), load8(from.near[0] + x), load8(from.near[1] + x)), x1 - x,
                 out);
  }
}

// Whether a row can be streamed as it is made. 64 pixels are whole lines; a line that is streamed in part is
// slow.
HWY_INLINE bool is_lines(size_t pixels, const uint8_t* out) {
  return pixels % 64 == 0 && before_line(out) == 0;
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
    convert_row<kHow, false>(from, first, last, to);
  });
}

// x0 is even.
inline void stream_pair(const PairSource& from, size_t x0, size_t x1, uint8_t* upper, uint8_t* lower) {
  if (is_lines(x1 - x0, upper) && is_lines(x1 - x0, lower))
    return convert_pair<true>(from, x0, x1, upper, lower);
  alignas(64) uint8_t second[3 * kPiece];
  stream_pieces(x0, x1, upper, [&](size_t first, size_t last, uint8_t* to) HWY_ATTR {
    convert_pair<false>(from, first, last, to, second);
    stream_bytes(second, 3 * (last - first), lower + 3 * (first - x0));
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
    case Upsampling::both:
      return rows::ycc_row<Upsampling::both>(from, x0, x1, out, stream);
  }
}

/// The two rows of a chroma row of 4:2:0. `upper` or `lower` may be null: that row is not wanted.
inline void write_ycc_pair(const PairSource& from, size_t x0, size_t x1, uint8_t* upper, uint8_t* lower,
                           bool stream) {
  if (upper != nullptr && lower != nullptr && x0 % 2 == 0) {
    if (stream) return rows::stream_pair(from, x0, x1, upper, lower);
    return rows::convert_pair<false>(from, x0, x1, upper, lower);
  }
  for (int i = 0; i < 2; ++i) {
    uint8_t* const out = i == 0 ? upper : lower;
    if (out == nullptr) continue;
    const uint8_t* const* const far = i == 0 ? from.above : from.below;
    const RowSource row{from.luma[i], {from.near[0], from.near[1]}, {far[0], far[1]}};
    rows::ycc_row<Upsampling::both>(row, x0, x1, out, stream);
  }
}

/// One row whose three planes are the samples: luma, near[0], near[1] are red, green, blue.
inline void write_rgb_row(const RowSource& from, size_t x0, size_t x1, uint8_t* out, bool stream) {
  if (!stream) return rows::interleave_row<false>(from, x0, x1, out);
  if (rows::is_lines(x1 - x0, out)) return rows::interleave_row<true>(from, x0, x1, out);
  stream_pieces(x0, x1, out, [&](size_t first, size_t last, uint8_t* to) HWY_ATTR {
    rows::interleave_row<false>(from, first, last, to);
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
