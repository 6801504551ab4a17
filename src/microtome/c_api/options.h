// What functions of the C API check of their arguments, and options as the core has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/pixels.h"
#include "microtome/read/read_options.h"

namespace microtome::c_api {

/// invalid_argument unless `pointer` is one. `name` is the parameter's.
Status check_pointer(const void* pointer, const char* name);

/// invalid_argument unless all of them are 0.
Status check_reserved(const int64_t (&reserved)[4]);

/// A microtome_on_error. Errors: invalid_argument.
Result<OnError> to_on_error(int32_t on_error);

/// How many threads `workers` asks for; 0 is as many as this process may run at once, which is looked at once
/// a second: the answer costs several files' reading, more than a small region. Errors: invalid_argument.
Result<int> to_workers(int32_t workers);

/// One pixel for what lies outside, from numbers that may be null. Errors: as make_fill.
Result<std::vector<std::byte>> to_fill(const double* values, size_t count, const TileFormat& format);

}  // namespace microtome::c_api
