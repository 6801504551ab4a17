#include <cstring>
#include <utility>

#include "microtome/io/byte_source.h"
#include "microtome/io/check_range.h"

namespace microtome {
namespace {

class AppendedSource final : public ByteSource {
 public:
  AppendedSource(std::shared_ptr<const ByteSource> source, Bytes tail)
      : source_(std::move(source)), tail_(std::move(tail)), tail_at_(source_->size()) {}

  std::string_view name() const noexcept override { return source_->name(); }
  uint64_t size() const noexcept override { return tail_at_ + tail_.data.size(); }
  SourceId id() const noexcept override { return source_->id(); }
  int descriptor() const noexcept override { return source_->descriptor(); }

  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    if (offset < tail_at_ && dst.size() <= tail_at_ - offset) return source_->read_at(offset, dst);
    MICROTOME_TRY(check_range(*this, offset, dst.size()));
    if (offset < tail_at_) {  // neighbours that are read together
      const auto before = static_cast<size_t>(tail_at_ - offset);
      MICROTOME_TRY(source_->read_at(offset, dst.first(before)));
      dst = dst.subspan(before);
      offset = tail_at_;
    }
    if (!dst.empty()) std::memcpy(dst.data(), tail_.data.data() + (offset - tail_at_), dst.size());
    return ok_status();
  }

  Status check_unchanged() const override { return source_->check_unchanged(); }

 private:
  std::shared_ptr<const ByteSource> source_;
  Bytes tail_;
  uint64_t tail_at_;
};

}  // namespace

std::shared_ptr<const ByteSource> append_to_source(std::shared_ptr<const ByteSource> source, Bytes tail) {
  return std::make_shared<AppendedSource>(std::move(source), std::move(tail));
}

}  // namespace microtome
