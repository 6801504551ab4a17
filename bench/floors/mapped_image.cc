#include "floors/mapped_image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "floors/die.h"
#include "microtome/io/byte_source.h"

namespace floors {
namespace {

struct Mapping {
  void* data;
  size_t size;
  ~Mapping() { munmap(data, size); }
};

std::shared_ptr<const Mapping> map_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || fstat(file, &status) != 0) die("{}: {}", path, std::strerror(errno));
  const auto size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  if (data == MAP_FAILED) die("{}: cannot be mapped: {}", path, std::strerror(errno));
  close(file);
  return std::make_shared<Mapping>(data, size);
}

}  // namespace

MappedImage map_image(const std::string& path, int level) {
  auto source = microtome::open_file(path);
  if (!source.ok()) die("{}", source.error().to_string());
  auto slide = microtome::Slide::open(*source);
  if (!slide.ok()) die("{}", slide.error().to_string());
  MappedImage image;
  image.slide = *slide;
  if (level < 0 || static_cast<size_t>(level) >= image.slide->levels().size()) {
    die("{} has {} levels, not level {}", path, image.slide->levels().size(), level);
  }
  image.grid = &image.slide->image(level);
  const auto mapping = map_file(path);
  const auto* bytes = static_cast<const std::byte*>(mapping->data);
  for (int64_t row = 0; row < image.grid->rows; ++row) {
    for (int64_t col = 0; col < image.grid->cols; ++col) {
      auto tile = image.slide->tile(level, col, row);
      if (!tile.ok()) die("tile {},{}: {}", col, row, tile.error().to_string());
      const microtome::ByteRange range = *tile ? (*tile)->bytes : microtome::ByteRange{0, 0};
      image.tiles.emplace_back(bytes + range.offset, static_cast<size_t>(range.size));
    }
  }
  image.mapping = mapping;
  return image;
}

}  // namespace floors
