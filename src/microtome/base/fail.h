// Makes errors with formatted messages: `return corrupt("jpeg: {}x{}, expected {}x{}", w, h, tw, th);`.
//
// For .cc files only; headers need just error.h.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "microtome/base/error.h"

namespace microtome {

#define MICROTOME_FAIL_(code_)                                              \
  template <class... Args>                                                  \
  Error code_(fmt::format_string<Args...> format, Args&&... args) {         \
    return {Errc::code_, fmt::format(format, std::forward<Args>(args)...)}; \
  }
MICROTOME_FAIL_(not_found)
MICROTOME_FAIL_(io)
MICROTOME_FAIL_(corrupt)
MICROTOME_FAIL_(unsupported)
MICROTOME_FAIL_(out_of_range)
MICROTOME_FAIL_(invalid_argument)
MICROTOME_FAIL_(out_of_memory)
MICROTOME_FAIL_(unavailable)
MICROTOME_FAIL_(cancelled)
MICROTOME_FAIL_(internal)
#undef MICROTOME_FAIL_

}  // namespace microtome
