// Bytes and where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace microtome {

/// A run of bytes in a source. `offset + size` has been checked against the source's size by whoever made it.
struct ByteRange {
  uint64_t offset = 0, size = 0;
  bool operator==(const ByteRange&) const = default;
};

/// Bytes that stay valid as long as this value (or a copy of it) lives.
struct Bytes {
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;
};

}  // namespace microtome
