// Opening the driver: what is found, and each way in which it cannot be used.
#include "microtome/device/cuda/driver.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::cuda {
namespace {

class DriverTest : public FakeDriverTest {
 protected:
  static std::string refused() {
    const auto driver = Driver::open();
    if (driver.ok()) return "opened";
    EXPECT_EQ(driver.error().code, Errc::unavailable);
    return driver.error().message;
  }
};

const std::string kFile = FAKE_CUDA_FILE;

TEST_F(DriverTest, TellsWhatIsThere) {
  configure("devices=2,memory=4096,driver=13020");
  const auto driver = open_driver();
  EXPECT_EQ(driver->path(), kFile);
  EXPECT_EQ(version_text(driver->version()), "13.2");
  ASSERT_EQ(driver->devices().size(), 2u);
  const DeviceInfo& second = driver->devices()[1];
  EXPECT_EQ(second.name, "FAKE GPU 1 of the tests");
  EXPECT_EQ(second.memory_bytes, 4096u);
  EXPECT_EQ(std::pair(second.major, second.minor), std::pair(9, 0));
  EXPECT_EQ(second.multiprocessors, 4);
  EXPECT_TRUE(driver->has_device(1).ok());
  EXPECT_EQ(report().contexts, 0);  // looking makes none
}

TEST_F(DriverTest, AnOldDriver) {
  configure("driver=12040");
  EXPECT_EQ(refused(), "NVIDIA's driver " + kFile +
                           " is too old: it knows CUDA 12.4, expected 13.0 or newer, which is driver 580");
  configure("driver=13000");
  EXPECT_EQ(refused(), "opened");
}

TEST_F(DriverTest, NoDevice) {
  configure("devices=0");
  EXPECT_EQ(refused(),
            "NVIDIA's driver " + kFile +
                " does not start: cuInit answered CUDA_ERROR_NO_DEVICE (100). No device is visible: none is "
                "there, or CUDA_VISIBLE_DEVICES hides it, or a container was started without it.");
}

TEST_F(DriverTest, InitialisationThatFails) {
  configure("init=803");
  EXPECT_EQ(refused(),
            "NVIDIA's driver " + kFile +
                " does not start: cuInit answered CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803). The library and "
                "the kernel's module are of different versions: the driver was updated, and the machine not "
                "started anew.");
  configure("init=34");
  EXPECT_NE(refused().find("It is the stub that programs are linked with"), std::string::npos) << refused();
  configure("init=999");
  EXPECT_EQ(refused(), "NVIDIA's driver " + kFile +
                           " does not start: cuInit answered error 999. nvidia-smi may say more.");
}

TEST_F(DriverTest, AFailureIsNotRemembered) {
  configure("init=999");
  EXPECT_NE(refused(), "opened");
  configure("");
  EXPECT_EQ(refused(), "opened");
}

TEST_F(DriverTest, MissingFunctions) {
  ::setenv("MICROTOME_LIB_CUDA", FAKE_CUDA_LACKING_FILE, 1);
  EXPECT_EQ(refused(), std::string("NVIDIA's driver ") + FAKE_CUDA_LACKING_FILE +
                           " lacks cuMemHostAlloc, cuEventQuery: it is older than 580, or not NVIDIA's");
}

TEST_F(DriverTest, AWrongOrdinalNamesThoseThereAre) {
  configure("devices=2");
  const auto driver = open_driver();
  for (const int ordinal : {2, 99, -1}) {
    const Status status = driver->has_device(ordinal);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().message,
              "there is no cuda:" + std::to_string(ordinal) +
                  "; there is cuda:0 FAKE GPU 0 of the tests, cuda:1 FAKE GPU 1 of the tests");
    EXPECT_EQ(Device::open(driver, ordinal).error().message, status.error().message);
  }
}

/// 0 where `check` held in a child made by fork.
template <class Check>
int in_child(const Check& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(DriverTest, AForkedChildIsToldSo) {
  const auto driver = open_driver();
  const pid_t parent = ::getpid();
  EXPECT_EQ(in_child([&] {
              const std::string said = driver->usable().error().message;
              return said == "CUDA was initialised in process " + std::to_string(parent) +
                                 " and cannot be used in " + std::to_string(::getpid()) +
                                 ", a child of it made by fork: start processes with the method \"spawn\" or "
                                 "\"forkserver\"";
            }),
            0);
  EXPECT_TRUE(driver->usable().ok());
}

TEST_F(DriverTest, AChildOfAParentWhoseOtherLibraryUsedCuda) {
  const auto driver = open_driver();
  EXPECT_EQ(in_child([&] {
              const std::string said = refused();
              return said.find("CUDA_ERROR_NOT_INITIALIZED (3)") != std::string::npos &&
                     said.find("\"spawn\"") != std::string::npos;
            }),
            0);
}

}  // namespace
}  // namespace microtome::cuda
