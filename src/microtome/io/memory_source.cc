#include <atomic>
#include <cstring>
#include <limits>

#include "microtome/io/byte_source.h"
#include "microtome/io/check_range.h"

namespace microtome {
namespace {

// Two sources over equal addresses are not the same bytes: the first may be gone, and a tile cache that
// outlives it must not answer for the second. Only a number that is never given twice says that, and it has
// to be counted for the whole process; it has no other effect, and a fork only makes child and parent count
// apart.
uint64_t next_serial() noexcept {
  static std::atomic<uint64_t> serial{0};
  return serial.fetch_add(1, std::memory_order_relaxed);
}

class MemorySource final : public ByteSource {
 public:
  MemorySource(Bytes bytes, std::string name)
      : bytes_(std::move(bytes)), name_(std::move(name)), serial_(next_serial()) {}

  std::string_view name() const noexcept override { return name_; }
  uint64_t size() const noexcept override { return bytes_.data.size(); }

  SourceId id() const noexcept override {
    // No file system has this device number, so no file has this id.
    return {std::numeric_limits<uint64_t>::max(), serial_, size(), 0};
  }

  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    MICROTOME_TRY(check_range(*this, offset, dst.size()));
    // memcpy's pointers may not be null even for no bytes, and an empty span's may be.
    if (!dst.empty()) std::memcpy(dst.data(), bytes_.data.data() + offset, dst.size());
    return ok_status();
  }

  Status check_unchanged() const override { return ok_status(); }

 private:
  Bytes bytes_;
  std::string name_;
  uint64_t serial_;
};

}  // namespace

std::shared_ptr<const ByteSource> make_memory_source(Bytes bytes, std::string name) {
  return std::make_shared<MemorySource>(std::move(bytes), std::move(name));
}

}  // namespace microtome
