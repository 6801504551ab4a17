#include "microtome/exec/cpu_limit.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <map>
#include <set>

#include "microtome/exec/executor.h"

namespace microtome {
namespace {

using Files = std::map<std::string, std::string>;

std::optional<int> cpus_in(const Files& files) {
  return cgroup_cpus([&](const std::string& path) -> std::optional<std::string> {
    const auto file = files.find(path);
    if (file == files.end()) return std::nullopt;
    return file->second;
  });
}

TEST(CpuLimit, CpuMaxOfVersion2) {
  EXPECT_EQ(parse_cpu_max("200000 100000\n"), 2);
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 2);  // rounded up
  EXPECT_EQ(parse_cpu_max("1000 100000\n"), 1);
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  for (const char* nonsense : {"", "\n", "100000", "a b", "1 2 3", "100000 0", "-1 100000", "99x 100"})
    EXPECT_EQ(parse_cpu_max(nonsense), std::nullopt) << nonsense;
}

TEST(CpuLimit, QuotaBeyondIntIsCutAndNoQuotaIsNoLimit) {
  EXPECT_EQ(quota_cpus(INT64_MAX, 1), INT32_MAX);
  EXPECT_EQ(quota_cpus(-1, 100000), std::nullopt);
  EXPECT_EQ(quota_cpus(0, 100000), std::nullopt);
}

TEST(CpuLimit, MountsAreThoseWithTheCpuController) {
  const auto mounts = parse_cgroup_mounts(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "30 23 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
      "33 23 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct rw shared:12 master:3 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "34 23 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "broken line\n");
  EXPECT_EQ(mounts, (std::vector<CgroupMount>{{true, "/", "/sys/fs/cgroup/unified"},
                                              {false, "/docker/ab", "/sys/fs/cgroup/cpu,cpuacct"}}));
}

TEST(CpuLimit, PathOfEitherVersion) {
  const std::string text = "5:cpuset:/set\n4:cpu,cpuacct:/a:b\n0::/user.slice/x\n";
  EXPECT_EQ(parse_cgroup_path(text, false), "/a:b");
  EXPECT_EQ(parse_cgroup_path(text, true), "/user.slice/x");
  EXPECT_EQ(parse_cgroup_path("4:cpuset:/a\n", false), std::nullopt);
  EXPECT_EQ(parse_cgroup_path("nonsense\n", true), std::nullopt);
}

TEST(CpuLimit, TheTightestGroupUpToTheRootDecides) {
  Files files{{"/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
              {"/proc/self/cgroup", "0::/slice/job/step\n"},
              {"/sys/fs/cgroup/slice/job/step/cpu.max", "max 100000\n"},
              {"/sys/fs/cgroup/slice/job/cpu.max", "300000 100000\n"},
              {"/sys/fs/cgroup/slice/cpu.max", "800000 100000\n"}};
  EXPECT_EQ(cpus_in(files), 3);
  files["/sys/fs/cgroup/slice/cpu.max"] = "100000 100000\n";
  EXPECT_EQ(cpus_in(files), 1);
  files["/sys/fs/cgroup/slice/cpu.max"] = files["/sys/fs/cgroup/slice/job/cpu.max"] = "max 100000\n";
  EXPECT_EQ(cpus_in(files), std::nullopt);
}

TEST(CpuLimit, ContainersSeeTheirGroupAsTheMountsRoot) {
  const Files bind_mounted{
      {"/proc/self/mountinfo", "33 23 0:29 /docker/ab /cg/cpu rw - cgroup cgroup rw,cpu\n"},
      {"/proc/self/cgroup", "4:cpu:/docker/ab/inner\n"},
      {"/cg/cpu/cpu.cfs_quota_us", "400000\n"},
      {"/cg/cpu/cpu.cfs_period_us", "100000\n"},
      {"/cg/cpu/inner/cpu.cfs_quota_us", "-1\n"},
      {"/cg/cpu/inner/cpu.cfs_period_us", "100000\n"}};
  EXPECT_EQ(cpus_in(bind_mounted), 4);

  const Files namespaced{{"/proc/self/mountinfo", "33 23 0:29 / /cg rw - cgroup2 cgroup rw\n"},
                         {"/proc/self/cgroup", "0::/\n"},
                         {"/cg/cpu.max", "250000 100000\n"}};
  EXPECT_EQ(cpus_in(namespaced), 3);
}

TEST(CpuLimit, BothVersionsMountedGiveTheTighter) {
  const Files files{
      {"/proc/self/mountinfo",
       "30 23 0:26 / /cg2 rw - cgroup2 cgroup2 rw\n33 23 0:29 / /cg1 rw - cgroup cgroup rw,cpu\n"},
      {"/proc/self/cgroup", "4:cpu:/\n0::/\n"},
      {"/cg2/cpu.max", "500000 100000\n"},
      {"/cg1/cpu.cfs_quota_us", "200000\n"},
      {"/cg1/cpu.cfs_period_us", "100000\n"}};
  EXPECT_EQ(cpus_in(files), 2);
}

TEST(CpuLimit, NothingReadableIsNoLimit) {
  EXPECT_EQ(cpus_in({}), std::nullopt);
}

TEST(AvailableCpus, FollowsTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const int all = available_cpus();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, CPU_COUNT(&before));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(available_cpus(), 1);
    break;
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(available_cpus(), all);
}

}  // namespace
}  // namespace microtome
