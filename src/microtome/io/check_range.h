// The check that every source makes before it reads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "microtome/io/byte_source.h"

namespace microtome {

/// Errors: corrupt when `offset + size` passes the source's end (the numbers came from the file, so the file
/// is wrong, or cut).
Status check_range(const ByteSource& source, uint64_t offset, size_t size);

}  // namespace microtome
