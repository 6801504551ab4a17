#include "floors/colors.h"

#include <algorithm>

#include "microtome/base/sanitizers.h"

// Compiled for three instruction sets, chosen when the program starts: before the sanitizers are ready for
// it.
#if MICROTOME_TSAN || MICROTOME_ASAN
#define FLOORS_VECTOR
#else
#define FLOORS_VECTOR __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#endif

namespace floors {
namespace {

constexpr int kBits = 16;
constexpr int32_t kHalf = 1 << (kBits - 1);
constexpr int32_t kRedCr = 91881, kGreenCb = -22554, kGreenCr = -46802, kBlueCb = 116130;  // 1.402 … * 2^16

inline int32_t red(int32_t cr) {
  return (kRedCr * cr + kHalf) >> kBits;
}
inline int32_t green(int32_t cb, int32_t cr) {
  return (kGreenCb * cb + kGreenCr * cr + kHalf) >> kBits;
}
inline int32_t blue(int32_t cb) {
  return (kBlueCb * cb + kHalf) >> kBits;
}
inline uint8_t byte(int32_t value) {
  return static_cast<uint8_t>(std::clamp(value, 0, 255));
}

}  // namespace

FLOORS_VECTOR
void interleave(const int32_t* r, const int32_t* g, const int32_t* b, size_t pixels, uint8_t* rgb) {
  for (size_t i = 0; i < pixels; ++i) {
    rgb[3 * i] = static_cast<uint8_t>(r[i]);
    rgb[3 * i + 1] = static_cast<uint8_t>(g[i]);
    rgb[3 * i + 2] = static_cast<uint8_t>(b[i]);
  }
}

FLOORS_VECTOR
void chroma_of(const int32_t* cb, const int32_t* cr, size_t pixels, const Chroma& to) {
  int32_t* __restrict r = to.r, * __restrict g = to.g, * __restrict b = to.b;
  for (size_t i = 0; i < pixels; ++i) {
    const int32_t u = cb[i] - 128, v = cr[i] - 128;
    r[i] = red(v);
    g[i] = green(u, v);
    b[i] = blue(u);
  }
}

FLOORS_VECTOR
void chroma_of_pairs(const int32_t* cb, const int32_t* cr, size_t samples, const Chroma& to) {
  int32_t* __restrict r = to.r, * __restrict g = to.g, * __restrict b = to.b;
  for (size_t i = 0; i < samples; ++i) {
    const int32_t u = cb[i] - 128, v = cr[i] - 128;
    r[2 * i] = r[2 * i + 1] = red(v);
    g[2 * i] = g[2 * i + 1] = green(u, v);
    b[2 * i] = b[2 * i + 1] = blue(u);
  }
}

FLOORS_VECTOR
void add_chroma(const int32_t* y, const Chroma& chroma, size_t pixels, uint8_t* rgb) {
  const int32_t* __restrict r = chroma.r, * __restrict g = chroma.g, * __restrict b = chroma.b;
  uint8_t* __restrict out = rgb;
  for (size_t i = 0; i < pixels; ++i) {
    out[3 * i] = byte(y[i] + r[i]);
    out[3 * i + 1] = byte(y[i] + g[i]);
    out[3 * i + 2] = byte(y[i] + b[i]);
  }
}

}  // namespace floors
