#include "microtome/read/scratch.h"

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

}  // namespace microtome
