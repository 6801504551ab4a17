// Makes TIFF bytes for tests, right or wrong as asked; knows nothing of the parser.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/io/byte_source.h"

namespace microtome::tiff {

/// (big_endian, big_tiff), for tests that run in every encoding.
using EncodingParam = std::pair<bool, bool>;
inline const auto kEveryEncoding = ::testing::Values(EncodingParam(false, false), EncodingParam(true, false),
                                                     EncodingParam(false, true), EncodingParam(true, true));
inline std::string encoding_name(const ::testing::TestParamInfo<EncodingParam>& encoding) {
  return std::string(encoding.param.second ? "Big" : "Classic") +
         (encoding.param.first ? "Motorola" : "Intel");
}

/// One entry: `stored` is its value in the file's byte order, put into the entry when it fits, else before
/// the directory. A `count` that does not match `stored` makes a wrong file.
struct Field {
  uint16_t tag = 0, type = 0;
  uint64_t count = 0;
  std::string stored;
};

class TiffBuilder {
 public:
  explicit TiffBuilder(bool big_endian = false, bool big_tiff = false)
      : big_endian_(big_endian), big_tiff_(big_tiff) {
    out_ = big_endian ? "MM" : "II";
    out_ += number<uint16_t>(big_tiff ? 43 : 42);
    if (big_tiff) out_ += number<uint16_t>(8) + number<uint16_t>(0);
    link_at_ = out_.size();
    out_ += offset(0);
  }

  bool big_endian() const { return big_endian_; }
  bool big_tiff() const { return big_tiff_; }
  size_t offset_size() const { return big_tiff_ ? 8 : 4; }
  uint64_t size() const { return out_.size(); }

  /// Any integer or floating-point number in the file's byte order.
  template <class T>
  std::string number(T value) const {
    std::string text(sizeof(T), '\0');
    std::memcpy(text.data(), &value, sizeof(T));
    if (big_endian_) text.assign(text.rbegin(), text.rend());
    return text;
  }
  std::string offset(uint64_t value) const {
    return big_tiff_ ? number(value) : number(static_cast<uint32_t>(value));
  }

  template <class T>
  Field field(uint16_t tag, uint16_t type, std::initializer_list<T> values) const {
    return field(tag, type, std::vector<T>(values));
  }
  template <class T>
  Field field(uint16_t tag, uint16_t type, const std::vector<T>& values) const {
    Field made{tag, type, values.size(), {}};
    for (const T value : values) made.stored += number(value);
    return made;
  }
  static Field text(uint16_t tag, std::string value) {
    const uint64_t count = value.size();
    return {tag, 2, count, std::move(value)};
  }
  /// An entry whose value field holds `where`, whatever lies there.
  Field elsewhere(uint16_t tag, uint16_t type, uint64_t count, uint64_t where) const {
    return {tag, type, count, offset(where)};
  }

  uint64_t append(const std::string& bytes) {
    out_ += bytes;
    return out_.size() - bytes.size();
  }

  /// Appends a directory; returns its offset. `link`: into the chain, after the one linked last.
  uint64_t directory(const std::vector<Field>& fields, bool link = true) {
    std::vector<std::string> values;
    for (const Field& f : fields) {
      values.push_back(f.stored.size() <= offset_size() ? f.stored : offset(append(f.stored)));
      values.back().resize(offset_size(), '\0');
    }
    const uint64_t at = out_.size();
    out_ += big_tiff_ ? number<uint64_t>(fields.size()) : number(static_cast<uint16_t>(fields.size()));
    for (size_t i = 0; i < fields.size(); ++i) {
      out_ += number(fields[i].tag) + number(fields[i].type) + offset(fields[i].count) + values[i];
    }
    last_next_at_ = out_.size();
    out_ += offset(0);
    if (link) {
      patch(link_at_, offset(at));
      link_at_ = last_next_at_;
    }
    return at;
  }

  void patch(uint64_t at, const std::string& bytes) { out_.replace(at, bytes.size(), bytes); }
  /// Makes the chain go on at `where` after its last directory (or the header).
  void end_chain_at(uint64_t where) { patch(link_at_, offset(where)); }
  /// The same for the directory appended last, linked or not.
  void end_last_at(uint64_t where) { patch(last_next_at_, offset(where)); }

  const std::string& str() const { return out_; }
  std::shared_ptr<const ByteSource> source() const { return source_of(out_); }

  static std::shared_ptr<const ByteSource> source_of(std::string content) {
    auto owner = std::make_shared<const std::string>(std::move(content));
    return make_memory_source({std::as_bytes(std::span(*owner)), owner});
  }

 private:
  bool big_endian_, big_tiff_;
  std::string out_;
  uint64_t link_at_ = 0, last_next_at_ = 0;
};

/// What a test compares with the message it expects.
template <class T>
std::string error_of(const Result<T>& result) {
  return result.ok() ? "no error" : result.error().to_string();
}

/// Passes reads on and counts them.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(std::shared_ptr<const ByteSource> source) : source_(std::move(source)) {}
  std::string_view name() const noexcept override { return source_->name(); }
  uint64_t size() const noexcept override { return source_->size(); }
  SourceId id() const noexcept override { return source_->id(); }
  Status read_at(uint64_t offset, std::span<std::byte> dst) const override {
    reads.fetch_add(1);
    bytes.fetch_add(dst.size());
    return source_->read_at(offset, dst);
  }
  Status check_unchanged() const override { return source_->check_unchanged(); }

  mutable std::atomic<uint64_t> reads{0}, bytes{0};

 private:
  std::shared_ptr<const ByteSource> source_;
};

}  // namespace microtome::tiff
