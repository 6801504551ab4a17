#include "microtome/tiff/lazy_array.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/tiff/type.h"
#include "microtome/tiff/values.h"

namespace microtome::tiff {
namespace {

/// kPageValues values; the last page of an array may be shorter.
using Page = std::vector<uint64_t>;

}  // namespace

struct LazyArray::State {
  uint64_t size = 0;
  // Either all values, or other arrays, or (with an encoding) the pages that were read so far; null where not
  // yet.
  std::vector<uint64_t> values;
  std::vector<LazyArray> parts;
  uint64_t part_values = 0;
  std::shared_ptr<const Encoding> encoding;
  uint64_t directory_offset = 0;
  Entry entry;
  std::vector<std::atomic<const Page*>> pages;

  explicit State(std::vector<uint64_t> all) : size(all.size()), values(std::move(all)) {}

  State(std::vector<LazyArray> arrays, uint64_t each)
      : size(arrays.size() * each), parts(std::move(arrays)), part_values(each) {}

  State(const Directory& directory, std::shared_ptr<const Encoding> shared, const Entry& of)
      : size(of.count),
        encoding(std::move(shared)),
        directory_offset(directory.offset()),
        entry(of),
        pages(static_cast<size_t>(ceil_div(of.count, kPageValues))) {}

  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (auto& page : pages) delete page.load(std::memory_order_relaxed);
  }

  Result<std::unique_ptr<Page>> read_page(uint64_t number) const {
    const uint64_t first = number * kPageValues;
    const auto count = static_cast<size_t>(std::min(kPageValues, size - first));
    auto page = std::make_unique<Page>(count);
    std::vector<std::byte> stored(count * type_size(entry.type));
    MICROTOME_TRY(read_stored(*encoding, entry, first, stored, {}));
    MICROTOME_TRY(decode_unsigned(*encoding, entry, first, stored, *page));
    return page;
  }

  /// The page, read if need be. Threads that come at once all read it; the first to finish publishes its
  /// copy.
  Result<const Page*> page(uint64_t number) {
    std::atomic<const Page*>& slot = pages[static_cast<size_t>(number)];
    // Acquire pairs with the publisher's release: who sees the pointer sees the values.
    if (const Page* published = slot.load(std::memory_order_acquire)) return published;
    auto mine = read_page(number);
    if (!mine.ok()) {
      return std::move(mine)
          .error()
          .with_prefix(fmt::format("directory at offset {}", directory_offset))
          .with_prefix("tiff");
    }
    const Page* expected = nullptr;
    if (slot.compare_exchange_strong(expected, mine->get(), std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return static_cast<const Page*>(mine->release());
    }
    return expected;
  }
};

LazyArray::LazyArray() = default;
LazyArray::LazyArray(LazyArray&&) noexcept = default;
LazyArray& LazyArray::operator=(LazyArray&&) noexcept = default;
LazyArray::~LazyArray() = default;

Result<LazyArray> LazyArray::over(const Directory& directory, uint16_t tag) {
  const Entry* entry = directory.find(tag);
  const auto fail = [&](Error error) {
    return std::move(error)
        .with_prefix(fmt::format("directory at offset {}", directory.offset()))
        .with_prefix("tiff");
  };
  if (entry == nullptr) return fail(not_found("no {}", tag_name(tag)));
  const Encoding& encoding = directory.encoding();
  if (auto size = checked_value_size(encoding, *entry); !size.ok()) return fail(std::move(size).error());
  if (!is_integer(entry->type)) {
    return fail(corrupt("{} has type {}, expected an integer", tag_name(tag), type_name(entry->type)));
  }
  if (entry->count > encoding.limits.max_array_values) {
    return fail(corrupt("{} has {} values, more than the limit max_array_values of {}", tag_name(tag),
                        entry->count, encoding.limits.max_array_values));
  }
  LazyArray array;
  array.state_ = std::make_unique<State>(directory, directory.shared_encoding(), *entry);
  return array;
}

LazyArray LazyArray::of(std::vector<uint64_t> values) {
  LazyArray array;
  array.state_ = std::make_unique<State>(std::move(values));
  return array;
}

LazyArray LazyArray::joined(std::vector<LazyArray> parts, uint64_t each) {
  LazyArray array;
  array.state_ = std::make_unique<State>(std::move(parts), each);
  return array;
}

uint64_t LazyArray::size() const noexcept {
  return state_ ? state_->size : 0;
}

Result<uint64_t> LazyArray::at(uint64_t index) const {
  if (index >= size()) return out_of_range("tiff: value {} of an array of {}", index, size());
  if (!state_->encoding) {
    if (state_->parts.empty()) return state_->values[static_cast<size_t>(index)];
    return state_->parts[static_cast<size_t>(index / state_->part_values)].at(index % state_->part_values);
  }
  MICROTOME_ASSIGN(const Page* page, state_->page(index / kPageValues));
  return (*page)[static_cast<size_t>(index % kPageValues)];
}

}  // namespace microtome::tiff
