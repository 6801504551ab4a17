// Header and directories into a File. See Note [Leniency] in directory.h.
//
// Note [Bounded work]. What a file can make us do is bounded by its own size: no directory is read twice, and
// all of them together may not take more bytes than the source has, since honest directories do not overlap.
// So a small file cannot grow into gigabytes of entries by pointing into itself.

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/tiff/byte_order.h"
#include "microtome/tiff/directory.h"
#include "microtome/tiff/header.h"
#include "microtome/tiff/type.h"
#include "microtome/tiff/values.h"

namespace microtome::tiff {
namespace {

// Slides' directories have 15 to 30 entries of 12 or 20 bytes, and most writers put the values right behind:
// descriptions, tables, resolutions. So most directories cost one read with all that open() asks of them; no
// file system reads less than this.
constexpr size_t kFirstRead = 4096;
// Of those reads, all together. Pyramids have tens of directories.
constexpr size_t kMostKept = size_t{1} << 20;

/// How a directory is laid out.
struct Layout {
  size_t count_size, entry_size, offset_size;

  size_t directory_size(size_t entries) const noexcept {
    return count_size + entries * entry_size + offset_size;
  }
};

Layout layout_of(const Encoding& encoding) noexcept {
  return encoding.big_tiff ? Layout{8, 20, 8} : Layout{2, 12, 4};
}

uint64_t load_offset(const Encoding& encoding, const std::byte* from) noexcept {
  return encoding.big_tiff ? load<uint64_t>(from, encoding.big_endian)
                           : load<uint32_t>(from, encoding.big_endian);
}

/// The entry at `from`, which lies at `position` in the source.
Entry parse_entry(const Encoding& encoding, const std::byte* from, uint64_t position) noexcept {
  const bool big_endian = encoding.big_endian;
  const size_t field_at = encoding.big_tiff ? 12 : 8, field_size = encoding.big_tiff ? 8 : 4;
  Entry entry;
  entry.tag = load<uint16_t>(from, big_endian);
  entry.type = static_cast<Type>(load<uint16_t>(from + 2, big_endian));
  entry.count =
      encoding.big_tiff ? load<uint64_t>(from + 4, big_endian) : load<uint32_t>(from + 4, big_endian);
  std::copy_n(from + field_at, field_size, entry.field.begin());
  // An entry of unknown type is kept as it is; asking for its value is the error.
  const bool in_entry = type_size(entry.type) == 0 || is_inline(encoding, entry);
  entry.value_offset = in_entry ? position + field_at : load_offset(encoding, from + field_at);
  return entry;
}

}  // namespace

class Parser {
 public:
  explicit Parser(std::shared_ptr<const Encoding> encoding) : encoding_(std::move(encoding)) {}

  /// The directory at `first` and those that follow it.
  Result<std::vector<Directory>> read_chain(uint64_t first) {
    std::vector<Directory> chain;
    uint64_t from = 0;  // the header
    for (uint64_t offset = first; offset != 0;) {
      uint64_t next = 0;
      MICROTOME_ASSIGN(Directory directory, read_directory(offset, from, &next));
      chain.push_back(std::move(directory));
      from = offset;
      offset = next;
    }
    // After the chain, so that a SubIFD that points into the chain is what is reported, not the chain.
    for (Directory& directory : chain) MICROTOME_TRY(read_sub_directories(directory, 1));
    return chain;
  }

 private:
  /// One directory without those below it. `from`: the directory that names it, 0 for the header.
  Result<Directory> read_directory(uint64_t offset, uint64_t from, uint64_t* next) {
    MICROTOME_TRY(claim(offset, from));
    std::vector<std::byte> stored;
    MICROTOME_ASSIGN(const size_t count, read_stored_directory(offset, from, &stored));

    const Layout layout = layout_of(*encoding_);
    Directory directory;
    directory.encoding_ = encoding_;
    directory.offset_ = offset;
    directory.entries_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = layout.count_size + i * layout.entry_size;
      directory.entries_.push_back(parse_entry(*encoding_, stored.data() + at, offset + at));
    }
    *next = load_offset(*encoding_, stored.data() + layout.count_size + count * layout.entry_size);
    if (kept_bytes_ + stored.size() <= kMostKept) {
      kept_bytes_ += stored.size();
      directory.window_ = {offset, std::move(stored)};
    }
    return directory;
  }

  /// Its bytes, from the count to the next offset and what came with them; returns the count. One read, or
  /// two for a large directory.
  Result<size_t> read_stored_directory(uint64_t offset, uint64_t from, std::vector<std::byte>* stored) {
    const Layout layout = layout_of(*encoding_);
    const ByteSource& source = *encoding_->source;
    if (offset >= source.size()) {
      return corrupt("{} points to a directory at offset {}, expected one within the source's {} bytes",
                     named(from), offset, source.size());
    }
    const uint64_t left = source.size() - offset;
    if (left < layout.count_size) {
      return corrupt("directory at offset {} is cut: {} bytes, expected at least {}", offset, left,
                     layout.directory_size(1));
    }
    stored->resize(static_cast<size_t>(std::min<uint64_t>(left, kFirstRead)));
    MICROTOME_TRY(source.read_at(offset, *stored));

    const uint64_t count = encoding_->big_tiff ? load<uint64_t>(stored->data(), encoding_->big_endian)
                                               : load<uint16_t>(stored->data(), encoding_->big_endian);
    if (count == 0) return corrupt("directory at offset {} has no entries, expected at least 1", offset);
    if (count > encoding_->limits.max_entries) {
      return corrupt("directory at offset {} has {} entries, more than the limit max_entries of {}", offset,
                     count, encoding_->limits.max_entries);
    }
    const size_t size = layout.directory_size(static_cast<size_t>(count));
    if (size > left) {
      return corrupt("directory at offset {} is cut: {} bytes, expected {} for {} entries", offset, left,
                     size, count);
    }
    directory_bytes_ += size;
    if (directory_bytes_ > source.size()) {
      return corrupt("directories overlap: up to the one at offset {} they take {} bytes, the source has {}",
                     offset, directory_bytes_, source.size());
    }
    if (const size_t have = stored->size(); size > have) {
      stored->resize(size);
      MICROTOME_TRY(source.read_at(offset + have, std::span(*stored).subspan(have)));
    }
    return static_cast<size_t>(count);
  }

  Status read_sub_directories(Directory& directory, uint32_t depth) {
    const Entry* entry = directory.find(tag::kSubIfds);
    if (entry == nullptr) return ok_status();
    // Zeros count too: a file of zeros must not cost more than one of directories.
    named_directories_ += std::min<uint64_t>(entry->count, uint64_t{1} << 32);
    MICROTOME_TRY(check_directory_limit(directory.offset()));
    auto offsets = read_unsigned(*encoding_, *entry, entry->count, directory.window_);
    if (!offsets.ok()) return std::move(offsets).error().with_prefix(named(directory.offset()));
    for (const uint64_t offset : *offsets) {
      if (offset == 0) continue;  // reserved by a writer that did not come to fill it
      if (depth > encoding_->limits.max_sub_depth) {
        return corrupt("{} names SubIFDs at depth {}, more than the limit max_sub_depth of {}",
                       named(directory.offset()), depth, encoding_->limits.max_sub_depth);
      }
      // Technical Note 1 lists all children in the tag. Where they are also linked, the links say nothing
      // new.
      uint64_t unused_next = 0;
      MICROTOME_ASSIGN(Directory below, read_directory(offset, directory.offset(), &unused_next));
      MICROTOME_TRY(read_sub_directories(below, depth + 1));
      directory.sub_directories_.push_back(std::move(below));
    }
    return ok_status();
  }

  /// Notes that `offset` is read; an error if it was before.
  Status claim(uint64_t offset, uint64_t from) {
    if (!seen_.insert(offset).second) {
      return corrupt("{} points to the directory at offset {}, which was already reached; expected no cycle",
                     named(from), offset);
    }
    return check_directory_limit(from);
  }

  Status check_directory_limit(uint64_t from) const {
    const uint64_t limit = encoding_->limits.max_directories;
    if (seen_.size() <= limit && named_directories_ <= limit) return ok_status();
    return corrupt("{} names directory {}, more than the limit max_directories of {}", named(from),
                   std::max<uint64_t>(seen_.size(), named_directories_), limit);
  }

  static std::string named(uint64_t directory_offset) {
    return directory_offset == 0 ? "the header" : fmt::format("directory at offset {}", directory_offset);
  }

  std::shared_ptr<const Encoding> encoding_;
  std::unordered_set<uint64_t> seen_;  // offsets of directories
  uint64_t named_directories_ = 0;     // values of all SubIFDs tags
  uint64_t directory_bytes_ = 0;       // of all directories
  size_t kept_bytes_ = 0;              // in their windows
};

Result<File> parse(std::shared_ptr<const ByteSource> source, const Limits& limits) {
  auto header = read_header(*source);
  if (!header.ok()) return std::move(header).error().with_prefix("tiff");
  if (header->first_directory == 0) {
    return corrupt("tiff: no directory: the header's first offset is 0");
  }
  File file;
  file.encoding = std::make_shared<const Encoding>(
      Encoding{std::move(source), header->big_endian, header->big_tiff, limits});
  auto chain = Parser(file.encoding).read_chain(header->first_directory);
  if (!chain.ok()) return std::move(chain).error().with_prefix("tiff");
  file.directories = *std::move(chain);
  return file;
}

}  // namespace microtome::tiff
