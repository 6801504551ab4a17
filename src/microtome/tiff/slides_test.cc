// Every TIFF of the slide collection, valid, odd or broken: it parses or is refused with a reason, and so
// does every value in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "microtome/tiff/directory.h"
#include "microtome/tiff/lazy_array.h"

namespace microtome::tiff {
namespace {

namespace fs = std::filesystem;

fs::path slides_folder() {
  const char* named = std::getenv("MICROTOME_SLIDES");
  return named != nullptr ? named : MICROTOME_SLIDES_DIR;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

template <class T>
size_t must_say_why(const Result<T>& result, const fs::path& path) {
  if (result.ok()) return 0;
  EXPECT_EQ(result.error().code, Errc::corrupt) << path << ": " << result.error().to_string();
  EXPECT_EQ(result.error().message.rfind("tiff: directory at offset ", 0), 0u)
      << path << ": " << result.error().to_string();
  return 1;
}

struct Totals {
  size_t parsed = 0, refused = 0, directories = 0, entries = 0, without_value = 0;
};

/// Asks for every entry's value in every way; counts those whose bytes cannot be had at all.
void read_everything(const Directory& directory, const fs::path& path, Totals& totals) {
  ++totals.directories;
  for (const Entry& entry : directory.entries()) {
    ++totals.entries;
    must_say_why(directory.unsigned_value(entry.tag), path);
    must_say_why(directory.unsigned_values(entry.tag, entry.count), path);
    must_say_why(directory.real_value(entry.tag), path);
    must_say_why(directory.real_values(entry.tag, entry.count), path);
    must_say_why(directory.text(entry.tag), path);
    totals.without_value += must_say_why(directory.bytes(entry.tag), path);
    const auto array = LazyArray::over(directory, entry.tag);
    if (must_say_why(array, path) == 0) {
      for (uint64_t i = 0; i < array->size(); i += 1000) must_say_why(array->at(i), path);
    }
  }
  for (const Directory& below : directory.sub_directories()) read_everything(below, path, totals);
}

TEST(SlideCollection, EveryFileParsesOrSaysWhyNot) {
  if (!fs::exists(slides_folder())) GTEST_SKIP() << "no slides in " << slides_folder();
  Totals totals;
  for (const fs::path& path : files_below(slides_folder())) {
    const auto file = parse(open_file(path.string()).value());
    if (file.ok()) {
      ++totals.parsed;
      for (const Directory& directory : file->directories) read_everything(directory, path, totals);
      continue;
    }
    ++totals.refused;
    EXPECT_EQ(file.error().code, Errc::corrupt) << path;
    EXPECT_EQ(file.error().message.rfind("tiff: ", 0), 0u) << path;
  }
  EXPECT_GT(totals.parsed, 0u);
  RecordProperty("parsed", static_cast<int>(totals.parsed));
  RecordProperty("refused", static_cast<int>(totals.refused));
  std::printf("%zu files parsed, %zu refused; %zu directories, %zu entries, %zu of them without a value\n",
              totals.parsed, totals.refused, totals.directories, totals.entries, totals.without_value);
}

TEST(SlideCollection, WholeSlidesParse) {
  if (!fs::exists(slides_folder())) GTEST_SKIP() << "no slides in " << slides_folder();
  size_t count = 0;
  for (const char* folder : {"aperio", "generic-pyramid", "bigtiff", "ome-tiff", "qptiff"}) {
    for (const fs::path& path : files_below(slides_folder() / folder)) {
      if (path.filename() == "broken.svs") continue;  // a text in place of a header, for readers to refuse
      const std::string name = path.extension();
      if (name != ".svs" && name != ".tif" && name != ".tiff" && name != ".qptiff") continue;
      ++count;
      const auto file = parse(open_file(path.string()).value());
      EXPECT_TRUE(file.ok()) << path << ": " << (file.ok() ? "" : file.error().to_string());
    }
  }
  EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace microtome::tiff
