// The first 8 (BigTIFF: 16) bytes.
#pragma once

#include <cstdint>

#include "microtome/tiff/directory.h"

namespace microtome::tiff {

struct Header {
  bool big_endian = false;
  bool big_tiff = false;
  uint64_t first_directory = 0;
};

/// Errors: corrupt when it is not a TIFF header or is cut; io.
Result<Header> read_header(const ByteSource& source);

}  // namespace microtome::tiff
