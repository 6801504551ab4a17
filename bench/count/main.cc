// microtome_count JOB SLIDES_DIR: does one of the fixed jobs twice, the second time in
// microtome_counted_job(), which callgrind is told to count (--toggle-collect). Without arguments: prints the
// jobs, each with its slide, and the versions that the counts depend on.
#include <cstdio>
#include <exception>
#include <string>

#include "count/jobs.h"

// Its name is what callgrind is given; it stays a function of its own.
extern "C" [[gnu::noinline]] void microtome_counted_job(const count::Run& run) {
  run();
  asm volatile("" ::: "memory");  // no tail call: the function ends after the job
}

namespace {

using count::JobKind;

template <class Visit>
void for_each_job(Visit visit) {
  for (const auto jobs : {count::index_jobs(), count::read_jobs(), count::patch_jobs()}) {
    for (const JobKind& job : jobs) visit(job);
  }
}

void print_jobs() {
  std::printf("compiler\t" __VERSION__ "\n");
  for (const microtome::Codec* codec : microtome::codecs()) {
    std::printf("codec %s\t%s\n", std::string(codec->name).c_str(), codec->version().c_str());
  }
  for_each_job([](const JobKind& job) {
    std::printf("job %s\t%s\n", std::string(job.name).c_str(), std::string(job.slide).c_str());
  });
}

int run_job(std::string_view name, const std::string& folder) {
  const JobKind* found = nullptr;
  for_each_job([&](const JobKind& job) { found = job.name == name ? &job : found; });
  if (!found) {
    std::fprintf(stderr, "microtome_count: no job is called %s\n", std::string(name).c_str());
    return 2;
  }
  const count::Run run = found->prepare(folder + "/" + std::string(found->slide));
  run();
  microtome_counted_job(run);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count == 3) return run_job(arguments[1], arguments[2]);
    print_jobs();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "microtome_count: %s\n", error.what());
    return 1;
  }
}
