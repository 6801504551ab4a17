// An entry's values: where their bytes are, reading them, and what numbers they are.
//
// Below directory.cc, parser.cc and lazy_array.cc, which share it. Errors here name the tag; callers add the
// directory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/tiff/directory.h"

namespace microtome::tiff {

/// Bytes of all the entry's values. Errors: corrupt for an unknown type or a value that passes the source's
/// end; so what comes back is at most the source's size.
Result<uint64_t> checked_value_size(const Encoding& encoding, const Entry& entry);

/// Whether the values lie in the entry itself. Known types only.
bool is_inline(const Encoding& encoding, const Entry& entry) noexcept;

/// Reads values [first, first + dst.size() / type size) as stored, from `window` where they lie in it. The
/// range has been checked by the above.
Status read_stored(const Encoding& encoding, const Entry& entry, uint64_t first, std::span<std::byte> dst,
                   const Window& window);

/// The integers at `stored`, which holds `dst.size()` values of `entry`'s type, itself an integer type.
/// `first` is the index of the first, for messages. Errors: corrupt for a negative one.
Status decode_unsigned(const Encoding& encoding, const Entry& entry, uint64_t first,
                       std::span<const std::byte> stored, std::span<uint64_t> dst);

/// Whether decode_reals() knows the type.
bool is_numeric(Type type) noexcept;

/// The numbers at `stored` as doubles.
void decode_reals(const Encoding& encoding, Type type, std::span<const std::byte> stored,
                  std::span<double> dst) noexcept;

/// Integers [0, count) of the entry, whole. Errors as above; corrupt for another type than an integer.
Result<std::vector<uint64_t>> read_unsigned(const Encoding& encoding, const Entry& entry, uint64_t count,
                                            const Window& window);

/// The first of them. The entry has one.
Result<uint64_t> read_first_unsigned(const Encoding& encoding, const Entry& entry, const Window& window);

/// Corrupt when `count` values of `value_bytes` each in memory are more than limits.max_value_bytes.
Status check_limit(const Encoding& encoding, const Entry& entry, uint64_t count, uint64_t value_bytes);

}  // namespace microtome::tiff
