// A positional read that finishes: the loop around pread(2).
//
// Apart from file_source.cc so that its test can hand it a pread that is interrupted or gives a few bytes at
// a time, which no regular file does on demand. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace microtome {

using PreadFunction = ssize_t (*)(int fd, void* dst, size_t size, off_t offset);

struct ReadOutcome {
  size_t size = 0;       ///< Bytes read; less than asked only at the end of the file or after an error.
  int error_number = 0;  ///< errno of the call that failed, or 0.
};

/// Fills `dst` from `offset` on, going on after interruptions (EINTR) and short reads. `offset` and
/// `offset + dst.size()` fit an off_t.
ReadOutcome read_fully(int fd, uint64_t offset, std::span<std::byte> dst, PreadFunction pread_function);

}  // namespace microtome
