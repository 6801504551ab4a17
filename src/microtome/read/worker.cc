#include "microtome/read/worker.h"

#include <new>

#include "microtome/base/fail.h"

namespace microtome {

namespace {
constexpr std::align_val_t kAlignment{64};
// Eight times the largest tile that a slide may have, which is what batch_read lets through, and some more.
constexpr size_t kMaxBytes = size_t{16} << 30;
}  // namespace

void TileScratch::Free::operator()(std::byte* block) const noexcept {
  ::operator delete(block, kAlignment);
}

void TileScratch::free() noexcept {
  block_.reset();
  capacity_ = 0;
}

Result<std::span<std::byte>> TileScratch::take(size_t bytes) {
  if (bytes > kMaxBytes) return out_of_memory("{} bytes for a tile, expected at most {}", bytes, kMaxBytes);
  if (bytes > capacity_) {
    free();
    // A quarter more, so that tiles that grow little by little do not each allocate.
    const size_t wanted = bytes + bytes / 4;
    block_.reset(static_cast<std::byte*>(::operator new(wanted, kAlignment, std::nothrow)));
    if (block_ == nullptr) return out_of_memory("no memory for {} bytes of a tile", wanted);
    capacity_ = wanted;
  }
  return std::span(block_.get(), bytes);
}

Result<Decoder*> Worker::decoder(const TileFormat& format) {
  if (last_ != nullptr && last_compression_ == format.compression) return last_;
  MICROTOME_ASSIGN(const Codec* codec, find_codec(format));
  Decoder* found = nullptr;
  for (const Entry& entry : decoders_) {
    if (entry.codec == codec) found = entry.decoder.get();
  }
  if (found == nullptr) {
    MICROTOME_ASSIGN(std::unique_ptr<Decoder> made, codec->make());
    found = made.get();
    decoders_.push_back({codec, std::move(made)});
  }
  last_compression_ = format.compression;
  last_ = found;
  return found;
}

void Worker::shrink() noexcept {
  if (packed.capacity() > kKeptScratch) packed.free();
  if (pixels.capacity() > kKeptScratch) pixels.free();
}

WorkerPool::Lease::~Lease() {
  if (worker_ == nullptr) return;
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
