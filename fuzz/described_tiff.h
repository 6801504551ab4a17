// A small tiled TIFF that any bytes describe: for the metadata parsers of formats that keep it in there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "microtome/slide/tiff_for_test.h"

namespace microtome::fuzz {

/// Its ImageDescription: `begin`, the fuzzer's bytes up to their first NUL, `end`.
inline TestDirectory described(TestDirectory directory, std::string_view begin, std::string_view bytes,
                               std::string_view end) {
  const std::string text =
      std::string(begin) + std::string(bytes.substr(0, bytes.find('\0'))) + std::string(end);
  return directory.set(ascii(tiff::tag::kImageDescription, text));
}

/// One grey sample, two levels in SubIFDs.
inline TestDirectory plane() {
  const auto grey = [](Size size) {
    return tiled(size, {64, 64})
        .set(u16(tiff::tag::kBitsPerSample, {8}))
        .set(u16(tiff::tag::kSamplesPerPixel, {1}))
        .set(u16(tiff::tag::kPhotometric, {1}));
  };
  TestDirectory directory = grey({128, 128});
  directory.subs.push_back(grey({64, 64}));
  return directory;
}

}  // namespace microtome::fuzz
