#include "microtome/codec/ycbcr.h"

#include <algorithm>
#include <cmath>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {
namespace {

// Coefficients have so many bits behind the point.
constexpr int kShift = 16;
constexpr int32_t kHalf = 1 << (kShift - 1);
// Full-range codes stay within this, so that their products with coefficients of at most 2 fit 32 bits.
constexpr double kMaxCode = 4096;

int32_t fixed(double coefficient) {
  return static_cast<int32_t>(std::clamp(coefficient, 0.0, 2.0) * (1 << kShift) + 0.5);
}

/// A code on a scale where `black` is 0 and `white` is `range`.
int32_t full_range(int code, float black, float white, int range) {
  const auto zero = static_cast<int32_t>(black);
  const float span = white - black;
  const double value =
      static_cast<double>(static_cast<float>((code - zero) * range) / (span != 0 ? span : 1));
  return static_cast<int32_t>(std::clamp(value, -kMaxCode, kMaxCode));
}

size_t unit_bytes(const YCbCrCoding& coding) {
  return size_t{coding.across} * coding.down + 2;
}

std::byte to_byte(int32_t value) {
  return static_cast<std::byte>(std::clamp(value, 0, 255));
}

bool is_subsampling(uint8_t factor) {
  return factor == 1 || factor == 2 || factor == 4;
}

}  // namespace

size_t ycbcr_bytes(const TileFormat& format, int64_t rows) noexcept {
  const YCbCrCoding& coding = format.ycbcr;
  const auto units_across = static_cast<size_t>(ceil_div(format.size.w, int64_t{coding.across}));
  const auto units_down = static_cast<size_t>(ceil_div(rows, int64_t{coding.down}));
  return units_across * units_down * unit_bytes(coding);
}

Status check_ycbcr(const TileFormat& format) {
  const YCbCrCoding& coding = format.ycbcr;
  if (format.samples != 3 || format.type != SampleType::u8 || format.bits != 8)
    return unsupported("YCbCr of {} samples of {} bits without JPEG, expected 3 of 8", format.samples,
                       format.bits);
  if (!is_subsampling(coding.across) || !is_subsampling(coding.down))
    return unsupported("YCbCrSubSampling {}, {}, expected 1, 2 or 4", coding.across, coding.down);
  const bool whole = coding.across == 1 && coding.down == 1;
  if (!whole && format.predictor != Predictor::none) return unsupported("a predictor with subsampled YCbCr");
  if (!whole && format.planar) return unsupported("subsampled YCbCr with each sample in a tile of its own");
  // Written so that NaN fails.
  const bool colours =
      std::all_of(coding.luma.begin(), coding.luma.end(), [](float f) { return f >= 0 && f <= 1; });
  if (!colours || !(coding.luma[1] > 0))
    return corrupt("YCbCrCoefficients {}, {}, {}, expected shares of red, green and blue", coding.luma[0],
                   coding.luma[1], coding.luma[2]);
  const bool codes = std::all_of(coding.reference.begin(), coding.reference.end(),
                                 [](float f) { return std::abs(f) < 1e6F; });
  if (!codes) return corrupt("ReferenceBlackWhite with a value that is no code");
  return ok_status();
}

void YCbCrConverter::prepare(const YCbCrCoding& coding) {
  if (prepared_ && coding == coding_) return;
  coding_ = coding;
  prepared_ = true;
  const auto [red, green, blue] = coding.luma;
  const auto& reference = coding.reference;
  // Section 20: R = Cr (2 - 2 red) + Y, B = Cb (2 - 2 blue) + Y, and G from Y's definition.
  const double cr_to_r = 2 - 2 * static_cast<double>(red), cb_to_b = 2 - 2 * static_cast<double>(blue);
  const int32_t r = fixed(cr_to_r), b = fixed(cb_to_b);
  const int32_t r_in_g = -fixed(static_cast<double>(red) * cr_to_r / static_cast<double>(green));
  const int32_t b_in_g = -fixed(static_cast<double>(blue) * cb_to_b / static_cast<double>(green));
  for (int code = 0; code < 256; ++code) {
    const auto i = static_cast<size_t>(code);
    // Chroma codes are differences to 128.
    const int32_t cb = full_range(code - 128, reference[2] - 128, reference[3] - 128, 127);
    const int32_t cr = full_range(code - 128, reference[4] - 128, reference[5] - 128, 127);
    y_[i] = full_range(code, reference[0], reference[1], 255);
    cr_to_r_[i] = (r * cr + kHalf) >> kShift;
    cb_to_b_[i] = (b * cb + kHalf) >> kShift;
    cr_to_g_[i] = r_in_g * cr;
    cb_to_g_[i] = b_in_g * cb + kHalf;
  }
}

void YCbCrConverter::pixel(std::byte y, std::byte cb, std::byte cr, std::byte* rgb) const {
  const int32_t luma = y_[std::to_integer<size_t>(y)];
  const auto b = std::to_integer<size_t>(cb), r = std::to_integer<size_t>(cr);
  rgb[0] = to_byte(luma + cr_to_r_[r]);
  rgb[1] = to_byte(luma + ((cb_to_g_[b] + cr_to_g_[r]) >> kShift));
  rgb[2] = to_byte(luma + cb_to_b_[b]);
}

void YCbCrConverter::row(const std::byte* tile, const TileFormat& format, int64_t y, int64_t first,
                         int64_t count, std::byte* rgb) const {
  const int64_t across = coding_.across, down = coding_.down;
  const auto unit = static_cast<int64_t>(unit_bytes(coding_));
  const std::byte* const units = tile + ycbcr_bytes(format, y / down * down);
  const int64_t luma = y % down * across, chroma = across * down;
  for (int64_t x = first; x < first + count; ++x, rgb += 3) {
    const std::byte* const at = units + x / across * unit;
    pixel(at[luma + x % across], at[chroma], at[chroma + 1], rgb);
  }
}

void YCbCrConverter::convert(std::byte* pixels, int64_t count) const {
  for (int64_t i = 0; i < count; ++i, pixels += 3) pixel(pixels[0], pixels[1], pixels[2], pixels);
}

}  // namespace microtome
