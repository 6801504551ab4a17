// What a result says, as tests compare it.
#pragma once

#include <string>

#include "microtome/base/error.h"

namespace microtome {

/// Its error, or "ok".
template <class T>
std::string error_text(const Result<T>& result) {
  return result.ok() ? "ok" : result.error().to_string();
}

}  // namespace microtome
