// Headers of JPEG tiles: what is taken must be what libjpeg reads from the same bytes, without a warning.
//
// Input: two bytes, the size of the tables; the tables; the tile. The corpus of `codec` does as seeds as
// well.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "microtome/codec/jpeg/for_test/header_oracle.h"
#include "microtome/codec/jpeg/markers.h"

using namespace microtome;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::span input(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  const size_t tables_size = std::min<size_t>(static_cast<size_t>(data[0]) << 8 | data[1], input.size());
  // Copies of their own, so that reading past an end is seen.
  const std::vector<std::byte> tables(input.begin(), input.begin() + static_cast<ptrdiff_t>(tables_size));
  const std::vector<std::byte> stream(input.begin() + static_cast<ptrdiff_t>(tables_size), input.end());

  static jpeg::Headers headers;  // lives on, as it does between tiles
  const jpeg::Frame* frame = headers.read(stream, tables);
  if (frame == nullptr) return 0;
  const std::string difference = jpeg::difference_from_library(*frame, stream, tables);
  if (!difference.empty()) {
    std::fprintf(stderr, "%s\n", difference.c_str());
    std::abort();
  }
  return 0;
}
