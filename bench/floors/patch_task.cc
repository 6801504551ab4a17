// Patches: decoded tiles copied to their places in a batch.
//
// Note [Each tile once]
// With floor "once", threads take patches in order. A tile belongs to the first thread that wants it, which
// decodes it into its place in the kept tiles; others go on with their next tile and wait only when they are
// left with tiles in other hands. So a tile is mostly copied while it is still in a processor's cache, and no
// thread waits for a phase to end: a lower floor than decoding everything first.
//
// Note [Batches of a floor]
// A reader delivers batches in order. Here each thread writes its patches one after another into a batch of
// its own that it uses again and again: the same memory traffic, without the waiting for each other that
// order costs.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "floors/clock.h"
#include "floors/memory.h"
#include "floors/task.h"
#include "floors/team.h"

namespace floors {
namespace {

using microtome::Point;
using microtome::Rect;

enum State : uint8_t { kWanted, kTaken, kDone };

// What one thread needs.
struct Hand {
  std::unique_ptr<TileDecoder> decoder;
  Memory batch;
  Memory tile;                ///< For floor "touched".
  std::vector<size_t> later;  ///< Tiles of a patch that another thread decodes.
};

class PatchTask final : public Task {
 public:
  PatchTask(MappedImage image, const Job& job)
      : image_(std::move(image)), job_(job), team_(job.workers), states_(image_.tiles.size()) {
    const bool sparse = job.variant == "sparse";
    touched_ = job.floor.empty() ? sparse : job.floor == "touched";
    hands_.resize(static_cast<size_t>(job.workers));
    auto decoders = make_decoders(image_, job.workers);
    for (size_t i = 0; i < hands_.size(); ++i) {
      hands_[i].decoder = std::move(decoders[i]);
      hands_[i].batch = Memory(static_cast<size_t>(job.batch) * patch_bytes(), Pages::large_touched);
      if (touched_) hands_[i].tile = Memory(tile_bytes(), Pages::large_touched);
    }
    if (!touched_) place_kept();
  }

  int64_t pixels() const override {
    return job_.patch.w * job_.patch.h * static_cast<int64_t>(job_.locations.size());
  }

  double run() override {
    const Clock clock;
    cut(nullptr);
    return clock.seconds();
  }

  int64_t save(const std::string& path) override {
    const Memory all(job_.locations.size() * patch_bytes(), Pages::small_fresh);
    cut(all.data());
    return write_file(path, all.data(), all.size());
  }

 private:
  size_t patch_bytes() const { return static_cast<size_t>(job_.patch.w * job_.patch.h) * image_.samples(); }
  int64_t tile_stride() const { return image_.grid->tile.w * static_cast<int64_t>(image_.samples()); }
  size_t tile_bytes() const { return static_cast<size_t>(tile_stride() * image_.grid->tile.h); }
  Rect patch_at(size_t number) const {
    const Point& at = job_.locations[number];
    return {at.x, at.y, job_.patch.w, job_.patch.h};
  }

  /// Calls visit(number of the tile, its col, its row) for the tiles that `patch` touches.
  template <class Visit>
  void for_each_tile(const Rect& patch, Visit visit) const {
    const microtome::TileGrid& grid = *image_.grid;
    const Rect inside = intersect(patch, {0, 0, grid.size.w, grid.size.h});
    if (inside.empty()) return;
    for (int64_t row = inside.y / grid.tile.h; row <= (inside.bottom() - 1) / grid.tile.h; ++row) {
      for (int64_t col = inside.x / grid.tile.w; col <= (inside.right() - 1) / grid.tile.w; ++col) {
        visit(static_cast<size_t>(row * grid.cols + col), col, row);
      }
    }
  }

  /// Memory for the tiles that some patch wants, in the order of the file.
  void place_kept() {
    std::vector<bool> wanted(image_.tiles.size());
    for (size_t i = 0; i < job_.locations.size(); ++i) {
      for_each_tile(patch_at(i), [&](size_t tile, int64_t, int64_t) { wanted[tile] = true; });
    }
    kept_at_.resize(wanted.size());
    size_t count = 0;
    for (size_t tile = 0; tile < wanted.size(); ++tile) {
      if (wanted[tile]) kept_at_[tile] = tile_bytes() * count++;
    }
    kept_ = Memory(tile_bytes() * count, Pages::large_touched);
  }

  /// All patches, into `all` or, where that is null, into the threads' batches.
  void cut(uint8_t* all) {
    for (auto& state : states_) state.store(kWanted, std::memory_order_relaxed);
    std::atomic<size_t> next{0};
    team_.run([&](int thread) {
      Hand& hand = hands_[static_cast<size_t>(thread)];
      for (size_t mine = 0;; ++mine) {
        const size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= job_.locations.size()) return;
        uint8_t* place = all ? all + i * patch_bytes()
                             : hand.batch.data() + mine % static_cast<size_t>(job_.batch) * patch_bytes();
        cut_one(patch_at(i), hand, place);
      }
    });
  }

  void cut_one(const Rect& patch, Hand& hand, uint8_t* place) {
    const microtome::Size size = image_.size();
    if (!Rect{0, 0, size.w, size.h}.contains(patch)) std::memset(place, kBackground, patch_bytes());
    hand.later.clear();
    for_each_tile(patch, [&](size_t tile, int64_t col, int64_t row) {
      if (touched_) {
        decode(tile, col, row, hand, hand.tile.data());
        copy(hand.tile.data(), col, row, patch, place);
        return;
      }
      uint8_t* kept = kept_.data() + kept_at_[tile];
      uint8_t state = kWanted;
      if (states_[tile].compare_exchange_strong(state, kTaken, std::memory_order_acquire)) {
        decode(tile, col, row, hand, kept);
        states_[tile].store(kDone, std::memory_order_release);
        if (team_.size() > 1) states_[tile].notify_all();
      } else if (state == kTaken) {
        hand.later.push_back(tile);
        return;
      }
      copy(kept, col, row, patch, place);
    });
    for (const size_t tile : hand.later) {
      states_[tile].wait(kTaken, std::memory_order_acquire);
      const auto number = static_cast<int64_t>(tile);
      const int64_t cols = image_.grid->cols;
      copy(kept_.data() + kept_at_[tile], number % cols, number / cols, patch, place);
    }
  }

  void decode(size_t tile, int64_t col, int64_t row, Hand& hand, uint8_t* place) const {
    const Rect shown = image_.grid->shown(col, row);
    const Target to{place, shown.w, shown.h, tile_stride()};
    if (image_.tiles[tile].empty()) {
      fill_background(to, image_.samples());
    } else {
      hand.decoder->decode(image_.tiles[tile], to);
    }
  }

  /// The part of `patch` that lies in tile `col`, `row`, whose pixels are at `pixels`.
  void copy(const uint8_t* pixels, int64_t col, int64_t row, const Rect& patch, uint8_t* place) const {
    const microtome::TileGrid& grid = *image_.grid;
    const Rect tile{col * grid.tile.w, row * grid.tile.h, grid.tile.w, grid.tile.h};
    const Rect part = intersect(intersect(patch, tile), {0, 0, grid.size.w, grid.size.h});
    const auto samples = static_cast<int64_t>(image_.samples());
    const int64_t stride = job_.patch.w * samples;
    const uint8_t* from = pixels + (part.y - tile.y) * tile_stride() + (part.x - tile.x) * samples;
    uint8_t* to = place + (part.y - patch.y) * stride + (part.x - patch.x) * samples;
    for (int64_t y = 0; y < part.h; ++y) {
      std::memcpy(to + y * stride, from + y * tile_stride(), static_cast<size_t>(part.w * samples));
    }
  }

  MappedImage image_;
  Job job_;
  Team team_;
  bool touched_ = false;
  std::vector<Hand> hands_;
  std::vector<std::atomic<uint8_t>> states_;
  std::vector<size_t> kept_at_;
  Memory kept_;
};

}  // namespace

std::unique_ptr<Task> make_patch_task(MappedImage image, const Job& job) {
  return std::make_unique<PatchTask>(std::move(image), job);
}

}  // namespace floors
