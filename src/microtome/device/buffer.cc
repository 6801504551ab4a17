#include "microtome/device/buffer.h"

#include <chrono>
#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/device/block.h"

namespace microtome {
namespace {

using Clock = std::chrono::steady_clock;

struct Block {
  std::byte* data = nullptr;
  size_t bytes = 0;
  Clock::time_point idle_since;
};

/// Idle blocks taken out of the pool, to be freed where no lock is held: unmapping a gigabyte takes 40 ms.
class Freed {
 public:
  Freed() = default;
  ~Freed() {
    for (const Block& block : blocks) free_block(block.data, block.bytes);
  }
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;

  std::list<Block> blocks;
};

bool fits(size_t block, size_t bytes) noexcept {
  return block <= bytes || block - bytes <= bytes / 4;
}

}  // namespace

struct BufferPool::State {
  using Age = std::list<Block>::iterator;

  State(size_t capacity_bytes, std::chrono::nanoseconds longest) : longest_idle(longest) {
    info.capacity_bytes = capacity_bytes;
  }

  const std::chrono::nanoseconds longest_idle;
  mutable std::mutex mutex;
  std::list<Block> idle;  // longest idle first
  std::multimap<size_t, Age> by_size;
  Info info;

  void remove(std::multimap<size_t, Age>::iterator entry, std::list<Block>& to) noexcept {
    info.idle_bytes -= entry->first;
    to.splice(to.end(), idle, entry->second);
    by_size.erase(entry);
  }

  /// The smallest idle block of at least `bytes` that is not wasteful, of equal ones the last one used.
  bool take(size_t bytes, std::list<Block>& to) noexcept {
    const size_t wanted = block_bytes(bytes);
    auto entry = by_size.lower_bound(wanted);
    if (entry == by_size.end() || !fits(entry->first, wanted)) return false;
    entry = std::prev(by_size.upper_bound(entry->first));
    remove(entry, to);
    return true;
  }

  void remove_oldest(std::list<Block>& to) noexcept {
    auto entry = by_size.lower_bound(idle.front().bytes);
    while (entry->second != idle.begin()) ++entry;
    remove(entry, to);
  }

  void shrink_to(size_t bytes, std::list<Block>& to) noexcept {
    while (info.idle_bytes > bytes) remove_oldest(to);
  }

  void drop_unwanted(Clock::time_point now, std::list<Block>& to) noexcept {
    while (!idle.empty() && now - idle.front().idle_since >= longest_idle) remove_oldest(to);
  }
};

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      block_bytes_(std::exchange(other.block_bytes_, 0)),
      pool_(std::move(other.pool_)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  Buffer taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(block_bytes_, taken.block_bytes_);
  std::swap(pool_, taken.pool_);
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

std::shared_ptr<BufferPool> BufferPool::make(size_t capacity_bytes, std::chrono::nanoseconds longest_idle) {
  return std::shared_ptr<BufferPool>(new BufferPool(capacity_bytes, longest_idle));
}

BufferPool::BufferPool(size_t capacity_bytes, std::chrono::nanoseconds longest_idle)
    : state_(std::make_unique<State>(capacity_bytes, longest_idle)) {}

BufferPool::~BufferPool() {
  clear();
}

Result<Buffer> BufferPool::allocate(size_t bytes) {
  const size_t needed = block_bytes(bytes);
  if (needed == 0) return out_of_memory("{} bytes pass the address space", bytes);
  Buffer buffer;
  buffer.size_ = bytes;
  std::list<Block> found;
  Freed unwanted;
  {
    const auto now = Clock::now();
    const std::lock_guard lock(state_->mutex);
    if (state_->take(bytes, found)) {
      ++state_->info.reused;
    } else {
      ++state_->info.fresh;
    }
    state_->drop_unwanted(now, unwanted.blocks);
  }
  if (!found.empty()) {
    buffer.data_ = found.front().data;
    buffer.block_bytes_ = found.front().bytes;
  } else {
    buffer.data_ = allocate_block(needed);
    if (buffer.data_ == nullptr) {
      clear();  // idle blocks of other sizes may be all that is missing
      buffer.data_ = allocate_block(needed);
    }
    if (buffer.data_ == nullptr) return out_of_memory("no memory for {} bytes of pixels", bytes);
    buffer.block_bytes_ = needed;
  }
  forbid_block(buffer.data_, buffer.block_bytes_);
  permit_block(buffer.data_, bytes);
  buffer.pool_ = weak_from_this();
  return buffer;
}

void BufferPool::give_back(Buffer& buffer) noexcept {
  const Block block{buffer.data_, buffer.block_bytes_, Clock::now()};
  Freed freed;
  try {
    std::list<Block> node;
    node.push_back(block);
    const std::lock_guard lock(state_->mutex);
    state_->drop_unwanted(block.idle_since, freed.blocks);
    if (block.bytes <= state_->info.capacity_bytes) {
      state_->by_size.emplace(block.bytes, node.begin());
      forbid_block(block.data, block.bytes);
      state_->idle.splice(state_->idle.end(), node);
      state_->info.idle_bytes += block.bytes;
      state_->shrink_to(state_->info.capacity_bytes, freed.blocks);
      return;
    }
  } catch (const std::bad_alloc&) {
    // No room to note it as idle.
  }
  free_block(block.data, block.bytes);
}

void BufferPool::set_capacity(size_t capacity_bytes) {
  Freed freed;
  const std::lock_guard lock(state_->mutex);
  state_->info.capacity_bytes = capacity_bytes;
  state_->shrink_to(capacity_bytes, freed.blocks);
}

void BufferPool::clear() {
  Freed freed;
  const std::lock_guard lock(state_->mutex);
  state_->shrink_to(0, freed.blocks);
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
  size_t bytes = sample_bytes(type);
  for (const int64_t side : shape) {
    if (side < 0) return invalid_argument("a tensor's side is {}, expected 0 or more", side);
    const auto product = checked_mul(bytes, static_cast<size_t>(side));
    if (!product) return out_of_memory("a tensor of {} passes the address space", fmt::join(shape, "x"));
    bytes = *product;
  }
  MICROTOME_ASSIGN(Buffer buffer, pool.allocate(bytes));
  return Tensor{std::make_shared<Buffer>(std::move(buffer)), std::move(shape), type};
}

}  // namespace microtome
