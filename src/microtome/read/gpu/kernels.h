// The image of our kernels, and what is loaded of it on a device.
#pragma once

#include <memory>

#include "microtome/base/error.h"
#include "microtome/device/cuda/module.h"

namespace microtome::gpu {

/// All kernels (scatter.h, marks.h), loaded on `device`. Errors as cuda::Module::load's.
Result<std::shared_ptr<const cuda::Module>> load_kernels(std::shared_ptr<const cuda::Device> device);

}  // namespace microtome::gpu
