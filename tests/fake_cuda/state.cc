// Settings, fault injection and accounts of the fake driver.
#include "tests/fake_cuda/state.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fake {
namespace {

void set(Settings& settings, const std::string& name, const std::string& value) {
  const std::map<std::string, int64_t*> numbers = {
      {"devices", &settings.devices},    {"driver", &settings.driver},   {"init", &settings.init},
      {"memory", &settings.memory},      {"delay", &settings.delay},     {"seed", &settings.seed},
      {"oom_at", &settings.oom_at},      {"lost_at", &settings.lost_at}, {"fail_at", &settings.fail_at},
      {"fail_with", &settings.fail_with}};
  if (name == "fail_in") {
    settings.fail_in = value;
  } else if (const auto of_library = settings.libraries.find(name); of_library != settings.libraries.end()) {
    of_library->second = std::stoll(value);
  } else if (const auto found = numbers.find(name); found != numbers.end()) {
    *found->second = std::stoll(value);
  } else {
    std::fprintf(stderr, "fake CUDA: no setting %s\n", name.c_str());
    std::abort();
  }
}

Settings parse(const char* text) {
  Settings settings;
  std::string rest = text ? text : "";
  while (!rest.empty()) {
    const std::string item = rest.substr(0, rest.find(','));
    rest.erase(0, item.size() + 1);
    const size_t equals = item.find('=');
    set(settings, item.substr(0, equals), equals == std::string::npos ? "" : item.substr(equals + 1));
  }
  return settings;
}

}  // namespace

State& state() {
  static State* const the_state = [] {
    auto* made = new State;
    made->settings = parse(std::getenv("FAKE_CUDA"));
    return made;
  }();
  return *the_state;
}

DriverStatus enter(const char* function, bool needs_init) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  ++s.report.calls;
  if (needs_init && s.process != ::getpid()) return DriverStatus::not_initialized;
  if (s.settings.lost_at && s.report.calls >= static_cast<uint64_t>(s.settings.lost_at) && needs_init)
    s.lost = true;
  if (s.lost && needs_init) return DriverStatus::illegal_address;
  const bool counts = s.settings.fail_in.empty() || s.settings.fail_in == function;
  if (counts && s.settings.fail_at && ++s.calls_of_fail_in == s.settings.fail_at) {
    s.report.failed_in = function;
    return static_cast<DriverStatus>(s.settings.fail_with);
  }
  return DriverStatus::success;
}

bool allocation_fails(size_t bytes, int device) {
  State& s = state();
  if (++s.allocations == s.settings.oom_at) return true;
  size_t used = 0;
  for (const auto& [address, block] : s.blocks)
    if (block->device == device) used += block->size;
  return bytes > static_cast<size_t>(s.settings.memory) - used;
}

}  // namespace fake

FAKE_API void fake_cuda_configure(const char* settings) {
  fake::State& s = fake::state();
  const std::lock_guard lock(s.mutex);
  s.settings = fake::parse(settings);
  const int64_t objects = s.report.library_objects;
  s.report = {};
  s.report.library_objects = objects;
  s.lost = false;
  s.races.clear_count();
  s.first_misuse.clear();
  fake::close_engines();
  s.allocations = s.calls_of_fail_in = 0;
}

FAKE_API size_t fake_cuda_report_bytes() {
  return sizeof(FakeCudaReport);
}

FAKE_API void fake_cuda_report(FakeCudaReport* report) {
  fake::State& s = fake::state();
  const std::lock_guard lock(s.mutex);
  *report = s.report;
  for (const auto& [device, context] : s.contexts) report->contexts += context.retained > 0;
  for (const auto& [address, block] : s.blocks) report->memory_bytes += static_cast<int64_t>(block->size);
  report->races = s.races.count();
  report->first_race = s.races.description().c_str();
  report->first_misuse = s.first_misuse.c_str();
  report->memory_blocks = static_cast<int64_t>(s.blocks.size());
  report->pinned_blocks = static_cast<int64_t>(s.pinned.size());
  report->streams = static_cast<int64_t>(s.streams.size());
  report->events = static_cast<int64_t>(s.events.size());
  report->modules = static_cast<int64_t>(s.modules.size());
}
