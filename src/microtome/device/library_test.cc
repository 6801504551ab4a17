#include "microtome/device/library.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace microtome {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVariable = "MICROTOME_LIB_FOR_TEST";

LibraryName named(std::vector<std::string_view> files) {
  return {"The library", std::move(files), kVariable, "Install it."};
}

class LibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv(kVariable);
    folder_ = fs::temp_directory_path() / ("microtome-library-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    ::unsetenv(kVariable);
    fs::remove_all(folder_);
  }
  std::string folder() const { return folder_.string(); }

 private:
  fs::path folder_;
};

TEST_F(LibraryTest, OneThatTheProcessHasIsShared) {
  const auto library = Library::open(named({"libm.so.6"}), {{folder()}, {}});
  ASSERT_TRUE(library.ok());
  EXPECT_NE(library->symbol("cos"), nullptr);
  EXPECT_EQ(library->symbol("no_such_function"), nullptr);
  EXPECT_NE(library->path().find("libm.so.6"), std::string::npos);
}

TEST_F(LibraryTest, WhatIsMissingNamesEachPlace) {
  const auto library = Library::open(named({"libnone.so.2", "libnone.so.1"}), {{"/a", "/b"}, {"/c"}});
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.error().code, Errc::unavailable);
  EXPECT_EQ(
      library.error().message,
      "The library was not found: looked for libnone.so.2, libnone.so.1 in: /a; /b; where the system's "
      "loader looks; /c. The loader said: libnone.so.2: cannot open shared object file: No such file or "
      "directory; libnone.so.1: cannot open shared object file: No such file or directory. Install it.");
}

TEST_F(LibraryTest, AFileThatIsNoLibraryIsNamedAndTheSearchGoesOn) {
  std::ofstream(folder() + "/libnone.so.1") << "text";
  const auto library = Library::open(named({"libnone.so.1"}), {{folder()}, {}});
  ASSERT_FALSE(library.ok());
  EXPECT_NE(library.error().message.find(folder() + "/libnone.so.1: "), std::string::npos)
      << library.error().message;
  EXPECT_TRUE(Library::open(named({"libnone.so.1", "libm.so.6"}), {{folder()}, {}}).ok());
}

TEST_F(LibraryTest, TheVariableNamesTheOneFile) {
  ::setenv(kVariable, "/nowhere/lib.so", 1);
  const auto library = Library::open(named({"libm.so.6"}), {});
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(
      library.error().message,
      "The library cannot be opened: MICROTOME_LIB_FOR_TEST = /nowhere/lib.so: /nowhere/lib.so: cannot open "
      "shared object file: No such file or directory");
  ::setenv(kVariable, "libm.so.6", 1);
  EXPECT_TRUE(Library::open(named({"libnone.so.1"}), {}).ok());
  ::setenv(kVariable, "", 1);
  EXPECT_FALSE(Library::open(named({"libnone.so.1"}), {}).ok());
}

}  // namespace
}  // namespace microtome
