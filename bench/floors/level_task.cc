// A whole level: every tile once, each straight to its place.
#include <atomic>
#include <optional>

#include "floors/clock.h"
#include "floors/memory.h"
#include "floors/task.h"
#include "floors/team.h"

namespace floors {
namespace {

class LevelTask final : public Task {
 public:
  LevelTask(MappedImage image, const Job& job)
      : image_(std::move(image)),
        decoders_(make_decoders(image_, job.workers)),
        team_(job.workers),
        fresh_(job.variant == "fresh") {
    if (job.variant == "out") level_.emplace(level_bytes(), Pages::large_touched);
    if (job.variant == "hot") {
      for (int i = 0; i < job.workers; ++i) hot_.emplace_back(tile_bytes(), Pages::large_touched);
    }
  }

  int64_t pixels() const override { return image_.size().w * image_.size().h; }

  double run() override {
    Memory fresh;  // freed after the clock has stopped
    const Clock clock;
    if (fresh_) fresh = Memory(level_bytes(), Pages::small_fresh);
    decode_all(fresh_ ? fresh.data() : level_ ? level_->data() : nullptr);
    return clock.seconds();
  }

  int64_t save(const std::string& path) override {
    const Memory level(level_bytes(), Pages::small_fresh);
    decode_all(level.data());
    return write_file(path, level.data(), level.size());
  }

 private:
  size_t level_bytes() const { return static_cast<size_t>(pixels()) * image_.samples(); }
  size_t tile_bytes() const {
    return static_cast<size_t>(image_.grid->tile.w * image_.grid->tile.h) * image_.samples();
  }

  /// Into `level`, or into each thread's hot tile where that is null.
  void decode_all(uint8_t* level) {
    std::atomic<size_t> next{0};
    team_.run([&](int thread) {
      const auto number = static_cast<size_t>(thread);
      for (;;) {
        const size_t tile = next.fetch_add(1, std::memory_order_relaxed);
        if (tile >= image_.tiles.size()) return;
        const Target to = target(tile, level, level ? nullptr : hot_[number].data());
        if (image_.tiles[tile].empty()) {
          fill_background(to, image_.samples());
        } else {
          decoders_[number]->decode(image_.tiles[tile], to);
        }
      }
    });
  }

  Target target(size_t number, uint8_t* level, uint8_t* hot) const {
    const microtome::TileGrid& grid = *image_.grid;
    const auto samples = static_cast<int64_t>(image_.samples());
    const int64_t col = static_cast<int64_t>(number) % grid.cols,
                  row = static_cast<int64_t>(number) / grid.cols;
    const microtome::Rect shown = grid.shown(col, row);
    if (hot) return {hot, shown.w, shown.h, grid.tile.w * samples};
    const int64_t stride = grid.size.w * samples;
    return {level + row * grid.tile.h * stride + col * grid.tile.w * samples, shown.w, shown.h, stride};
  }

  MappedImage image_;
  std::vector<std::unique_ptr<TileDecoder>> decoders_;
  Team team_;
  bool fresh_;
  std::optional<Memory> level_;
  std::vector<Memory> hot_;
};

}  // namespace

std::unique_ptr<Task> make_level_task(MappedImage image, const Job& job) {
  return std::make_unique<LevelTask>(std::move(image), job);
}

}  // namespace floors
