#include "tests/fake_cuda/jpeg_for_test.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jpeglib.h>

namespace microtome::test {
namespace {

std::vector<JSAMPLE> picture(const JpegKind& kind, uint32_t seed) {
  std::vector<JSAMPLE> samples(static_cast<size_t>(kind.size.w * kind.size.h * kind.components));
  JSAMPLE* sample = samples.data();
  uint32_t state = seed * 2654435761u + 1;
  for (int64_t y = 0; y < kind.size.h; ++y) {
    for (int64_t x = 0; x < kind.size.w; ++x) {
      for (int c = 0; c < kind.components; ++c) {
        state = state * 1664525 + 1013904223;
        const auto slope = static_cast<uint32_t>(x * (3 + c) + y * (2 + static_cast<int>(seed % 5)));
        *sample++ = static_cast<JSAMPLE>(slope % 200 + (state >> 24) % 56);
      }
    }
  }
  return samples;
}

/// What `write` makes of a compressor that is set up.
std::vector<std::byte> compress(const JpegKind& kind,
                                const std::function<void(jpeg_compress_struct&)>& write) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = static_cast<JDIMENSION>(kind.size.w);
  jpeg.image_height = static_cast<JDIMENSION>(kind.size.h);
  jpeg.input_components = kind.components;
  jpeg.in_color_space = kind.components == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, kind.quality, TRUE);
  jpeg.write_JFIF_header = FALSE;
  jpeg.comp_info[0].h_samp_factor = kind.components == 1 ? 1 : kind.across;
  jpeg.comp_info[0].v_samp_factor = kind.components == 1 ? 1 : kind.down;
  jpeg.restart_in_rows = kind.restart_rows;
  if (kind.progressive) jpeg_simple_progression(&jpeg);
  write(jpeg);
  const auto* const bytes = reinterpret_cast<const std::byte*>(memory);
  std::vector<std::byte> stream(bytes, bytes + size);
  jpeg_destroy_compress(&jpeg);
  std::free(memory);
  return stream;
}

std::vector<std::byte> encode(const JpegKind& kind, uint32_t seed, bool with_tables) {
  std::vector<JSAMPLE> samples = picture(kind, seed);
  return compress(kind, [&](jpeg_compress_struct& jpeg) {
    if (!with_tables) jpeg_suppress_tables(&jpeg, TRUE);
    jpeg_start_compress(&jpeg, with_tables);
    const auto row_bytes = static_cast<size_t>(kind.size.w * kind.components);
    while (jpeg.next_scanline < jpeg.image_height) {
      JSAMPROW row = samples.data() + jpeg.next_scanline * row_bytes;
      jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
  });
}

}  // namespace

std::vector<std::byte> encode_jpeg(const JpegKind& kind, uint32_t seed) {
  return encode(kind, seed, true);
}

std::vector<std::byte> encode_jpeg_tables(const JpegKind& kind) {
  return compress(kind, [](jpeg_compress_struct& jpeg) { jpeg_write_tables(&jpeg); });
}

std::vector<std::byte> encode_jpeg_abbreviated(const JpegKind& kind, uint32_t seed) {
  return encode(kind, seed, false);
}

}  // namespace microtome::test
