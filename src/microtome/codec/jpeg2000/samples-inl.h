// The last step of samples: colour transform, level shift and clamping, to bytes.
//
// Included by tile-inl.h and compiled once per instruction set. Source: ITU-T T.800 annex G.
//
// Note [Rounding by addition]
// A float between -2^22 and 2^22 that 1.5 * 2^23 is added to has its nearest integer, halves to even, in the
// low bits of its sum. Samples are clamped first, to limits that are integers, which gives what clamping
// afterwards would.
#if defined(MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_
#undef MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_SAMPLES_INL_H_
#endif

#include "microtome/codec/jpeg2000/lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

constexpr hn::Rebind<uint8_t, decltype(kFloats)> kBytesOfSamples;

/// Turns vectors of samples, still centred on 0, into bytes.
class ToBytes {
 public:
  explicit ToBytes(unsigned bits) : half_(1 << (bits - 1)) {}

  HWY_INLINE void store(hn::Vec<decltype(kFloats)> v, uint8_t* to) const {
    constexpr float kRound = 12582912;  // 1.5 * 2^23
    const auto low = hn::Set(kFloats, static_cast<float>(-half_)),
               high = hn::Set(kFloats, static_cast<float>(half_ - 1));
    const auto clamped = hn::Min(hn::Max(v, low), high);
    const auto sum = hn::BitCast(kInts, hn::Add(clamped, hn::Set(kFloats, kRound)));
    const auto shifted = hn::Sub(sum, hn::Set(kInts, 0x4B400000 - half_));
    hn::StoreU(hn::DemoteTo(kBytesOfSamples, shifted), kBytesOfSamples, to);
  }
  HWY_INLINE void store(hn::Vec<decltype(kInts)> v, uint8_t* to) const {
    const auto shifted = hn::Min(hn::Add(v, hn::Set(kInts, half_)), hn::Set(kInts, 2 * half_ - 1));
    hn::StoreU(hn::DemoteTo(kBytesOfSamples, shifted), kBytesOfSamples, to);
  }

 private:
  int32_t half_;
};

/// Rows have room for whole vectors.
inline void samples_to_bytes(const float* row, size_t w, const ToBytes& to_bytes, uint8_t* to) {
  for (size_t x = 0; x < w; x += hn::Lanes(kFloats)) to_bytes.store(hn::Load(kFloats, row + x), to + x);
}
inline void samples_to_bytes(const int32_t* row, size_t w, const ToBytes& to_bytes, uint8_t* to) {
  for (size_t x = 0; x < w; x += hn::Lanes(kInts)) to_bytes.store(hn::Load(kInts, row + x), to + x);
}

/// Three rows through the inverse ICT (G.3), in the library's order of operations: compilers are let to sum
/// up what is taken from green.
inline void untransform_to_bytes(float* const* rows, size_t w, const ToBytes* to_bytes, uint8_t* const* to) {
  const auto red = hn::Set(kFloats, 1.402f), green1 = hn::Set(kFloats, 0.34413f),
             green2 = hn::Set(kFloats, 0.71414f), blue = hn::Set(kFloats, 1.772f);
  for (size_t x = 0; x < w; x += hn::Lanes(kFloats)) {
    const auto y = hn::Load(kFloats, rows[0] + x), cb = hn::Load(kFloats, rows[1] + x),
               cr = hn::Load(kFloats, rows[2] + x);
    to_bytes[0].store(hn::Add(y, hn::Mul(cr, red)), to[0] + x);
    to_bytes[1].store(hn::Sub(y, hn::Add(hn::Mul(cb, green1), hn::Mul(cr, green2))), to[1] + x);
    to_bytes[2].store(hn::Add(y, hn::Mul(cb, blue)), to[2] + x);
  }
}

/// Three rows through the inverse RCT (G.2).
inline void untransform_to_bytes(int32_t* const* rows, size_t w, const ToBytes* to_bytes,
                                 uint8_t* const* to) {
  for (size_t x = 0; x < w; x += hn::Lanes(kInts)) {
    const auto y = hn::Load(kInts, rows[0] + x), u = hn::Load(kInts, rows[1] + x),
               v = hn::Load(kInts, rows[2] + x);
    const auto green = hn::Sub(y, hn::ShiftRight<2>(hn::Add(u, v)));
    to_bytes[0].store(hn::Add(v, green), to[0] + x);
    to_bytes[1].store(green, to[1] + x);
    to_bytes[2].store(hn::Add(u, green), to[2] + x);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
