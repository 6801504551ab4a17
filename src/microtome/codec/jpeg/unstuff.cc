// Compiled once per instruction set by Highway's foreach_target; the best one is called.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "microtome/codec/jpeg/unstuff.cc"

#include "microtome/codec/jpeg/unstuff.h"

#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include <bit>
#include <cstring>
#include <limits>
#include <new>

#include "microtome/simd/targets.h"

#ifndef MICROTOME_CODEC_JPEG_UNSTUFF_ONCE
#define MICROTOME_CODEC_JPEG_UNSTUFF_ONCE
namespace microtome::jpeg {

// Bytes on their way. Each store may write up to a vector past `out`: the output has kScanPadding bytes more
// than the input.
struct UnstuffJob {
  const uint8_t* in;
  const uint8_t* in_end;
  uint8_t* out;
  uint8_t* out_begin;
  uint32_t* ends;  // room for `segments`
  size_t segments;
};

constexpr uint8_t kMark = 0xFF, kRst0 = 0xD0, kEndOfImage = 0xD9;

}  // namespace microtome::jpeg
#endif

HWY_BEFORE_NAMESPACE();
namespace microtome::jpeg {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Copies up to the next 0xFF or the end.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
HWY_INLINE void CopyToMark(UnstuffJob& job) {
  while (job.in_end - job.in >= 8) {
    uint64_t bytes;
    std::memcpy(&bytes, job.in, 8);
    // The top bit of every byte that is 0xFF, and perhaps of some that is not.
    constexpr uint64_t kOnes = ~uint64_t{0} / 255;
    if (((~bytes - kOnes) & bytes & (kOnes << 7)) != 0) break;
    std::memcpy(job.out, &bytes, 8);
    job.in += 8;
    job.out += 8;
  }
  while (job.in != job.in_end && *job.in != kMark) *job.out++ = *job.in++;
}
#else
HWY_INLINE void CopyToMark(UnstuffJob& job) {
  const hn::CappedTag<uint8_t, 32> d;
  const size_t lanes = hn::Lanes(d);
  const auto mark = hn::Set(d, kMark);
  while (static_cast<size_t>(job.in_end - job.in) >= lanes) {
    const auto bytes = hn::LoadU(d, job.in);
    hn::StoreU(bytes, d, job.out);
    const intptr_t first = hn::FindFirstTrue(d, hn::Eq(bytes, mark));
    const size_t count = first < 0 ? lanes : static_cast<size_t>(first);
    job.in += count;
    job.out += count;
    if (first >= 0) return;
  }
  while (job.in != job.in_end && *job.in != kMark) *job.out++ = *job.in++;
}
#endif

// Copies and unstuffs whole vectors without a branch for each stuffed byte, up to the next marker or to where
// less than a vector is left: not further than before the byte 0xFF that the last vector may have ended with.
#if HWY_TARGET == HWY_AVX3_DL
HWY_INLINE void CopyUnstuffed(UnstuffJob& job) {
  const __m512i mark = _mm512_set1_epi8(-1);
  const uint8_t* in = job.in;
  uint8_t* out = job.out;
  uint64_t carry = 0;  // 1: the byte before is 0xFF
  for (; job.in_end - in >= 64; in += 64) {
    const __m512i bytes = _mm512_loadu_si512(in);
    const uint64_t marks = _mm512_cmpeq_epi8_mask(bytes, mark);
    const uint64_t zeros = _mm512_testn_epi8_mask(bytes, bytes);
    const uint64_t after = marks << 1 | carry;
    const uint64_t codes = after & ~zeros;
    if (HWY_UNLIKELY(codes != 0)) {
      // Bytes before the 0xFF of the first marker; that one may be the last of what was copied already.
      const int count = std::countr_zero(codes) - 1;
      if (count > 0) {
        const uint64_t keep = ~(after & zeros) & (~uint64_t{0} >> (64 - count));
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(keep, bytes));
        out += std::popcount(keep);
      }
      in += count;
      out -= count < 0 ? 1 : 0;
      carry = 0;
      break;
    }
    const uint64_t keep = ~(after & zeros);
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(keep, bytes));
    out += std::popcount(keep);
    carry = marks >> 63;
  }
  job.in = in - carry;
  job.out = out - carry;
}
#else
HWY_INLINE void CopyUnstuffed(UnstuffJob&) {}
#endif

// See Note [What ends a scan]. True: all segments were there.
bool Unstuff(UnstuffJob& job) {
  for (size_t segment = 0;;) {
    CopyUnstuffed(job);
    CopyToMark(job);
    const auto left = job.in_end - job.in;
    if (left == 1) return false;
    const uint8_t code = left == 0 ? kEndOfImage : job.in[1];
    if (code == 0) {
      *job.out++ = kMark;
    } else {
      job.ends[segment++] = static_cast<uint32_t>(job.out - job.out_begin);
      if (code == kEndOfImage) return segment == job.segments;
      if (segment == job.segments || code != kRst0 + (segment - 1) % 8) return false;
    }
    job.in += 2;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace microtome::jpeg
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace microtome::jpeg {

HWY_EXPORT(Unstuff);

const ScanBytes* Unstuffer::run(std::span<const std::byte> scan, size_t segments) {
  // A marker has two bytes: no more segments than those.
  if (segments == 0 || segments - 1 > scan.size() / 2) return nullptr;
  if (scan.size() > std::numeric_limits<uint32_t>::max() - kScanPadding) return nullptr;
  const size_t need = scan.size() + kScanPadding;
  try {
    if (need > capacity_) {
      const size_t room = need + need / 4;
      buffer_.reset();
      capacity_ = 0;
      buffer_ = std::make_unique<uint8_t[]>(room);
      capacity_ = room;
    }
    if (ends_.size() < segments) ends_.resize(segments);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  const auto* in = reinterpret_cast<const uint8_t*>(scan.data());
  UnstuffJob job{in, in + scan.size(), buffer_.get(), buffer_.get(), ends_.data(), segments};
  if (!MICROTOME_DISPATCH(Unstuff)(job)) return nullptr;
  bytes_ = {buffer_.get(), static_cast<size_t>(job.out - buffer_.get()), std::span(ends_).first(segments)};
  std::memset(job.out, 0, 64);
  return &bytes_;
}

}  // namespace microtome::jpeg
#endif
