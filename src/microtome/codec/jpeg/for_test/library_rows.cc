#include "microtome/codec/jpeg/for_test/library_rows.h"

#include <cstdio>
// jpeglib.h needs size_t and FILE.
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>

namespace microtome::jpeg::test {
namespace {

struct File {
  unsigned char* data = nullptr;
  unsigned long bytes = 0;
  ~File() { std::free(data); }
};

void compress(File& file, const std::vector<uint8_t>& pixels, size_t w, size_t h, int across, int down) {
  jpeg_compress_struct c;
  jpeg_error_mgr error;
  c.err = jpeg_std_error(&error);
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, &file.data, &file.bytes);
  c.image_width = static_cast<JDIMENSION>(w);
  c.image_height = static_cast<JDIMENSION>(h);
  c.input_components = 3;
  c.in_color_space = JCS_YCbCr;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 100, TRUE);
  c.comp_info[0].h_samp_factor = across;
  c.comp_info[0].v_samp_factor = down;
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < h) {
    JSAMPROW row = const_cast<uint8_t*>(pixels.data()) + 3 * w * c.next_scanline;
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
}

struct Decompress {
  jpeg_decompress_struct d;
  jpeg_error_mgr error;
  explicit Decompress(const File& file) {
    d.err = jpeg_std_error(&error);
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, file.data, file.bytes);
    jpeg_read_header(&d, TRUE);
    d.dct_method = JDCT_ISLOW;
  }
  ~Decompress() { jpeg_destroy_decompress(&d); }
};

std::vector<Plane> raw_planes(const File& file) {
  Decompress reader(file);
  auto& d = reader.d;
  d.raw_data_out = TRUE;
  jpeg_start_decompress(&d);
  std::vector<Plane> planes;
  for (int i = 0; i < 3; ++i)
    planes.emplace_back(d.comp_info[i].downsampled_width, d.comp_info[i].downsampled_height);
  constexpr size_t kWidest = 4096;
  std::vector<uint8_t> rows(3 * 16 * kWidest);
  JSAMPROW pointers[3][16];
  JSAMPARRAY arrays[3];
  for (size_t i = 0; i < 3; ++i) {
    for (size_t r = 0; r < 16; ++r) pointers[i][r] = rows.data() + (16 * i + r) * kWidest;
    arrays[i] = pointers[i];
  }
  const size_t most = static_cast<size_t>(8 * d.max_v_samp_factor);
  for (size_t y = 0; y < d.output_height; y += most) {
    jpeg_read_raw_data(&d, arrays, static_cast<JDIMENSION>(most));
    for (size_t i = 0; i < 3; ++i) {
      const auto high = static_cast<size_t>(8 * d.comp_info[i].v_samp_factor), from = y * high / most;
      for (size_t r = 0; r < high && from + r < planes[i].h; ++r)
        std::copy_n(pointers[i][r], planes[i].w, planes[i].row(from + r));
    }
  }
  jpeg_abort_decompress(&d);
  for (Plane& plane : planes) plane.repeat_edges();
  return planes;
}

std::vector<uint8_t> rgb_of(const File& file, size_t w, size_t h) {
  Decompress reader(file);
  reader.d.out_color_space = JCS_RGB;
  jpeg_start_decompress(&reader.d);
  std::vector<uint8_t> rgb(3 * w * h);
  while (reader.d.output_scanline < h) {
    JSAMPROW row = rgb.data() + 3 * w * reader.d.output_scanline;
    jpeg_read_scanlines(&reader.d, &row, 1);
  }
  jpeg_finish_decompress(&reader.d);
  return rgb;
}

}  // namespace

Image library_image(size_t w, size_t h, int across, int down, std::mt19937& random) {
  std::vector<uint8_t> pixels(3 * w * h);
  std::uniform_int_distribution<int> byte(0, 255);
  for (auto& p : pixels) p = static_cast<uint8_t>(byte(random));
  File file;
  compress(file, pixels, w, h, across, down);
  return {w, h, raw_planes(file), rgb_of(file, w, h)};
}

std::vector<uint8_t> library_rgb(const std::vector<uint8_t>& ycc, size_t w, size_t h) {
  File file;
  compress(file, ycc, w, h, 1, 1);
  return rgb_of(file, w, h);
}

}  // namespace microtome::jpeg::test
