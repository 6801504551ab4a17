// Bytes that own what they show, for tests.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "microtome/io/byte_source.h"

namespace microtome {

inline Bytes owned(std::string content) {
  auto owner = std::make_shared<const std::string>(std::move(content));
  return {std::as_bytes(std::span(*owner)), owner};
}

}  // namespace microtome
