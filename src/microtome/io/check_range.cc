#include "microtome/io/check_range.h"

#include "microtome/base/fail.h"

namespace microtome {

Status check_range(const ByteSource& source, uint64_t offset, size_t size) {
  const uint64_t end = source.size();
  if (offset > end || size > end - offset) {
    return corrupt("'{}' has {} bytes, expected {} bytes at offset {}", source.name(), end, size, offset);
  }
  return ok_status();
}

}  // namespace microtome
