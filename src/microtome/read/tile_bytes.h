// A tile's packed bytes, read from its source: neighbours in the file together.
//
// A thread that has taken several tiles of a read asks for the first and names those that follow; what lies
// side by side comes with one system call, or one round trip to a file server. Knows sources and ranges; no
// tiles, no pixels. One per worker; not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"
#include "microtome/io/byte_source.h"
#include "microtome/read/scratch.h"

namespace microtome {

class TileBytes {
 public:
  /// One read takes no more than this (a larger tile comes alone), and skips no more than this between two.
  static constexpr uint64_t kMaxRun = 256u << 10, kMaxGap = 4u << 10;

  /// Forgets what was read: before another read of a slide, whose source may be another by then.
  void reset() noexcept { source_ = nullptr; }

  /// The bytes at `range`, valid until the next call. `next` are ranges that will be asked for next, in that
  /// order, from this same source. Errors: those of ByteSource::read_at() for `range`; out_of_memory.
  Result<std::span<const std::byte>> read(const ByteSource& source, ByteRange range,
                                          std::span<const ByteRange> next);

  /// Calls of read_at() since the last forget_reads(), and how many of them took longer than kSlow.
  uint64_t reads() const noexcept { return reads_; }
  uint64_t slow_reads() const noexcept { return slow_reads_; }
  void forget_reads() noexcept { reads_ = slow_reads_ = 0; }
  /// A page cache answers in microseconds; disks and file servers take longer than this.
  static constexpr std::chrono::microseconds kSlow{200};

  void shrink(size_t kept_bytes) noexcept;  ///< Frees more than that.

 private:
  Result<std::span<const std::byte>> take(const ByteSource& source, ByteRange run);

  TileScratch scratch_;
  const ByteSource* source_ = nullptr;  // of what is in scratch_; null: nothing
  ByteRange run_;                       // what is in scratch_
  std::span<const std::byte> bytes_;    // of run_
  uint64_t reads_ = 0, slow_reads_ = 0;
};

}  // namespace microtome
