// Every real file there is, opened and read from end to end: it opens or is refused with a specific error,
// and every image of it gives pixels or an error. Under the sanitizers this is the net beneath everything
// else; whether the pixels are right is asked elsewhere (tests/golden).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "microtome/read/reader.h"
#include "microtome/slide/slide.h"

namespace microtome {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxPixels = 4 << 20;  // of one read; larger images are read in their corners
constexpr int64_t kCorner = 1024;

fs::path slides_root() {
  const char* named = std::getenv("MICROTOME_SLIDES");
  return named != nullptr ? fs::path(named) : fs::path(MICROTOME_SHARED_SLIDES);
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Rect> parts_to_read(Size size) {
  if (size.w * size.h <= kMaxPixels) return {{0, 0, size.w, size.h}};
  const int64_t w = std::min(size.w, kCorner), h = std::min(size.h, kCorner);
  return {{0, 0, w, h},
          {size.w - w, size.h - h, w, h},
          {size.w / 2, size.h / 2, std::min<int64_t>(w, 64), std::min<int64_t>(h, 64)}};
}

/// Reads every image of the slide; counts verdicts by error code, "ok" for pixels.
void read_everything(const std::shared_ptr<const Slide>& slide, Reader& reader,
                     std::map<std::string, int>& verdicts) {
  for (int image = 0; image < slide->image_count(); ++image) {
    const TileGrid& grid = slide->image(image);
    for (const Rect& part : parts_to_read(grid.size)) {
      const size_t row_bytes =
          static_cast<size_t>(part.w) * grid.format.samples * sample_bytes(grid.format.type);
      if (row_bytes * static_cast<size_t>(part.h) > (256u << 20)) continue;
      std::vector<std::byte> pixels(row_bytes * static_cast<size_t>(part.h));
      const ImageView view{pixels.data(), part.size(), static_cast<int64_t>(row_bytes), grid.format.samples,
                           grid.format.type};
      ReadOptions options;
      options.workers = 2;
      const double white = 255;
      auto fill = make_fill(std::span(&white, 1), grid.format.samples, grid.format.type);
      if (!fill.ok()) {
        const double zero = 0;
        fill = make_fill(std::span(&zero, 1), grid.format.samples, grid.format.type);
      }
      ASSERT_TRUE(fill.ok()) << fill.error().to_string();
      options.fill = *fill;
      const Status status = reader.read(slide, image, part, view, options, nullptr);
      if (status.ok()) {
        ++verdicts["ok"];
        continue;
      }
      const Error& error = status.error();
      ++verdicts[std::string(errc_name(error.code))];
      EXPECT_NE(error.code, Errc::internal) << error.to_string();
      EXPECT_NE(error.message.find(std::string(slide->name())), std::string::npos)
          << "an error that does not name its slide: " << error.to_string();
    }
  }
}

class RealSlides : public testing::TestWithParam<std::string> {};

TEST_P(RealSlides, OpenOrRefuseAndReadOrFail) {
  const fs::path root = slides_root();
  if (!fs::exists(root)) GTEST_SKIP() << "no slides in " << root << "; set MICROTOME_SLIDES";
  const auto files = files_below(root / GetParam());
  ASSERT_FALSE(files.empty());

  Reader reader(std::make_shared<Executor>(), std::make_shared<TileCache>(0), std::make_shared<WorkerPool>(),
                BufferPool::make(0), std::make_shared<ReadCounters>());
  std::map<std::string, int> opened, verdicts;
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    auto source = open_file(file.string());
    ASSERT_TRUE(source.ok()) << source.error().to_string();
    auto slide = Slide::open(*source);
    if (!slide.ok()) {
      const Errc code = slide.error().code;
      ++opened[std::string(errc_name(code))];
      EXPECT_TRUE(code == Errc::corrupt || code == Errc::unsupported) << slide.error().to_string();
      EXPECT_GT(slide.error().message.size(), 15u) << slide.error().to_string();
      continue;
    }
    ++opened["ok"];
    read_everything(*slide, reader, verdicts);
  }
  for (const auto& [what, count] : opened) std::printf("  open: %s %d\n", what.c_str(), count);
  for (const auto& [what, count] : verdicts) std::printf("  read: %s %d\n", what.c_str(), count);
}

INSTANTIATE_TEST_SUITE_P(Folders, RealSlides,
                         testing::Values("aperio", "generic-pyramid", "bigtiff", "tiff-corrupt", "tiff-edge",
                                         "ome-tiff", "qptiff", "jpeg", "jpeg2000"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace microtome
