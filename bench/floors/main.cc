// microtome_floor JOB: what decoding costs when nothing else is done. Speaks the protocol of
// bench/protocol.py.
//
// It uses none of Microtome's plan, read, loader and codec layers; slide tells it where tiles are. A job may
// also say "floor": "once" or "touched" for patches, and "hot" as the variant of a whole level; see task.h.
#include <malloc.h>

#include <bit>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "floors/die.h"
#include "floors/task.h"

namespace floors {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "locations are little-endian");

void answer(const Json& json) {
  std::cout << json.dump() << std::endl;
}

std::vector<microtome::Point> read_locations(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) die("{}: cannot be read", path);
  std::vector<microtome::Point> locations(static_cast<size_t>(file.tellg()) / sizeof(microtome::Point));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(locations.data()),
            static_cast<std::streamsize>(locations.size() * sizeof(microtome::Point)));
  return locations;
}

Job read_job(const Json& json) {
  Job job;
  job.task = json.at("task");
  job.variant = json.value("variant", "");
  job.floor = json.value("floor", "");
  job.workers = json.at("workers");
  if (json.contains("size") && json["size"].is_array()) job.patch = {json["size"][0], json["size"][1]};
  job.batch = json.value("batch", int64_t{64});
  if (json.contains("locations") && json["locations"].is_string()) {
    job.locations = read_locations(json["locations"]);
  }
  if (job.workers < 1 || job.batch < 1) die("workers and batch are at least 1");
  return job;
}

bool is_level(const Job& job) {
  return job.task == "whole_level" || job.task == "memory";
}
bool is_patches(const Job& job) {
  return job.task == "grid" || job.task == "random" || job.task == "shuffled_loader";
}

/// Why this job is none for a bare loop; empty where it is one.
std::string objection(const Job& job, const MappedImage& image, int level) {
  if (!make_decoder(image.grid->format)) {
    return fmt::format("{} tiles: the floor has libjpeg-turbo and OpenJPEG only",
                       compression_name(image.grid->format.compression));
  }
  const bool known = job.variant == "out" || job.variant == "fresh" || job.variant == "hot";
  if (job.task == "whole_level" && !known) return fmt::format("whole levels have no variant {}", job.variant);
  if (is_level(job)) return {};
  if (!is_patches(job)) return fmt::format("{} has no bare loop", job.task);
  if (level != 0) return "patches of other levels than 0 have no bare loop";
  if (job.patch.empty() || job.locations.empty()) return "patches without size or locations";
  if (!job.floor.empty() && job.floor != "once" && job.floor != "touched") {
    return fmt::format("floor {}: there are once and touched", job.floor);
  }
  return {};
}

Json memory_now() {
  Json answer;
  std::ifstream status("/proc/self/status");
  for (std::string key, line; status >> key && std::getline(status, line);) {
    if (key == "VmRSS:") answer["rss_bytes"] = std::stoll(line) * 1024;
    if (key == "VmHWM:") answer["peak_rss_bytes"] = std::stoll(line) * 1024;
  }
  std::ofstream("/proc/self/clear_refs") << "5";  // begins a new highest
  return answer;
}

void serve(Task& task) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "run") {
      answer({{"seconds", task.run()}});
    } else if (line.starts_with("save ")) {
      answer({{"saved", task.save(line.substr(5))}});
    } else if (line == "memory") {
      answer(memory_now());
    } else {
      answer({{"error", "unknown request " + line}});
    }
  }
}

int main_of(const std::string& argument) {
  const Json json = Json::parse(argument);
  Job job = read_job(json);
  if (job.task == "memory") job.variant = "fresh";
  if (!is_level(job) && !is_patches(job)) {
    answer({{"unsupported", job.task + " has no bare loop"}});
    return 0;
  }
  const int level = json.value("level", 0);
  MappedImage image = map_image(json.at("slide"), level);
  if (const std::string reason = objection(job, image, level); !reason.empty()) {
    answer({{"unsupported", reason}});
    return 0;
  }
  const bool jpeg = image.grid->format.compression == microtome::Compression::jpeg;
  const auto task =
      is_level(job) ? make_level_task(std::move(image), job) : make_patch_task(std::move(image), job);
  answer({{"name", "floor"},
          {"version", jpeg ? jpeg_version() : jpeg2000_version()},
          {"pixels", task->pixels()}});
  serve(*task);
  return 0;
}

}  // namespace
}  // namespace floors

int main(int count, char** arguments) {
  // OpenJPEG allocates and frees a tile's planes. The C library shall not hand such blocks back to the system
  // each time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  if (count != 2) floors::die("expected one argument, a job as JSON; see bench/protocol.py");
  try {
    return floors::main_of(arguments[1]);
  } catch (const std::exception& error) {
    floors::die("{}", error.what());
  }
}
