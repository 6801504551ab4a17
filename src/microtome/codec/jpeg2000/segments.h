// Marker segments: big-endian numbers behind a marker and a length.
//
// For codestream.cc and coding.cc. Pure; thread-safe. Source: ITU-T T.800 annex A.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace microtome::jpeg2000 {

using ByteSpan = std::span<const std::byte>;

/// Table A.2.
enum Marker : unsigned {
  kSoc = 0xFF4F,
  kSiz = 0xFF51,
  kCod = 0xFF52,
  kCoc = 0xFF53,
  kTlm = 0xFF55,
  kPlm = 0xFF57,
  kPlt = 0xFF58,
  kQcd = 0xFF5C,
  kQcc = 0xFF5D,
  kRgn = 0xFF5E,
  kPoc = 0xFF5F,
  kPpm = 0xFF60,
  kPpt = 0xFF61,
  kCrg = 0xFF63,
  kCom = 0xFF64,
  kSot = 0xFF90,
  kSod = 0xFF93,
  kEoc = 0xFFD9,
};

// The caller has checked that the bytes are there.
inline unsigned u8(ByteSpan b, size_t at) {
  return std::to_integer<unsigned>(b[at]);
}
inline unsigned u16(ByteSpan b, size_t at) {
  return u8(b, at) << 8 | u8(b, at + 1);
}
inline uint32_t u32(ByteSpan b, size_t at) {
  return uint32_t{u16(b, at)} << 16 | u16(b, at + 2);
}

/// `all` of a segment, and the parameters behind its length.
struct Segment {
  unsigned marker = 0;
  ByteSpan all, body;
};

/// Takes the first segment off `rest`. False: cut short.
inline bool next_segment(ByteSpan& rest, Segment& segment) {
  if (rest.size() < 4) return false;
  segment.marker = u16(rest, 0);
  const size_t length = u16(rest, 2);
  if (length < 2 || length > rest.size() - 2) return false;
  segment.all = rest.first(2 + length);
  segment.body = segment.all.subspan(4);
  rest = rest.subspan(2 + length);
  return true;
}

}  // namespace microtome::jpeg2000
