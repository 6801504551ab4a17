#include "microtome/exec/cpu_limit.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <fstream>
#include <memory>
#include <sstream>

#include "microtome/exec/executor.h"

namespace microtome {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool names_cpu(std::string_view comma_separated) {
  const auto names = split(comma_separated, ',');
  return std::find(names.begin(), names.end(), "cpu") != names.end();
}

std::optional<int64_t> parse_number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> tighter(std::optional<int> a, std::optional<int> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<int> limit_of(const std::string& group, bool v2, const ReadText& read) {
  if (v2) {
    const auto text = read(group + "/cpu.max");
    return text ? parse_cpu_max(*text) : std::nullopt;
  }
  const auto quota = read(group + "/cpu.cfs_quota_us"), period = read(group + "/cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  const auto quota_us = parse_number(*quota), period_us = parse_number(*period);
  return quota_us && period_us ? quota_cpus(*quota_us, *period_us) : std::nullopt;
}

/// `path` as seen from `root`; "" where it does not lie below (then only the mount's own group is known).
std::string_view below(std::string_view path, std::string_view root) {
  if (root != "/") {
    if (!path.starts_with(root)) return "";
    path.remove_prefix(root.size());
    if (!path.empty() && path.front() != '/') return "";
  }
  return path == "/" ? "" : path;
}

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// How many CPUs the affinity mask holds. The mask must be as wide as the kernel's, which only trying tells.
int affinity_cpus() {
  for (int width = 1024; width <= (1 << 20); width *= 2) {
    cpu_set_t* mask = CPU_ALLOC(static_cast<size_t>(width));
    if (mask == nullptr) return 1;
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> owner(mask, [](cpu_set_t* m) { CPU_FREE(m); });
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(width));
    if (sched_getaffinity(0, bytes, mask) == 0) return std::max(1, CPU_COUNT_S(bytes, mask));
    if (errno != EINVAL) return 1;
  }
  return 1;
}

}  // namespace

// "36 25 0:31 /docker/ab /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw": the fields after " - " are
// type, source and the hierarchy's own options.
std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto fields = split(line.substr(0, dash), ' '), type = split(line.substr(dash + 3), ' ');
    if (fields.size() < 5 || type.size() < 3) continue;
    const bool v2 = type[0] == "cgroup2";
    if (!v2 && !(type[0] == "cgroup" && names_cpu(type[2]))) continue;
    mounts.push_back({v2, std::string(fields[3]), std::string(fields[4])});
  }
  return mounts;
}

// "4:cpu,cpuacct:/user.slice" in v1, "0::/user.slice" in v2. A path may hold colons.
std::optional<std::string> parse_cgroup_path(std::string_view proc_cgroup, bool v2) {
  for (const std::string_view line : split(proc_cgroup, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? controllers.empty() : names_cpu(controllers)) return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

std::optional<int> quota_cpus(int64_t quota_us, int64_t period_us) {
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  const int64_t cpus = quota_us / period_us + (quota_us % period_us != 0);
  return static_cast<int>(std::min<int64_t>(cpus, INT_MAX));
}

std::optional<int> parse_cpu_max(std::string_view text) {
  const auto fields = split(text.substr(0, text.find('\n')), ' ');
  if (fields.size() != 2) return std::nullopt;
  const auto quota_us = parse_number(fields[0]), period_us = parse_number(fields[1]);
  return quota_us && period_us ? quota_cpus(*quota_us, *period_us) : std::nullopt;
}

std::optional<int> cgroup_cpus(const ReadText& read) {
  const auto mountinfo = read("/proc/self/mountinfo"), groups = read("/proc/self/cgroup");
  if (!mountinfo || !groups) return std::nullopt;
  std::optional<int> limit;
  for (const CgroupMount& mount : parse_cgroup_mounts(*mountinfo)) {
    const auto path = parse_cgroup_path(*groups, mount.v2);
    if (!path) continue;
    std::string group(below(*path, mount.root));
    for (;;) {
      limit = tighter(limit, limit_of(mount.point + group, mount.v2, read));
      if (group.empty()) break;
      group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
    }
  }
  return limit;
}

int available_cpus() {
  const int cpus = affinity_cpus();
  return std::min(cpus, cgroup_cpus(read_text).value_or(cpus));
}

}  // namespace microtome
