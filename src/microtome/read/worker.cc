#include "microtome/read/worker.h"

#include <algorithm>
#include <limits>
#include <new>

#include "microtome/base/fail.h"
#include "microtome/codec/planar.h"
#include "microtome/codec/rgb.h"

namespace microtome {

Result<Decoder*> Worker::decoder(const TileFormat& format) {
  const bool rgb = format.rgb_form != nullptr;
  if (last_ != nullptr && last_compression_ == format.compression && last_planar_ == format.planar &&
      last_rgb_ == rgb)
    return last_;
  MICROTOME_ASSIGN(const Codec* codec, find_codec(format));
  Decoder* found = nullptr;
  for (const Entry& entry : decoders_) {
    if (entry.codec == codec && entry.planar == format.planar && entry.rgb == rgb)
      found = entry.decoder.get();
  }
  if (found == nullptr) {
    MICROTOME_ASSIGN(std::unique_ptr<Decoder> made, codec->make());
    if (format.planar) made = std::make_unique<PlanarDecoder>(std::move(made));
    if (rgb) made = std::make_unique<RgbDecoder>(std::move(made));
    found = made.get();
    decoders_.push_back({codec, format.planar, rgb, std::move(made)});
  }
  last_compression_ = format.compression;
  last_planar_ = format.planar;
  last_rgb_ = rgb;
  last_ = found;
  return found;
}

void Worker::shrink() noexcept {
  bytes.shrink(kKeptScratch);
  if (planes.capacity() > kKeptScratch) planes.free();
  if (twin.capacity() > kKeptScratch) twin.free();
}

WorkerPool::WorkerPool(std::function<int()> cpus)
    : cpus_(std::move(cpus)), cpus_at_start_(cpus_ ? cpus_() : std::numeric_limits<int>::max()) {}

int WorkerPool::useful(int workers) const {
  // Asking anew takes some 20 microseconds, which a read with too many workers has.
  if (workers <= cpus_at_start_ || !cpus_ || sources_are_slow_.load(std::memory_order_relaxed))
    return workers;
  return std::min(workers, std::max(cpus_(), 1));
}

WorkerPool::Lease::~Lease() {
  if (worker_ == nullptr) return;
  constexpr uint64_t kShare = 8;
  TileBytes& bytes = worker_->bytes;
  if (const uint64_t reads = bytes.reads(); reads != 0)
    pool_->sources_are_slow_.store(bytes.slow_reads() * kShare >= reads, std::memory_order_relaxed);
  bytes.forget_reads();
  worker_->shrink();
  try {
    const std::lock_guard lock(pool_->mutex_);
    pool_->idle_.push_back(std::move(worker_));
  } catch (const std::bad_alloc&) {
    // No room to note it as idle: it is freed, and the next lease makes another.
  }
}

WorkerPool::Lease WorkerPool::lease() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Worker> worker = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(worker)};
    }
  }
  return {*this, std::make_unique<Worker>()};
}

void WorkerPool::clear() {
  std::vector<std::unique_ptr<Worker>> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
}

size_t WorkerPool::idle_count() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

void WorkerPool::fork_prepare() {
  mutex_.lock();
}

void WorkerPool::fork_parent() {
  mutex_.unlock();
}

void WorkerPool::fork_child() {
  mutex_.unlock();
}

}  // namespace microtome
