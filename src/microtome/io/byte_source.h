// Where bytes come from: a file, memory, later a URL.
//
// Sources are immutable to their readers: positional reads only, every method const and thread-safe, no file
// position. Access pattern to expect: a few small reads at open (header, directories), then ranges of
// kilobytes in any order from many threads. Knows paths and ranges; must not know TIFF, tiles or pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"

namespace microtome {

/// What makes two opened sources the same bytes. Caches key on it, so that a rewritten file is another file.
struct SourceId {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t mtime_ns = 0;
  bool operator==(const SourceId&) const = default;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// For messages: the path as the user gave it, "<memory>", …
  virtual std::string_view name() const noexcept = 0;
  virtual uint64_t size() const noexcept = 0;
  /// Unique among sources that are alive and, for files, among states of the file.
  virtual SourceId id() const noexcept = 0;

  /// Reads `dst.size()` bytes at `offset`: all of them, or an error.
  /// Errors: corrupt when the range passes the end; io when the system fails or the file shrank or changed
  /// since open.
  virtual Status read_at(uint64_t offset, std::span<std::byte> dst) const = 0;

  /// Of the file whose bytes from 0 on these are, at least as many as it has; -1: there is none. It is this
  /// source's, for who hands files to others (cuFile).
  virtual int descriptor() const noexcept { return -1; }

  /// An error if the bytes may have changed since open (size or modification time). Sources that cannot
  /// change: ok. Costs a system call; callers check once per read of a region, not once per tile.
  virtual Status check_unchanged() const = 0;
};

/// Opens a regular file for reading (close-on-exec). Reads use pread: a truncated file gives an error, never
/// a signal. Errors: not_found; invalid_argument for a directory or another non-regular file; io with the
/// system's reason.
Result<std::shared_ptr<const ByteSource>> open_file(const std::string& path);

/// Bytes in memory, kept alive by `bytes.owner`.
std::shared_ptr<const ByteSource> make_memory_source(Bytes bytes, std::string name = "<memory>");

/// `source` as if it went on with `tail`: what a file holds in another form than it is read in (an image in
/// its metadata, as text) gets a place like the rest. Named and identified as `source` is, whose bytes decide
/// what the tail is.
std::shared_ptr<const ByteSource> append_to_source(std::shared_ptr<const ByteSource> source, Bytes tail);

}  // namespace microtome
