// One batch on its way: its memory, its read, and how far it is.
//
// Made and delivered by the loader, worked on by a crew (crew.h), whose threads share it, so that it lives as
// long as the last of them. Plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/device/buffer.h"
#include "microtome/read/batch_read.h"

namespace microtome {

struct Flight {
  uint64_t number = 0;
  Tensor pixels;
  std::vector<int64_t> indices;
  std::unique_ptr<BatchRead> read;  ///< Null for a batch that failed before it could start.

  // The crew's, under its mutex.
  bool taken = false;     ///< Every unit was taken by some thread or put off.
  bool finished = false;  ///< All is done, or `error` says what went wrong.
  std::optional<Error> error;
};

}  // namespace microtome
