// Proof by numbers: the JPEG 2000 codec, and our own decoder for every instruction set, against OpenJPEG.
//
//   jpeg2000_proof [--random N] [--first SEED] [--files PATH ...] [--seconds S] [--jobs J] [--state FILE]
//   [--save DIR] jpeg2000_proof --seeds DIR N      writes N small inputs for fuzz/jpeg2000.cc and ends
//
// --random decodes N random tiles whole, and one random request for parts of each. --files decodes every JPEG
// 2000 tile of every file below a path, likewise. With --state a run that was ended, by --seconds or from
// outside, goes on where it stood. What differs is written to --save (build/jpeg2000-findings unless told),
// as an input for fuzz_jpeg2000. Exit status: 0 nothing differs; 1 something does; 2 wrong usage.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "jpeg2000_corpus.h"
#include "microtome/codec/jpeg2000/for_test/fuzz_input.h"
#include "microtome/codec/jpeg2000/for_test/random_stream.h"
#include "microtome/codec/jpeg2000/for_test/subjects.h"

namespace microtome::test {
namespace {

using namespace jpeg2000::test;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Options {
  uint64_t random = 0, first = 0;
  std::vector<fs::path> files;
  double seconds = 0;  // 0: without limit
  int jobs = 1;
  fs::path state, save = "build/jpeg2000-findings";
};

struct Counts {
  int64_t equal = 0, declined = 0, differing = 0;
  void operator+=(const Counts& other) {
    equal += other.equal;
    declined += other.declined;
    differing += other.differing;
  }
};

// Answers so far, by subject.
struct Tally {
  std::vector<Counts> subjects;
  int64_t tiles = 0, requests = 0, errors = 0;  ///< `errors`: requests that the library refused.
  std::array<int64_t, 3> apart{};               ///< Samples: equal, 1 apart, more.

  void operator+=(const Tally& other) {
    subjects.resize(std::max(subjects.size(), other.subjects.size()));
    for (size_t i = 0; i < other.subjects.size(); ++i) subjects[i] += other.subjects[i];
    tiles += other.tiles;
    requests += other.requests;
    errors += other.errors;
    for (size_t i = 0; i < apart.size(); ++i) apart[i] += other.apart[i];
  }
  bool good() const {
    return std::all_of(subjects.begin(), subjects.end(), [](const Counts& c) { return c.differing == 0; });
  }
};

std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  out << tally.tiles << ' ' << tally.requests << ' ' << tally.errors << ' ' << tally.subjects.size();
  for (const int64_t n : tally.apart) out << ' ' << n;
  for (const Counts& c : tally.subjects) out << ' ' << c.equal << ' ' << c.declined << ' ' << c.differing;
  return out;
}

std::istream& operator>>(std::istream& in, Tally& tally) {
  size_t count = 0;
  in >> tally.tiles >> tally.requests >> tally.errors >> count;
  for (int64_t& n : tally.apart) in >> n;
  tally.subjects.assign(std::min<size_t>(count, 100), {});
  for (Counts& c : tally.subjects) in >> c.equal >> c.declined >> c.differing;
  return in;
}

// One process's decoders and what they found.
class Prover {
 public:
  explicit Prover(const Options& options) : options_(options), subjects_(subjects()) { clear(); }

  /// The whole tile and, of a valid one, some parts. Samples of 9/7 may be 1 apart.
  void prove(std::span<const std::byte> packed, const TileFormat& format, uint64_t seed,
             const std::string& name, int tolerance = 1) {
    tolerance_ = tolerance;
    ++tally_.tiles;
    if (!ask(packed, format, whole_tile(format), name)) return;
    Random random(seed);
    ask(packed, format, random_request(format, random), name);
  }

  Tally take() {
    Tally taken = tally_;
    for (size_t i = 0; i < taken.apart.size(); ++i) taken.apart[i] = differential_.apart()[i] - counted_[i];
    counted_ = differential_.apart();
    clear();
    return taken;
  }

 private:
  void clear() {
    tally_ = {};
    tally_.subjects.resize(subjects_.size());
  }

  bool ask(std::span<const std::byte> packed, const TileFormat& format, const Request& request,
           const std::string& name) {
    const bool ok = differential_.expect(packed, format, request).ok();
    ++tally_.requests;
    tally_.errors += ok ? 0 : 1;
    for (size_t i = 0; i < subjects_.size(); ++i) {
      const Outcome outcome = differential_.check(subjects_[i].subject, tolerance_);
      Counts& counts = tally_.subjects[i];
      ++(outcome.verdict == Verdict::equal      ? counts.equal
         : outcome.verdict == Verdict::declined ? counts.declined
                                                : counts.differing);
      if (outcome.verdict == Verdict::differs) report(packed, request, i, name, outcome.difference);
    }
    return ok;
  }

  void report(std::span<const std::byte> packed, const Request& request, size_t subject,
              const std::string& name, const std::string& difference) {
    std::string parts;
    for (const Rect& r : request.parts) parts += fmt::format(" {},{} {}x{}", r.x, r.y, r.w, r.h);
    fmt::print("DIFFERS {}: {}; {}; parts{} gap {} {}\n", subjects_[subject].name, difference, name, parts,
               request.row_gap, request.at_end ? "at end" : "at start");
    std::error_code ignored;
    fs::create_directories(options_.save, ignored);
    std::string file = name;
    for (char& c : file) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    file = file.substr(file.size() > 100 ? file.size() - 100 : 0) + ".j2k";
    std::ofstream(options_.save / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(packed.data()), static_cast<std::streamsize>(packed.size()));
    fmt::print("  stream: {}\n", (options_.save / file).string());
    std::fflush(stdout);
  }

  const Options& options_;  // unowned: main's
  std::vector<NamedSubject> subjects_;
  Differential differential_;
  std::array<int64_t, 3> counted_{};
  int tolerance_ = 1;
  Tally tally_;
};

// One of the processes that share the work: instruction sets are chosen for a whole process, so there are no
// threads.
class Share {
 public:
  Share(const Options& options, int number) : options_(options), number_(number), prover_(options) {}

  /// Its part of all the work; `out` gets a line for each kind: whether it was done to the end, and the
  /// tally.
  void run(std::ostream& out) {
    if (options_.random != 0) out << random() << ' ' << tally_ << '\n';
    for (const fs::path& folder : options_.files) out << files(folder) << ' ' << tally_ << '\n';
  }

 private:
  bool random() {
    fs::path state = options_.state;
    uint64_t next = options_.first + static_cast<uint64_t>(number_);
    tally_ = {};
    if (!state.empty()) {
      state += fmt::format(".{}", number_);
      std::ifstream(state) >> next >> tally_;
    }
    const auto step = static_cast<uint64_t>(options_.jobs);
    const uint64_t end = options_.first + options_.random, begin = next;
    while (next < end && !late()) {
      for (int i = 0; i < 200 && next < end; ++i, next += step) {
        const RandomStream stream = random_stream(next);
        prover_.prove(stream.packed, stream.format, next, fmt::format("seed {} {}", next, stream.description),
                      stream.reversible ? 0 : 1);
      }
      tally_ += prover_.take();
      if (!state.empty()) std::ofstream(state) << next << ' ' << tally_ << '\n';
      progress("random tiles", std::min(next, end) - begin, end - begin);
    }
    return next >= end;
  }

  bool files(const fs::path& folder) {
    const std::vector<fs::path> all = files_below(folder);
    size_t done = 0;
    for (const fs::path& file : all) {
      if (late()) break;
      uint64_t seed = std::hash<std::string>()(file.filename().string());
      each_jpeg2000_tile(file, number_, options_.jobs,
                         [&](std::span<const std::byte> packed, const TileFormat& format,
                             const std::string& name) { prover_.prove(packed, format, ++seed, name); });
      progress(folder.string(), ++done, all.size());
    }
    tally_ = prover_.take();
    return done == all.size() && !all.empty();
  }

  double elapsed() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  bool late() const { return options_.seconds > 0 && elapsed() > options_.seconds; }

  void progress(const std::string& what, uint64_t done, uint64_t all) {
    const bool last = done == all;
    if (number_ != 0 || done == 0 || (!last && elapsed() < printed_ + 1)) return;
    printed_ = elapsed();
    const double left = elapsed() / static_cast<double>(done) * static_cast<double>(all - done);
    fmt::print(stderr, "\r{}: {} of {}, {:.0f} s, {:.0f} s to go   ", what, done, all, elapsed(), left);
    if (last) fmt::print(stderr, "\n");
  }

  const Options& options_;  // unowned: main's
  int number_;
  Clock::time_point begin_ = Clock::now();
  double printed_ = 0;
  Prover prover_;
  Tally tally_;
};

// Starts process `number`, which writes its tallies to a pipe before it ends.
void in_a_process(const Options& options, int number, std::vector<std::pair<int, FILE*>>& processes) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const int pid = fork();
  if (pid < 0) throw std::runtime_error("no process");
  if (pid == 0) {
    close(ends[0]);
    std::ostringstream text;
    Share(options, number).run(text);
    const std::string lines = text.str();
    _exit(write(ends[1], lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()) ? 0 : 2);
  }
  close(ends[1]);
  processes.emplace_back(pid, fdopen(ends[0], "r"));
}

void print(const std::string& what, bool complete, const Tally& tally) {
  fmt::print("\n{}{}: {} tiles, {} requests, of which the library refused {}\n", what,
             complete ? "" : " (not to the end)", tally.tiles, tally.requests, tally.errors);
  fmt::print("  samples: {} equal, {} apart by 1, {} by more\n", tally.apart[0], tally.apart[1],
             tally.apart[2]);
  const auto names = subjects();
  for (size_t i = 0; i < names.size(); ++i) {
    const Counts& counts = tally.subjects[i];
    fmt::print("  {:12} {:>9} equal {:>9} declined {:>9} differing\n", names[i].name, counts.equal,
               counts.declined, counts.differing);
  }
}

bool prove(const Options& options) {
  std::vector<std::string> kinds;
  if (options.random != 0) {
    kinds.push_back(
        fmt::format("random tiles, seeds {} to {}", options.first, options.first + options.random - 1));
  }
  for (const fs::path& folder : options.files) kinds.push_back(folder.string());
  std::vector<Tally> tallies(kinds.size(), Tally{std::vector<Counts>(subjects().size())});
  std::vector<bool> complete(kinds.size(), true);
  std::vector<std::pair<int, FILE*>> processes;
  for (int i = 0; i < options.jobs; ++i) in_a_process(options, i, processes);
  bool good = true;
  for (const auto& [pid, pipe] : processes) {
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
    std::fclose(pipe);
    int status = 0;
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      fmt::print("a process of the proof ended with status {}\n", status);
      good = false;
    }
    std::istringstream lines(text);
    for (size_t i = 0; i < kinds.size(); ++i) {
      bool to_the_end = false;
      Tally tally;
      if (!(lines >> to_the_end >> tally)) break;
      complete[i] = complete[i] && to_the_end;
      tallies[i] += tally;
    }
  }
  for (size_t i = 0; i < kinds.size(); ++i) {
    print(kinds[i], complete[i], tallies[i]);
    good = good && complete[i] && tallies[i].good() && tallies[i].tiles != 0;
  }
  return good;
}

int write_seeds(const fs::path& folder, int count) {
  fs::create_directories(folder);
  int written = 0;
  for (uint64_t seed = 0; written < count; ++seed) {
    const std::vector<uint8_t> bytes = random_input(seed, 40).bytes();
    if (bytes.size() > 1200) continue;
    std::ofstream(folder / fmt::format("random_{}", seed), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    ++written;
  }
  return 0;
}

int usage() {
  fmt::print(stderr,
             "usage: jpeg2000_proof [--random N] [--first SEED] [--files PATH ...] [--seconds S] [--jobs J]\n"
             "                  [--state FILE] [--save DIR]\n"
             "       jpeg2000_proof --seeds DIR N\n");
  return 2;
}

int run(const std::vector<std::string>& words) {
  Options options;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (i + 1 >= words.size()) return usage();
    if (word == "--seeds" && i + 2 < words.size()) return write_seeds(words[i + 1], std::stoi(words[i + 2]));
    const std::string& value = words[++i];
    if (word == "--random") {
      options.random = std::stoull(value);
    } else if (word == "--first") {
      options.first = std::stoull(value);
    } else if (word == "--seconds") {
      options.seconds = std::stod(value);
    } else if (word == "--jobs") {
      options.jobs = std::max(1, std::stoi(value));
    } else if (word == "--state") {
      options.state = value;
    } else if (word == "--save") {
      options.save = value;
    } else if (word == "--files") {
      options.files.emplace_back(value);
      while (i + 1 < words.size() && !words[i + 1].starts_with("--")) options.files.emplace_back(words[++i]);
    } else {
      return usage();
    }
  }
  return prove(options) ? 0 : 1;
}

}  // namespace
}  // namespace microtome::test

int main(int argc, char** argv) {
  try {
    return microtome::test::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jpeg2000_proof: %s\n", error.what());
    return 2;
  }
}
