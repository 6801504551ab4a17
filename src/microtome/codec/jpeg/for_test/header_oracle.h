// What libjpeg reads from a header, compared with what we read. For tests and fuzzers only.
#pragma once

#include <string>

#include "microtome/codec/jpeg/frame.h"

namespace microtome::jpeg {

/// Empty where libjpeg takes `tables` (if any) and the header of `packed` without a warning and finds the
/// values of `frame`; otherwise the first difference.
std::string difference_from_library(const Frame& frame, std::span<const std::byte> packed,
                                    std::span<const std::byte> tables);

}  // namespace microtome::jpeg
