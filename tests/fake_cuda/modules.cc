// The fake driver: modules and kernels. A kernel is a function of the test's, by its name.
#include <cstring>

#include "tests/fake_cuda/state.h"
#include "tests/fake_cuda/streams.h"

namespace fake {
namespace {

constexpr unsigned kMostThreads = 1024, kMostBlocksYZ = 65535, kMostSharedBytes = 48 << 10;

/// What the driver takes for an image: a fatbin (as it is or wrapped), an ELF file, or PTX.
bool is_image(const void* image) {
  constexpr unsigned kFatbin = 0xba55ed50, kWrapped = 0x466243b1, kElf = 0x464c457f;
  unsigned magic = 0;
  std::memcpy(&magic, image, sizeof magic);
  return magic == kFatbin || magic == kWrapped || magic == kElf || std::memcmp(image, ".ver", 4) == 0;
}

bool fits(unsigned x, unsigned y, unsigned z, unsigned most_yz) {
  return x > 0 && y > 0 && z > 0 && y <= most_yz && z <= most_yz;
}

}  // namespace
}  // namespace fake

FAKE_API void fake_cuda_register_kernel(const char* name, const size_t* argument_bytes, size_t arguments,
                                        FakeKernel* kernel) {
  const std::lock_guard lock(fake::state().mutex);
  fake::state().kernels[name] = {std::vector<size_t>(argument_bytes, argument_bytes + arguments), kernel};
}

namespace microtome::cuda {

DriverStatus cuModuleLoadData(ModuleHandle* module, const void* image) {
  FAKE_ENTER("cuModuleLoadData");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  if (!fake::is_image(image)) return DriverStatus::invalid_image;
  auto object = std::make_unique<ModuleObject>();
  object->device = context->device;
  *module = object.get();
  const std::lock_guard lock(fake::state().mutex);
  fake::state().modules.emplace(*module, std::move(object));
  return DriverStatus::success;
}

DriverStatus cuModuleUnload(ModuleHandle module) {
  FAKE_ENTER("cuModuleUnload");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  fake::wait_for_device(context->device);
  const std::lock_guard lock(fake::state().mutex);
  ++fake::state().report.synchronous_calls;
  return fake::state().modules.erase(module) ? DriverStatus::success : fake::kInvalidHandle;
}

DriverStatus cuModuleGetFunction(FunctionHandle* function, ModuleHandle module, const char* name) {
  FAKE_ENTER("cuModuleGetFunction");
  const std::lock_guard lock(fake::state().mutex);
  const auto found = fake::state().modules.find(module);
  if (found == fake::state().modules.end()) return fake::kInvalidHandle;
  const auto kernel = fake::state().kernels.find(name);
  if (kernel == fake::state().kernels.end()) return DriverStatus::not_found;
  auto& object = found->second->functions[name];
  object = {found->second->device, kernel->first.c_str(), kernel->second};
  *function = &object;
  return DriverStatus::success;
}

DriverStatus cuLaunchKernel(FunctionHandle function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                            unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                            StreamHandle stream, void** arguments, void** extra) {
  FAKE_ENTER("cuLaunchKernel");
  const uint64_t threads = uint64_t{block_x} * block_y * block_z;
  if (!function || extra || !fake::fits(grid_x, grid_y, grid_z, fake::kMostBlocksYZ) ||
      !fake::fits(block_x, block_y, block_z, fake::kMostThreads) || threads > fake::kMostThreads ||
      shared_bytes > fake::kMostSharedBytes)
    return DriverStatus::invalid_value;
  const fake::KernelBody body = function->body;
  std::vector<std::vector<std::byte>> values;
  for (size_t i = 0; i < body.argument_bytes.size(); ++i) {
    if (!arguments[i]) return DriverStatus::invalid_value;
    const auto* start = static_cast<const std::byte*>(arguments[i]);
    values.emplace_back(start, start + body.argument_bytes[i]);
  }
  if (arguments[values.size()]) return DriverStatus::invalid_value;  // our launches end the list with a null
  {
    const std::lock_guard lock(fake::state().mutex);
    ++fake::state().report.launches;
  }
  return fake::enqueue(
      stream, function->device,
      {function->name, {}, [=]() mutable {
         std::vector<void*> pointers;
         for (auto& value : values) pointers.push_back(value.data());
         const FakeLaunch launch{{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, pointers.data()};
         body.run(&launch);
       }});
}

}  // namespace microtome::cuda
