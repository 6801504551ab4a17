#include "microtome/tiff/directory.h"

#include <algorithm>

#include "microtome/base/fail.h"
#include "microtome/tiff/type.h"
#include "microtome/tiff/values.h"

namespace microtome::tiff {
namespace {

Error at_directory(const Directory& directory, Error error) {
  return std::move(error)
      .with_prefix(fmt::format("directory at offset {}", directory.offset()))
      .with_prefix("tiff");
}

template <class T>
Result<T> at_directory(const Directory& directory, Result<T> result) {
  if (!result.ok()) return at_directory(directory, std::move(result).error());
  return result;
}

Error absent(uint16_t tag) {
  return not_found("no {}", tag_name(tag));
}

Error no_value(uint16_t tag) {
  return corrupt("{} has no values, expected at least 1", tag_name(tag));
}

Status check_count(const Entry& entry, uint64_t max_count) {
  if (entry.count <= max_count) return ok_status();
  return corrupt("{} has {} values, expected at most {}", tag_name(entry.tag), entry.count, max_count);
}

/// The value's bytes, read whole.
Result<std::vector<std::byte>> read_whole(const Encoding& encoding, const Entry& entry,
                                          const Window& window) {
  MICROTOME_ASSIGN(const uint64_t size, checked_value_size(encoding, entry));
  MICROTOME_TRY(check_limit(encoding, entry, size, 1));
  std::vector<std::byte> stored(static_cast<size_t>(size));
  MICROTOME_TRY(read_stored(encoding, entry, 0, stored, window));
  return stored;
}

Result<std::vector<double>> read_reals(const Encoding& encoding, const Entry& entry, uint64_t count,
                                       const Window& window) {
  MICROTOME_TRY(checked_value_size(encoding, entry));
  if (!is_numeric(entry.type)) {
    return corrupt("{} has type {}, expected a number", tag_name(entry.tag), type_name(entry.type));
  }
  MICROTOME_TRY(check_limit(encoding, entry, count, sizeof(double)));
  std::vector<std::byte> stored(static_cast<size_t>(count) * type_size(entry.type));
  MICROTOME_TRY(read_stored(encoding, entry, 0, stored, window));
  std::vector<double> values(static_cast<size_t>(count));
  decode_reals(encoding, entry.type, stored, values);
  return values;
}

}  // namespace

const Entry* Directory::find(uint16_t tag) const noexcept {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [tag](const Entry& e) { return e.tag == tag; });
  return found == entries_.end() ? nullptr : &*found;
}

Result<uint64_t> Directory::unsigned_value(uint16_t tag) const {
  const Entry* entry = find(tag);
  if (entry == nullptr) return at_directory(*this, absent(tag));
  if (entry->count == 0) return at_directory(*this, no_value(tag));
  return at_directory(*this, read_first_unsigned(*encoding_, *entry, window_));
}

Result<uint64_t> Directory::unsigned_value_or(uint16_t tag, uint64_t fallback) const {
  if (!has(tag)) return fallback;
  return unsigned_value(tag);
}

Result<std::vector<uint64_t>> Directory::unsigned_values(uint16_t tag, uint64_t max_count) const {
  const Entry* entry = find(tag);
  if (entry == nullptr) return at_directory(*this, absent(tag));
  MICROTOME_TRY(at_directory(*this, check_count(*entry, max_count)));
  return at_directory(*this, read_unsigned(*encoding_, *entry, entry->count, window_));
}

Result<std::vector<double>> Directory::real_values(uint16_t tag, uint64_t max_count) const {
  const Entry* entry = find(tag);
  if (entry == nullptr) return at_directory(*this, absent(tag));
  MICROTOME_TRY(at_directory(*this, check_count(*entry, max_count)));
  return at_directory(*this, read_reals(*encoding_, *entry, entry->count, window_));
}

Result<double> Directory::real_value(uint16_t tag) const {
  const Entry* entry = find(tag);
  if (entry == nullptr) return at_directory(*this, absent(tag));
  if (entry->count == 0) return at_directory(*this, no_value(tag));
  MICROTOME_ASSIGN(const auto values, at_directory(*this, read_reals(*encoding_, *entry, 1, window_)));
  return values.front();
}

Result<std::string> Directory::text(uint16_t tag) const {
  const Entry* entry = find(tag);
  if (entry == nullptr) return at_directory(*this, absent(tag));
  MICROTOME_ASSIGN(const auto stored, at_directory(*this, read_whole(*encoding_, *entry, window_)));
  if (type_size(entry->type) != 1) {
    return at_directory(*this,
                        corrupt("{} has type {}, expected text", tag_name(tag), type_name(entry->type)));
  }
  const auto end = std::find(stored.begin(), stored.end(), std::byte{0});
  return std::string(reinterpret_cast<const char*>(stored.data()), static_cast<size_t>(end - stored.begin()));
}

Result<Bytes> Directory::bytes(uint16_t tag) const {
  const Entry* entry = find(tag);
  if (entry == nullptr) return at_directory(*this, absent(tag));
  MICROTOME_ASSIGN(auto stored, at_directory(*this, read_whole(*encoding_, *entry, window_)));
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(stored));
  return Bytes{*owner, owner};
}

}  // namespace microtome::tiff
