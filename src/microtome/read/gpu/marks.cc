#include "microtome/read/gpu/marks.h"

#include <utility>

namespace microtome::gpu {
namespace {

constexpr uint32_t kMarkThreads = 64;  // of a block: few, since a thread does little and waits for memory

cuda::Extent blocks(size_t count) noexcept {
  return {static_cast<unsigned>((count + kMarkThreads - 1) / kMarkThreads)};
}

/// Pinned memory has one address on the host and on every device.
template <class T>
cuda::DeviceAddress address(const T* pinned) noexcept {
  return reinterpret_cast<cuda::DeviceAddress>(pinned);
}

}  // namespace

Result<MarkKernels> MarkKernels::load(const cuda::Module& module) {
  MICROTOME_ASSIGN(Set set, (module.kernel<cuda::DeviceAddress, uint32_t>("microtome_set_marks")));
  MICROTOME_ASSIGN(
      Look look,
      (module.kernel<cuda::DeviceAddress, uint32_t, cuda::DeviceAddress>("microtome_look_for_marks")));
  return MarkKernels(std::move(set), std::move(look));
}

Status MarkKernels::set(const Mark* marks, size_t count, const cuda::Stream& stream) const {
  if (count == 0) return ok_status();
  return set_.launch(blocks(count), {kMarkThreads}, stream, address(marks), static_cast<uint32_t>(count));
}

Status MarkKernels::look(const Mark* marks, size_t count, uint8_t* answers,
                         const cuda::Stream& stream) const {
  if (count == 0) return ok_status();
  return look_.launch(blocks(count), {kMarkThreads}, stream, address(marks), static_cast<uint32_t>(count),
                      address(answers));
}

}  // namespace microtome::gpu
