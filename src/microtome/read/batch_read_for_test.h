// A batch with its destinations and a source that counts: for tests of batch_read and tile_placer.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/plan/batch.h"
#include "microtome/plan/region.h"
#include "microtome/read/batch_read.h"
#include "microtome/read/slides_for_test.h"

namespace microtome {

inline const std::vector<std::byte> kFill{std::byte{9}, std::byte{8}, std::byte{7}};

/// A source that counts and can be made to fail.
class FakeSource final : public ByteSource {
 public:
  FakeSource(std::vector<std::byte> bytes, uint64_t size) : bytes_(std::move(bytes)), size_(size) {}
  explicit FakeSource(const std::vector<std::byte>& bytes) : FakeSource(bytes, bytes.size()) {}

  std::string_view name() const noexcept override { return "fake.svs"; }
  uint64_t size() const noexcept override { return size_; }
  SourceId id() const noexcept override { return {1, reinterpret_cast<uintptr_t>(this), size_, 0}; }
  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    ++reads;
    if (throws) throw std::bad_alloc();
    if (offset == broken_offset) return io("the disk is broken");
    std::memcpy(dst.data(), bytes_.data() + offset, dst.size());
    return ok_status();
  }
  Status check_unchanged() const override {
    ++checks;
    if (changed) return io("file changed");
    return ok_status();
  }

  mutable std::atomic<int> reads{0}, checks{0};
  std::optional<uint64_t> broken_offset;
  bool throws = false, changed = false;

 private:
  std::vector<std::byte> bytes_;
  uint64_t size_;
};

/// A region of a batch: which slide and image, and where.
struct Wanted {
  uint32_t slide = 0;
  int image = 0;
  Rect rect;
};

/// A batch with its destinations, and what it needs.
class BatchReadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.fill = kFill;
    options_.counters = &counters_;
    options_.buffers = pool_.get();
  }

  BatchRead& plan(std::vector<std::shared_ptr<const Slide>> slides, const std::vector<Wanted>& wanted) {
    std::vector<RegionPlan> regions;
    std::vector<ImageView> views;
    canvases_.clear();
    for (const Wanted& region : wanted) {
      auto planned = plan_region(*slides[region.slide], region.slide, region.image, region.rect);
      EXPECT_TRUE(planned.ok());
      regions.push_back(*std::move(planned));
      const TileFormat& format = slides[region.slide]->image(region.image).format;
      canvases_.emplace_back(region.rect.size(), format.samples, format.type);
    }
    for (const TestCanvas& canvas : canvases_) views.push_back(canvas.view());
    read_ = std::make_unique<BatchRead>(std::move(slides), plan_batch(regions), std::move(views), options_);
    return *read_;
  }

  Status drain(const std::atomic<bool>* stop = nullptr) { return read_->drain(worker_, stop); }

  std::string error() {
    const Status status = drain();
    EXPECT_FALSE(status.ok());
    return status.error().to_string();
  }

  ReadCounters counters_;
  std::shared_ptr<BufferPool> pool_ = BufferPool::make(1 << 20);
  BatchReadOptions options_;
  Worker worker_;
  std::vector<TestCanvas> canvases_;
  std::unique_ptr<BatchRead> read_;
};

}  // namespace microtome
