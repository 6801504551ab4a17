// Proof by numbers: a codec, and our own decoder for every instruction set, against the library that is its
// judge.
//
//   codec_proof CODEC [--random N] [--first SEED] [--files PATH ...] [--seconds S] [--jobs J] [--state FILE]
//               [--save DIR] [--only NAME]...
//   codec_proof CODEC --seeds DIR N      writes N small inputs for fuzz/CODEC.cc and ends
//
// CODEC is jpeg or jpeg2000. --random decodes N random tiles whole, and random requests for parts of each.
// --files decodes every such tile of every file below a path, likewise. With --state a run that was ended, by
// --seconds or from outside, goes on where it stood. Streams with which something differs are written to
// --save (build/CODEC-findings unless told). --only avx512 leaves out other instruction sets and what readers
// use ("codec"), for emulators. Exit status: 0 nothing differs; 1 something does; 2 wrong usage.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "microtome/codec/for_test/fuzz_input.h"
#include "microtome/codec/jpeg/for_test/tested.h"
#include "microtome/codec/jpeg2000/for_test/tested.h"
#include "proof_share.h"
#include "proof_tally.h"

namespace microtome::test {
namespace {

namespace fs = std::filesystem;

const TestedCodec* codec_named(const std::string& name) {
  for (const TestedCodec* codec : {&jpeg::test::tested(), &jpeg2000::test::tested()}) {
    if (codec->name() == name) return codec;
  }
  return nullptr;
}

// Starts process `number`, which writes its tallies to a pipe before it ends.
void in_a_process(const ProofOptions& options, int number, std::vector<std::pair<int, FILE*>>& processes) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const int pid = fork();
  if (pid < 0) throw std::runtime_error("no process");
  if (pid == 0) {
    close(ends[0]);
    std::ostringstream text;
    prove_share(options, number, text);
    const std::string lines = text.str();
    _exit(write(ends[1], lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()) ? 0 : 2);
  }
  close(ends[1]);
  processes.emplace_back(pid, fdopen(ends[0], "r"));
}

void print(const ProofOptions& options, const std::string& what, bool complete, const Tally& tally) {
  fmt::print("\n{}{}: {} tiles, {} requests, of which {} refused {}\n", what,
             complete ? "" : " (not to the end)", tally.tiles, tally.requests, options.codec->library(),
             tally.errors);
  fmt::print("  samples: {} equal, {} apart by 1, {} by more\n", tally.apart[0], tally.apart[1],
             tally.apart[2]);
  const auto names = options.subjects();
  for (size_t i = 0; i < names.size(); ++i) {
    const Counts& counts = tally.subjects[i];
    fmt::print("  {:12} {:>9} equal {:>9} declined {:>9} differing\n", names[i].name, counts.equal,
               counts.declined, counts.differing);
  }
}

bool prove(const ProofOptions& options) {
  std::vector<std::string> kinds;
  if (options.random != 0) {
    kinds.push_back(
        fmt::format("random tiles, seeds {} to {}", options.first, options.first + options.random - 1));
  }
  for (const fs::path& folder : options.files) kinds.push_back(folder.string());
  std::vector<Tally> tallies(kinds.size(), Tally{std::vector<Counts>(options.subjects().size())});
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
    print(options, kinds[i], complete[i], tallies[i]);
    good = good && complete[i] && tallies[i].good() && tallies[i].tiles != 0;
  }
  return good;
}

int write_seeds(const TestedCodec& codec, const fs::path& folder, int count) {
  fs::create_directories(folder);
  int written = 0;
  for (uint64_t seed = 0; written < count; ++seed) {
    const std::vector<uint8_t> bytes = random_input(codec, seed, 40).bytes();
    if (bytes.size() > 1200) continue;
    std::ofstream(folder / fmt::format("random_{}", seed), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    ++written;
  }
  return 0;
}

int usage() {
  fmt::print(
      stderr,
      "usage: codec_proof CODEC [--random N] [--first SEED] [--files PATH ...] [--seconds S] [--jobs J]\n"
      "                         [--state FILE] [--save DIR] [--only NAME]...\n"
      "       codec_proof CODEC --seeds DIR N\n"
      "CODEC: jpeg or jpeg2000\n");
  return 2;
}

int run(const std::vector<std::string>& words) {
  ProofOptions options;
  options.codec = words.empty() ? nullptr : codec_named(words[0]);
  if (options.codec == nullptr) return usage();
  options.save = fmt::format("build/{}-findings", options.codec->name());
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (i + 1 >= words.size()) return usage();
    if (word == "--seeds" && i + 2 < words.size()) {
      return write_seeds(*options.codec, words[i + 1], std::stoi(words[i + 2]));
    }
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
    } else if (word == "--only") {
      options.only.push_back(value);
    } else if (word == "--files") {
      options.files.emplace_back(value);
      while (i + 1 < words.size() && !words[i + 1].starts_with("--")) options.files.emplace_back(words[++i]);
    } else {
      return usage();
    }
  }
  // Otherwise a name that is not of this machine would prove nothing.
  if (!options.only.empty() && options.subjects().size() != options.only.size()) {
    std::string names;
    for (const NamedSubject& subject : options.codec->subjects()) names += " " + subject.name;
    fmt::print(stderr, "codec_proof: --only takes each of{} once\n", names);
    return 2;
  }
  return prove(options) ? 0 : 1;
}

}  // namespace
}  // namespace microtome::test

int main(int argc, char** argv) {
  try {
    return microtome::test::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "codec_proof: %s\n", error.what());
    return 2;
  }
}
