// Planes of 32-bit samples to interleaved bytes, in loops that the compiler turns into vector code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace floors {

/// rgb[3 i + s] = planes[s][i], which lie within 0..255.
void interleave(const int32_t* r, const int32_t* g, const int32_t* b, size_t pixels, uint8_t* rgb);

/// What chroma adds to luma in each of R, G, B (BT.601, full range), to the nearest integer.
struct Chroma {
  int32_t *r, *g, *b;
};
void chroma_of(const int32_t* cb, const int32_t* cr, size_t pixels, const Chroma& to);
/// The same for samples that stand for two pixels each; writes 2 * samples values.
void chroma_of_pairs(const int32_t* cb, const int32_t* cr, size_t samples, const Chroma& to);

/// Luma and what chroma adds to it, clamped to 0..255.
void add_chroma(const int32_t* y, const Chroma& chroma, size_t pixels, uint8_t* rgb);

}  // namespace floors
