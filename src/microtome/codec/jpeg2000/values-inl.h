// 32 values from their bits: the end of Note [Values from bit planes] in block-inl.h.
//
// Included by block-inl.h and compiled once per instruction set.
//
// A map's bit 6 c + r is column c of row r. All eight bytes of a map go to every 64 bits of a vector, a byte
// shuffle gives each of 32 lanes, row by row, the byte that has its bit, and a comparison makes the bit a
// mask. Values of 16 bits are in two vectors of bytes until the end; those of 32 are made of two such, and of
// their signs.
#if defined(MICROTOME_CODEC_JPEG2000_VALUES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MICROTOME_CODEC_JPEG2000_VALUES_INL_H_
#undef MICROTOME_CODEC_JPEG2000_VALUES_INL_H_
#else
#define MICROTOME_CODEC_JPEG2000_VALUES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg2000 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// What becomes of values in halves of a step.
struct Scaling {
  bool whole_steps = false;   ///< They become steps, rounded towards zero.
  unsigned region_shift = 0;  ///< First, those of 2^region_shift and more are shifted down by as much (H.1).
};

/// 32 values of one type; int16_t has no region.
template <class Value>
class ValueMaker;

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

template <>
class ValueMaker<int16_t> {
 public:
  void add(uint64_t map, unsigned bit) {
    for (; map != 0; map &= map - 1) {
      const auto at = static_cast<unsigned>(__builtin_ctzll(map));
      values_[at % 6 * 8 + at / 6] = static_cast<uint16_t>(values_[at % 6 * 8 + at / 6] | 1u << bit);
    }
  }
  void store(uint64_t negative, const Scaling& scaling, unsigned rows, int16_t* to, size_t stride) const {
    for (unsigned r = 0; r < rows; ++r) {
      for (unsigned c = 0; c < 8; ++c) {
        const int value = values_[8 * r + c] >> (scaling.whole_steps ? 1 : 0);
        to[r * stride + c] = static_cast<int16_t>((negative >> (6 * c + r) & 1) != 0 ? -value : value);
      }
    }
  }

 private:
  uint16_t values_[32] = {};
};

#else

// The byte of a map, and the bit in it, that each of 32 values has.
struct MapPlaces {
  alignas(32) uint8_t byte[32] = {}, bit[32] = {};
  constexpr MapPlaces() {
    for (size_t i = 0; i < 32; ++i) {
      const size_t at = 6 * (i % 8) + i / 8;
      byte[i] = static_cast<uint8_t>(at / 8);
      bit[i] = static_cast<uint8_t>(1u << at % 8);
    }
  }
};
inline constexpr MapPlaces kPlaces;

template <>
class ValueMaker<int16_t> {
 public:
  // A default constructor would be compiled for no instruction set in particular.
  HWY_INLINE ValueMaker() {
    for (size_t part = 0; part < kParts; ++part) low_[part] = high_[part] = hn::Zero(kD8);
  }

  /// Sets `bit` of the values in `map`.
  HWY_INLINE void add(uint64_t map, unsigned bit) {
    const auto value = hn::Set(kD8, static_cast<uint8_t>(1u << (bit & 7)));
    for (size_t part = 0; part < kParts; ++part) {
      const auto ones = hn::And(mask_of(map, part), value);
      auto& to = bit < 8 ? low_[part] : high_[part];
      to = hn::Or(to, ones);
    }
  }

  HWY_INLINE void store(uint64_t negative, const Scaling& scaling, unsigned rows, int16_t* to,
                        size_t stride) const {
    const bool whole_steps = scaling.whole_steps;
    alignas(64) int16_t rows_of_eight[32];
    for (size_t part = 0; part < kParts; ++part) {
      const auto sign = mask_of(negative, part);
      // Within blocks of 16 bytes: the first of two rows, then the second.
      const auto first =
          finish(hn::InterleaveLower(low_[part], high_[part]), hn::InterleaveLower(sign, sign), whole_steps);
      const auto second = finish(hn::InterleaveUpper(kD8, low_[part], high_[part]),
                                 hn::InterleaveUpper(kD8, sign, sign), whole_steps);
      constexpr size_t kHalf = hn::MaxLanes(kD8) / 2;
      hn::Store(first, kD16, rows_of_eight + part * 2 * kHalf);
      hn::Store(second, kD16, rows_of_eight + part * 2 * kHalf + kHalf);
    }
    for (unsigned r = 0; r < rows; ++r) {
      std::memcpy(to + r * stride, rows_of_eight + 8 * kRowPlace[r], 8 * sizeof *to);
    }
  }

 private:
  static constexpr hn::CappedTag<uint8_t, 32> kD8{};
  static constexpr hn::Repartition<int16_t, decltype(kD8)> kD16{};
  static constexpr hn::Repartition<uint64_t, decltype(kD8)> kD64{};
  using V8 = hn::Vec<decltype(kD8)>;
  using V16 = hn::Vec<decltype(kD16)>;
  static constexpr size_t kParts = 32 / hn::MaxLanes(kD8);
  // A vector of 32 bytes keeps rows 0 and 2 together, then 1 and 3.
  static constexpr size_t kRowPlace[4] = {0, kParts == 1 ? 2u : 1u, kParts == 1 ? 1u : 2u, 3};

  // All ones in the lanes whose bit is set.
  static HWY_INLINE V8 mask_of(uint64_t map, size_t part) {
    const auto bytes = hn::BitCast(kD8, hn::Set(kD64, map));
    const auto place = hn::Load(kD8, kPlaces.byte + part * hn::MaxLanes(kD8));
    const auto bit = hn::Load(kD8, kPlaces.bit + part * hn::MaxLanes(kD8));
    return hn::VecFromMask(kD8, hn::TestBit(hn::TableLookupBytes(bytes, place), bit));
  }
  // Halves of steps to steps if wanted, then signs.
  template <class V>
  static HWY_INLINE V16 finish(V value, V sign, bool whole_steps) {
    auto magnitude = hn::BitCast(kD16, value);  // below 2^15
    if (whole_steps) magnitude = hn::ShiftRight<1>(magnitude);
    const auto negative = hn::BitCast(kD16, sign);
    return hn::Sub(hn::Xor(magnitude, negative), negative);
  }

  V8 low_[kParts], high_[kParts];
};

#endif

template <>
class ValueMaker<int32_t> {
 public:
  HWY_INLINE ValueMaker() {}  // as above

  HWY_INLINE void add(uint64_t map, unsigned bit) {
    bit < 16 ? low_.add(map, bit) : high_.add(map, bit - 16);
  }

  HWY_INLINE void store(uint64_t negative, const Scaling& scaling, unsigned rows, int32_t* to,
                        size_t stride) const {
    alignas(64) int16_t low[32], high[32], minus[32];
    ValueMaker<int16_t> signs;
    signs.add(negative, 0);
    low_.store(0, {}, 4, low, 8);
    high_.store(0, {}, 4, high, 8);
    signs.store(0, {}, 4, minus, 8);
    const auto first_shifted = static_cast<int32_t>(1u << scaling.region_shift);
    for (unsigned r = 0; r < rows; ++r) {
      for (unsigned c = 0; c < 8; ++c) {
        const unsigned i = 8 * r + c;
        auto value = static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint16_t>(high[i])) << 16 |
                                          static_cast<uint16_t>(low[i]));
        if (scaling.region_shift != 0 && value >= first_shifted) value >>= scaling.region_shift;
        value >>= scaling.whole_steps ? 1 : 0;
        to[r * stride + c] = (value ^ -minus[i]) + minus[i];
      }
    }
  }

 private:
  ValueMaker<int16_t> low_, high_;
};

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg2000
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
