#include "proof_share.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>

#include "proof_tally.h"
#include "tiles_of_files.h"

namespace microtome::test {
namespace {

using Clock = std::chrono::steady_clock;

// One process's decoders and what they found.
class Prover {
 public:
  explicit Prover(const ProofOptions& options)
      : options_(options), subjects_(options.subjects()), differential_(options.codec->judge()) {
    clear();
  }

  /// The whole tile and, of a valid one, some parts, and at times some of it reduced.
  void prove(std::span<const std::byte> packed, const TileFormat& format, uint64_t seed,
             const std::string& name, int tolerance) {
    tolerance_ = tolerance;
    ++tally_.tiles;
    if (!ask(packed, format, whole_tile(format), name)) return;
    Random random(seed);
    ask(packed, format, random_request(format, random), name);
    const int reduced = random.between(0, 4 * options_.codec->most_reduced());
    if (reduced >= 1 && reduced <= options_.codec->most_reduced()) {
      ask(packed, format, random_request(format, random, static_cast<uint8_t>(reduced)), name);
    }
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
    fmt::print("DIFFERS {}: {}; {}; parts{} reduce {} gap {} {}\n", subjects_[subject].name, difference, name,
               parts, request.reduce, request.row_gap, request.at_end ? "at end" : "at start");
    std::error_code ignored;
    std::filesystem::create_directories(options_.save, ignored);
    std::string file = name;
    for (char& c : file) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    file = file.substr(file.size() > 100 ? file.size() - 100 : 0) + ".stream";
    std::ofstream(options_.save / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(packed.data()), static_cast<std::streamsize>(packed.size()));
    fmt::print("  stream: {}\n", (options_.save / file).string());
    std::fflush(stdout);
  }

  const ProofOptions& options_;  // unowned: main's
  std::vector<NamedSubject> subjects_;
  Differential differential_;
  Tally tally_;
  std::array<int64_t, 3> counted_{};  // samples that earlier tallies hold
  int tolerance_ = 0;
};

class Share {
 public:
  Share(const ProofOptions& options, int number) : options_(options), number_(number), prover_(options) {}

  /// Its part of all the work; `out` gets a line for each kind: whether it was done to the end, and the
  /// tally.
  void run(std::ostream& out) {
    if (options_.random != 0) out << random() << ' ' << tally_ << '\n';
    for (const std::filesystem::path& folder : options_.files) out << files(folder) << ' ' << tally_ << '\n';
  }

 private:
  bool random() {
    const TestedCodec& codec = *options_.codec;
    std::filesystem::path state = options_.state;
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
        const RandomTile tile = codec.random_tile(next, codec.usual_side());
        prover_.prove(tile.packed, tile.format, next, fmt::format("seed {} {}", next, tile.description),
                      tile.tolerance);
      }
      tally_ += prover_.take();
      if (!state.empty()) std::ofstream(state) << next << ' ' << tally_ << '\n';
      progress("random tiles", std::min(next, end) - begin, end - begin);
    }
    return next >= end;
  }

  bool files(const std::filesystem::path& folder) {
    const TestedCodec& codec = *options_.codec;
    const std::vector<std::filesystem::path> all = files_below(folder);
    size_t done = 0;
    for (const std::filesystem::path& file : all) {
      if (late()) break;
      uint64_t seed = std::hash<std::string>()(file.filename().string());
      each_tile(codec, file, number_, options_.jobs,
                [&](std::span<const std::byte> packed, const TileFormat& format, const std::string& name) {
                  prover_.prove(packed, format, ++seed, name, codec.tolerance(format));
                });
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

  const ProofOptions& options_;  // unowned: main's
  int number_;
  Clock::time_point begin_ = Clock::now();
  double printed_ = 0;
  Prover prover_;
  Tally tally_;
};

}  // namespace

std::vector<NamedSubject> ProofOptions::subjects() const {
  std::vector<NamedSubject> all = codec->subjects();
  if (only.empty()) return all;
  std::erase_if(all, [this](const NamedSubject& subject) {
    return std::find(only.begin(), only.end(), subject.name) == only.end();
  });
  return all;
}

void prove_share(const ProofOptions& options, int number, std::ostream& out) {
  Share(options, number).run(out);
}

}  // namespace microtome::test
