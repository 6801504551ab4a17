// A tag's integer values, read in pages when first asked for.
//
// TileOffsets of a large slide hold a million values (8 MB); a patch needs four of them. Immutable to its
// readers and thread-safe without locks: two threads that miss the same page both read it and one copy wins,
// so a fork can never leave it locked.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/tiff/directory.h"

namespace microtome::tiff {

class LazyArray {
 public:
  static constexpr uint64_t kPageValues = 4096;

  LazyArray();  ///< Of no values.
  /// Over the values of `tag`, of any integer type. Errors: not_found; corrupt when the type is not an
  /// integer, the value's bytes pass the end of the source or there are more than `limits.max_array_values`.
  /// Reads nothing yet.
  static Result<LazyArray> over(const Directory& directory, uint16_t tag);
  /// A short array already in memory (an adapter that computes offsets).
  static LazyArray of(std::vector<uint64_t> values);
  /// The first `each` values of every part, one part after the other; no part has fewer.
  static LazyArray joined(std::vector<LazyArray> parts, uint64_t each);

  LazyArray(LazyArray&&) noexcept;
  LazyArray& operator=(LazyArray&&) noexcept;
  ~LazyArray();

  uint64_t size() const noexcept;
  /// Value `index`; reads its page of kPageValues if no one has. Errors: out_of_range for index >= size();
  /// corrupt for a negative value; io. An error is not remembered: asking again reads again.
  Result<uint64_t> at(uint64_t index) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace microtome::tiff
