// How much processor time a cgroup grants: parsing, apart from reading, so that tests can feed it text.
//
// Called by available_cpus() (executor.h). Linux's cgroup v1 (cpu.cfs_quota_us, cpu.cfs_period_us) and v2
// (cpu.max); the limit of a group is the tightest one on the way from it up to the root of what is mounted.
// Sources: cgroups(7), proc(5), the kernel's admin-guide/cgroup-v2. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace microtome {

/// A mounted cgroup hierarchy that has the cpu controller or may have it.
struct CgroupMount {
  bool v2 = false;
  std::string root;   ///< The group that stands at `point`: not "/" where a container sees a part alone.
  std::string point;  ///< "/sys/fs/cgroup"
  bool operator==(const CgroupMount&) const = default;
};

/// From /proc/self/mountinfo. Lines that are not understood are passed over.
std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

/// From /proc/self/cgroup: the process's group in the v2 hierarchy or in v1's with the cpu controller.
std::optional<std::string> parse_cgroup_path(std::string_view proc_cgroup, bool v2);

/// ceil(quota / period), at least 1; nothing where there is no limit (quota not positive) or no sense.
std::optional<int> quota_cpus(int64_t quota_us, int64_t period_us);

/// From cpu.max: "200000 100000" is 2, "max 100000" is no limit.
std::optional<int> parse_cpu_max(std::string_view text);

/// The content of a file, or nothing where it cannot be read.
using ReadText = std::function<std::optional<std::string>(const std::string& path)>;

/// The tightest limit over this process's groups, or nothing.
std::optional<int> cgroup_cpus(const ReadText& read);

}  // namespace microtome
