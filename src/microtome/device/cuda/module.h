// Kernels: an image loaded on a device, and typed launches of its functions.
//
// Whoever has kernels (read/gpu) loads their image once for each device and keeps it. Knows nothing of what
// they do. Thread-safe as Device is.
#pragma once

#include <memory>
#include <type_traits>

#include "microtome/base/error.h"
#include "microtome/device/cuda/device.h"

namespace microtome::cuda {

class Module;

/// A function of a module, which it keeps loaded. `A`: the types of the kernel's parameters, exactly.
template <class... A>
class Kernel {
  static_assert((std::is_trivially_copyable_v<A> && ...), "a kernel's parameters are copied as bytes");

 public:
  /// Queues the kernel: `blocks` times `threads` threads; at most 1024 a block.
  Status launch(Extent blocks, Extent threads, const Stream& stream, A... arguments) const {
    void* pointers[] = {static_cast<void*>(&arguments)..., nullptr};
    return device_->launch(function_, blocks, threads, stream, pointers);
  }

 private:
  friend class Module;
  Kernel(std::shared_ptr<const Device> device, std::shared_ptr<const Module> module, FunctionHandle function)
      : device_(std::move(device)), module_(std::move(module)), function_(function) {}

  std::shared_ptr<const Device> device_;
  std::shared_ptr<const Module> module_;
  FunctionHandle function_;
};

class Module : public std::enable_shared_from_this<Module> {
 public:
  /// Errors as Device::load_module's.
  static Result<std::shared_ptr<const Module>> load(std::shared_ptr<const Device> device, const void* image) {
    MICROTOME_ASSIGN(Owned<ModuleHandle> module, device->load_module(image));
    return std::shared_ptr<const Module>(new Module(std::move(device), std::move(module)));
  }

  /// Errors  internal: the image has no such function.
  template <class... A>
  Result<Kernel<A...>> kernel(const char* name) const {
    MICROTOME_ASSIGN(const FunctionHandle function, device_->find_kernel(module_, name));
    return Kernel<A...>(device_, shared_from_this(), function);
  }

 private:
  Module(std::shared_ptr<const Device> device, Owned<ModuleHandle> module)
      : device_(std::move(device)), module_(std::move(module)) {}

  std::shared_ptr<const Device> device_;
  Owned<ModuleHandle> module_;
};

}  // namespace microtome::cuda
