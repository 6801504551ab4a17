#include "floors/task.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "floors/die.h"

namespace floors {

std::unique_ptr<TileDecoder> make_decoder(const microtome::TileFormat& format) {
  using microtome::Compression;
  const bool bytes = format.type == microtome::SampleType::u8 && !format.planar;
  switch (format.compression) {
    case Compression::jpeg:
      return bytes && (format.samples == 1 || format.samples == 3) ? make_jpeg_decoder(format) : nullptr;
    case Compression::jpeg2000:
    case Compression::aperio_jpeg2000_ycbcr:
    case Compression::aperio_jpeg2000_rgb:
      return bytes && format.samples == 3 ? make_jpeg2000_decoder(format) : nullptr;
    default:
      return nullptr;
  }
}

std::vector<std::unique_ptr<TileDecoder>> make_decoders(const MappedImage& image, int workers) {
  std::vector<std::unique_ptr<TileDecoder>> decoders;
  for (int i = 0; i < workers; ++i) decoders.push_back(make_decoder(image.grid->format));
  return decoders;
}

int64_t write_file(const std::string& path, const uint8_t* data, size_t size) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool ok = file && std::fwrite(data, 1, size, file) == size;
  if (!file || std::fclose(file) != 0 || !ok) die("{}: {}", path, std::strerror(errno));
  return static_cast<int64_t>(size);
}

void fill_background(const Target& to, size_t samples) {
  for (int64_t y = 0; y < to.h; ++y) {
    std::memset(to.data + y * to.stride, kBackground, static_cast<size_t>(to.w) * samples);
  }
}

}  // namespace floors
