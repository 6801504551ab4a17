// Marks in slots, set before a decoder writes there and looked for afterwards.
//
// Some GPUs' decoding engines now and then say that they have decoded a picture and write nothing. Used by
// the backend of NVIDIA's decoders (stream_backend.h). Thread-safe: immutable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "microtome/base/error.h"
#include "microtome/device/cuda/module.h"
#include "microtome/read/gpu/marks_core.h"

namespace microtome::gpu {

class MarkKernels {
 public:
  /// Errors as cuda::Module::kernel's.
  static Result<MarkKernels> load(const cuda::Module& module);

  /// Queues the marks' setting. `marks`: pinned memory, which stays as it is until that is done.
  Status set(const Mark* marks, size_t count, const cuda::Stream& stream) const;
  /// Queues looking for them: answers[i], in pinned memory, becomes 1 where marks[i] is still there, and else
  /// 0.
  Status look(const Mark* marks, size_t count, uint8_t* answers, const cuda::Stream& stream) const;

 private:
  using Set = cuda::Kernel<cuda::DeviceAddress, uint32_t>;
  using Look = cuda::Kernel<cuda::DeviceAddress, uint32_t, cuda::DeviceAddress>;
  MarkKernels(Set set, Look look) : set_(std::move(set)), look_(std::move(look)) {}

  Set set_;
  Look look_;
};

}  // namespace microtome::gpu
