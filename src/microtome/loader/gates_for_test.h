// A source whose reads a test can hold up, and a slide over it: what threads do, seen without clocks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/loader/loader_for_test.h"

namespace microtome {

/// Notes which tile each read is of, and lets it pass unless the tile is held.
class GatedSource : public ByteSource {
 public:
  GatedSource(std::shared_ptr<const ByteSource> within, uint64_t tile_bytes)
      : within_(std::move(within)), tile_bytes_(tile_bytes) {}

  std::string_view name() const noexcept override { return within_->name(); }
  uint64_t size() const noexcept override { return within_->size(); }
  SourceId id() const noexcept override { return within_->id(); }
  Status check_unchanged() const override { return within_->check_unchanged(); }
  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    {
      std::unique_lock lock(mutex_);
      const uint64_t tile = offset / tile_bytes_;
      begun_.push_back(tile);
      most_ = std::max(most_, ++now_);
      changed_.notify_all();
      changed_.wait(lock, [&] { return !held_.contains(tile); });
      --now_;
    }
    return within_->read_at(offset, dst);
  }

  void hold(std::set<uint64_t> tiles) {
    const std::lock_guard lock(mutex_);
    held_ = std::move(tiles);
    changed_.notify_all();
  }
  void open() { hold({}); }

  std::vector<uint64_t> begun() const {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  int most_at_once() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }
  /// Whether reads of all these tiles begin, before a time is over that is long enough for any machine.
  bool comes_to(const std::set<uint64_t>& tiles) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::ranges::all_of(tiles, [&](uint64_t tile) { return std::ranges::count(begun_, tile) != 0; });
    });
  }

 private:
  const std::shared_ptr<const ByteSource> within_;
  const uint64_t tile_bytes_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::vector<uint64_t> begun_;
  mutable int now_ = 0, most_ = 0;
  std::set<uint64_t> held_;
};

/// One row of `tiles` tiles; patch number x is tile number x.
struct GatedSlide {
  static constexpr Size kTile{16, 16};

  explicit GatedSlide(int64_t tiles, uint32_t seed = 1)
      : known({{{kTile.w * tiles, kTile.h}, kTile}}, seed, {}, {},
              [this](std::shared_ptr<const ByteSource> within) {
                source = std::make_shared<GatedSource>(
                    std::move(within), static_cast<uint64_t>(kTile.w * kTile.h * KnownSlide::kSamples));
                return source;
              }) {}

  /// A loader of whole tiles with these numbers.
  std::unique_ptr<Loader> load(const LoaderContext& context, const std::vector<int64_t>& tiles,
                               int64_t batch_size, int workers, int64_t prefetch) const {
    std::vector<Patch> patches;
    for (const int64_t tile : tiles) patches.push_back({0, 0, tile * kTile.w, 0});
    LoaderOptions options = options_for_test(kTile, batch_size, workers);
    options.prefetch = prefetch;
    return open_loader(context, {known.slide}, std::move(patches), in_order(tiles.size()),
                       std::move(options));
  }

  bool shows(const Batch& batch, const std::vector<int64_t>& tiles) const {
    for (size_t row = 0; row < batch.indices.size(); ++row) {
      const int64_t tile = tiles[static_cast<size_t>(batch.indices[row])];
      const auto expected = known.crop(0, {tile * kTile.w, 0, kTile.w, kTile.h}, kFill);
      if (!std::ranges::equal(row_of(batch, row), expected)) return false;
    }
    return true;
  }

  std::shared_ptr<GatedSource> source;
  KnownSlide known;
};

}  // namespace microtome
