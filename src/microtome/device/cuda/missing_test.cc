// What is said of NVIDIA's libraries where there are none. In a process that has opened none: one that is
// open is found.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "microtome/device/cuda/driver.h"
#include "microtome/device/cuda/libraries.h"

namespace microtome::cuda {
namespace {

std::string refused() {
  const auto driver = Driver::open();
  if (driver.ok()) return "opened";
  EXPECT_EQ(driver.error().code, Errc::unavailable);
  return driver.error().message;
}

TEST(NoDriver, EachPlaceIsNamed) {
  ::unsetenv("MICROTOME_LIB_CUDA");
  if (::access("/dev/nvidiactl", F_OK) == 0 || ::access("/dev/dxg", F_OK) == 0)
    GTEST_SKIP() << "this machine has a GPU's driver";
  EXPECT_EQ(
      refused(),
      "NVIDIA's driver was not found: looked for libcuda.so.1 in: where the system's loader looks; "
      "/usr/lib/wsl/lib. The loader said: libcuda.so.1: cannot open shared object file: No such file or "
      "directory. It comes with NVIDIA's GPU driver, never from PyPI");
}

TEST(NoDriver, AFileThatIsNotThere) {
  ::setenv("MICROTOME_LIB_CUDA", "/nowhere/libcuda.so.1", 1);
  EXPECT_EQ(
      refused(),
      "NVIDIA's driver cannot be opened: MICROTOME_LIB_CUDA = /nowhere/libcuda.so.1: /nowhere/libcuda.so.1: "
      "cannot open shared object file: No such file or directory");
  ::unsetenv("MICROTOME_LIB_CUDA");
}

TEST(NoDriver, AnotherLibrary) {
  ::setenv("MICROTOME_LIB_CUDA", "libm.so.6", 1);
  const std::string said = refused();
  EXPECT_NE(said.find("libm.so.6 lacks cuInit, cuDriverGetVersion, "), std::string::npos) << said;
  ::unsetenv("MICROTOME_LIB_CUDA");
}

TEST(NoDecoders, EachSaysWhereItWasLookedForAndWhoHasIt) {
  for (const char* name : {"MICROTOME_LIB_NVJPEG", "MICROTOME_LIB_NVJPEG2K", "MICROTOME_LIB_CUFILE"})
    ::setenv(name, "libm.so.6", 1);
  for (const LibraryReport& library : look_for_libraries({})) {
    EXPECT_NE(library.problem.find("libm.so.6 lacks "), std::string::npos) << library.problem;
    EXPECT_EQ(library.version, "");
  }
  for (const char* name : {"MICROTOME_LIB_NVJPEG", "MICROTOME_LIB_NVJPEG2K", "MICROTOME_LIB_CUFILE"})
    ::unsetenv(name);
  const auto found =
      look_for_libraries({{{"/first/a"}, {}}, {{"/first/b"}, {}}, {{"/first/c"}, {"/last/c"}}});
  ASSERT_EQ(found.size(), 3u);
  const char* const folders[] = {"/first/a", "/first/b",
                                 "/first/c; where the system's loader looks; /last/c"};
  const char* const packages[] = {"nvidia-nvjpeg", "nvidia-nvjpeg2k-cu13", "nvidia-cufile"};
  for (size_t i = 0; i < 3; ++i) {
    if (!found[i].version.empty()) continue;  // installed on this machine
    EXPECT_NE(found[i].problem.find(folders[i]), std::string::npos) << found[i].problem;
    EXPECT_NE(found[i].problem.find(packages[i]), std::string::npos) << found[i].problem;
  }
}

}  // namespace
}  // namespace microtome::cuda
