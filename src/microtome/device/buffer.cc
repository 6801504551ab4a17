#include "microtome/device/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"

namespace microtome {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kPage = 4096;

// From here on a block comes from the system and goes back to it as a whole, so that dropping a level returns
// its memory; malloc would keep it. 4 KB pages on purpose: asking for huge ones made first touch anything
// from twice as fast to five times slower, depending on the machine's state.
constexpr size_t kMapped = size_t{1} << 20;

size_t round_up(size_t bytes, size_t unit) noexcept {
  return (bytes + unit - 1) / unit * unit;
}

std::byte* allocate_block(size_t bytes) noexcept {
  if (bytes < kMapped) return static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes));
  void* block = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? nullptr : static_cast<std::byte*>(block);
}

void free_block(std::byte* block, size_t bytes) noexcept {
  if (bytes < kMapped) {
    std::free(block);
  } else {
    ::munmap(block, bytes);
  }
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      block_bytes_(std::exchange(other.block_bytes_, 0)),
      pool_(std::move(other.pool_)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(block_bytes_, other.block_bytes_);
  std::swap(pool_, other.pool_);
  return *this;
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  if (const auto pool = pool_.lock()) {
    pool->give_back(*this);
  } else {
    free_block(data_, block_bytes_);
  }
}

struct BufferPool::State {
  struct Block {
    std::byte* data;
    size_t bytes;
  };
  mutable std::mutex mutex;
  std::vector<Block> idle;  // oldest first
  Info info;

  /// Frees idle blocks, oldest first, until they are at most `bytes`. Under the mutex.
  void shrink_to(size_t bytes) noexcept {
    auto keep = idle.begin();
    for (; keep != idle.end() && info.idle_bytes > bytes; ++keep) {
      info.idle_bytes -= keep->bytes;
      free_block(keep->data, keep->bytes);
    }
    idle.erase(idle.begin(), keep);
  }

  /// The smallest idle block of at least `bytes` and at most 1.25 times that. Under the mutex.
  std::vector<Block>::iterator best_fit(size_t bytes) noexcept {
    const size_t most = bytes + bytes / 4;
    auto best = idle.end();
    for (auto block = idle.begin(); block != idle.end(); ++block) {
      if (block->bytes < bytes || block->bytes > most) continue;
      if (best == idle.end() || block->bytes < best->bytes) best = block;
    }
    return best;
  }
};

BufferPool::BufferPool(size_t capacity_bytes) : state_(std::make_unique<State>()) {
  state_->info.capacity_bytes = capacity_bytes;
}

std::shared_ptr<BufferPool> BufferPool::make(size_t capacity_bytes) {
  return std::shared_ptr<BufferPool>(new BufferPool(capacity_bytes));
}

BufferPool::~BufferPool() {
  state_->shrink_to(0);
}

Result<Buffer> BufferPool::allocate(size_t bytes) {
  if (bytes > std::numeric_limits<size_t>::max() - kPage) return out_of_memory("{} bytes asked for", bytes);
  const size_t wanted = round_up(std::max<size_t>(bytes, 1), bytes < kMapped ? kAlignment : kPage);
  Buffer buffer;
  buffer.size_ = bytes;
  buffer.pool_ = weak_from_this();
  {
    const std::lock_guard lock(state_->mutex);
    if (const auto block = state_->best_fit(wanted); block != state_->idle.end()) {
      buffer.data_ = block->data;
      buffer.block_bytes_ = block->bytes;
      state_->info.idle_bytes -= block->bytes;
      ++state_->info.reused;
      state_->idle.erase(block);
      return buffer;
    }
    ++state_->info.fresh;
  }
  buffer.data_ = allocate_block(wanted);
  if (buffer.data_ == nullptr) {
    clear();  // idle blocks are the first thing to do without
    buffer.data_ = allocate_block(wanted);
  }
  if (buffer.data_ == nullptr) return out_of_memory("no memory for {} bytes of pixels", bytes);
  buffer.block_bytes_ = wanted;
  return buffer;
}

void BufferPool::give_back(Buffer& buffer) noexcept {
  const State::Block block{std::exchange(buffer.data_, nullptr), buffer.block_bytes_};
  {
    const std::lock_guard lock(state_->mutex);
    if (block.bytes <= state_->info.capacity_bytes) {
      try {
        state_->idle.push_back(block);
        state_->info.idle_bytes += block.bytes;
        state_->shrink_to(state_->info.capacity_bytes);
        return;
      } catch (const std::bad_alloc&) {
        // No room to remember it: free it below.
      }
    }
  }
  free_block(block.data, block.bytes);
}

void BufferPool::set_capacity(size_t capacity_bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->info.capacity_bytes = capacity_bytes;
  state_->shrink_to(capacity_bytes);
}

void BufferPool::clear() {
  const std::lock_guard lock(state_->mutex);
  state_->shrink_to(0);
}

BufferPool::Info BufferPool::info() const {
  const std::lock_guard lock(state_->mutex);
  return state_->info;
}

void BufferPool::fork_prepare() {
  state_->mutex.lock();
}
void BufferPool::fork_parent() {
  state_->mutex.unlock();
}
void BufferPool::fork_child() {
  state_->mutex.unlock();
}

Result<Tensor> make_tensor(BufferPool& pool, std::vector<int64_t> shape, SampleType type) {
  uint64_t bytes = sample_bytes(type);
  for (const int64_t extent : shape) {
    if (extent < 0) return invalid_argument("an extent of {}, expected 0 or more", extent);
    const auto product = checked_mul(bytes, static_cast<uint64_t>(extent));
    if (!product || *product > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return out_of_memory("an array of {} {} dimensions is larger than the address space", shape.size(),
                           sample_name(type));
    }
    bytes = *product;
  }
  MICROTOME_ASSIGN(Buffer buffer, pool.allocate(bytes));
  return Tensor{std::make_shared<Buffer>(std::move(buffer)), std::move(shape), type};
}

}  // namespace microtome
