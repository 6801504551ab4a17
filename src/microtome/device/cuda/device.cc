#include "microtome/device/cuda/device.h"

#include "microtome/base/fail.h"

namespace microtome::cuda {
namespace {

/// Whether the driver's answer means that the context, and with it all of this process's CUDA, is beyond use.
bool is_fatal(DriverStatus status) noexcept {
  switch (status) {
    case DriverStatus::device_unavailable:
    case DriverStatus::ecc_uncorrectable:
    case DriverStatus::nvlink_uncorrectable:
    case DriverStatus::illegal_address:
    case DriverStatus::launch_timeout:
    case DriverStatus::context_is_destroyed:
    case DriverStatus::assert_failed:
    case DriverStatus::hardware_stack_error:
    case DriverStatus::illegal_instruction:
    case DriverStatus::misaligned_address:
    case DriverStatus::invalid_address_space:
    case DriverStatus::invalid_pc:
    case DriverStatus::launch_failed:
    case DriverStatus::external_device:
      return true;
    default:
      return false;
  }
}

/// Whether a module was refused because its kernels are not for this GPU or this driver.
bool is_of_another_gpu(DriverStatus status) noexcept {
  return status == DriverStatus::no_binary_for_gpu || status == DriverStatus::unsupported_ptx_version ||
         status == DriverStatus::jit_compiler_not_found;
}

}  // namespace

CurrentDevice::CurrentDevice(const Device& device)
    : api_(device.driver_->api()), pushed_(api_.cuCtxPushCurrent_v2(device.context_)) {}

CurrentDevice::~CurrentDevice() {
  ContextHandle popped = nullptr;
  if (pushed_ == DriverStatus::success) static_cast<void>(api_.cuCtxPopCurrent_v2(&popped));
}

template <class... P, class... A>
Status Device::call(const char* name, DriverStatus (*function)(P...), A... arguments) const {
  MICROTOME_TRY(driver_->usable());
  if (const DriverStatus lost = lost_.load(std::memory_order_relaxed); lost != DriverStatus::success)
    return answer(name, lost);
  const CurrentDevice current(*this);
  if (current.status() != DriverStatus::success) return answer("cuCtxPushCurrent_v2", current.status());
  return answer(name, function(arguments...));
}

Status Device::answer(const char* name, DriverStatus status) const {
  if (status == DriverStatus::success) return {};
  if (is_fatal(status)) {
    lost_.store(status, std::memory_order_relaxed);
    return unavailable(
        "cuda:{} {} was lost: {} answered {}. Nothing of CUDA works in this process any more; it must be "
        "started anew",
        ordinal_, info().name, name, driver_->status_text(status));
  }
  if (is_of_another_gpu(status))
    return unavailable(
        "cuda:{} {}: {} answered {}. Its compute capability is {}.{} and its driver knows CUDA {}; this "
        "build's kernels "
        "need 7.5 and {}, or newer",
        ordinal_, info().name, name, driver_->status_text(status), info().major, info().minor,
        version_text(driver_->version()), version_text(kOldestDriverVersion));
  if (status == DriverStatus::out_of_memory)
    return out_of_memory("cuda:{} {}: {} answered {}", ordinal_, info().name, name,
                         driver_->status_text(status));
  return internal("cuda:{} {}: {} answered {}", ordinal_, info().name, name, driver_->status_text(status));
}

Error Device::exhausted(const char* kind, size_t bytes) const {
  const auto left = memory();
  const std::string free =
      left.ok() ? fmt::format("{} of {} bytes are free on the device", left->free_bytes, left->total_bytes)
                : "what is free is not known";
  return out_of_memory("cuda:{} {}: no {} bytes of {} memory; {}. Smaller batches need less", ordinal_,
                       info().name, bytes, kind, free);
}

Result<std::shared_ptr<const Device>> Device::open(std::shared_ptr<const Driver> driver, int ordinal) {
  MICROTOME_TRY(driver->usable());
  MICROTOME_TRY(driver->has_device(ordinal));
  const DriverApi& api = driver->api();
  const std::shared_ptr<Device> device(new Device(std::move(driver), ordinal));
  ContextHandle context = nullptr;
  MICROTOME_TRY(device->answer("cuDevicePrimaryCtxRetain", api.cuDevicePrimaryCtxRetain(&context, ordinal)));
  device->context_ = context;
  return std::shared_ptr<const Device>(device);
}

Device::~Device() {
  if (context_ && driver_->is_own_process())
    static_cast<void>(driver_->api().cuDevicePrimaryCtxRelease_v2(ordinal_));
}

Result<DeviceMemory> Device::allocate(size_t bytes) const {
  DeviceAddress address = 0;
  const Status status = call("cuMemAlloc_v2", driver_->api().cuMemAlloc_v2, &address, bytes);
  if (!status.ok() && status.error().code == Errc::out_of_memory) return exhausted("device", bytes);
  MICROTOME_TRY(status);
  return DeviceMemory{{shared_from_this(), address}, bytes};
}

Result<PinnedMemory> Device::allocate_pinned(size_t bytes) const {
  void* memory = nullptr;
  const Status status =
      call("cuMemHostAlloc", driver_->api().cuMemHostAlloc, &memory, bytes, kHostAllocPortable);
  if (!status.ok() && status.error().code == Errc::out_of_memory) return exhausted("pinned host", bytes);
  MICROTOME_TRY(status);
  return PinnedMemory{{shared_from_this(), memory}, bytes};
}

Result<MemoryInfo> Device::memory() const {
  MemoryInfo found;
  MICROTOME_TRY(
      call("cuMemGetInfo_v2", driver_->api().cuMemGetInfo_v2, &found.free_bytes, &found.total_bytes));
  return found;
}

Result<Stream> Device::make_stream() const {
  StreamHandle stream = nullptr;
  MICROTOME_TRY(call("cuStreamCreate", driver_->api().cuStreamCreate, &stream, kStreamNonBlocking));
  return Stream(shared_from_this(), stream);
}

Result<Event> Device::make_event() const {
  EventHandle event = nullptr;
  MICROTOME_TRY(call("cuEventCreate", driver_->api().cuEventCreate, &event, kEventDisableTiming));
  return Event(shared_from_this(), event);
}

Status Device::copy_to_device(DeviceAddress to, const void* from, size_t bytes, const Stream& stream) const {
  return call("cuMemcpyHtoDAsync_v2", driver_->api().cuMemcpyHtoDAsync_v2, to, from, bytes, stream.get());
}

Status Device::copy_to_host(void* to, DeviceAddress from, size_t bytes, const Stream& stream) const {
  return call("cuMemcpyDtoHAsync_v2", driver_->api().cuMemcpyDtoHAsync_v2, to, from, bytes, stream.get());
}

Status Device::fill(DeviceAddress to, unsigned char value, size_t bytes, const Stream& stream) const {
  return call("cuMemsetD8Async", driver_->api().cuMemsetD8Async, to, value, bytes, stream.get());
}

Status Device::record(const Event& event, const Stream& stream) const {
  return call("cuEventRecord", driver_->api().cuEventRecord, event.get(), stream.get());
}

Status Device::record(const Event& event, ForeignStream stream) const {
  return call("cuEventRecord", driver_->api().cuEventRecord, event.get(), stream.get());
}

Status Device::wait(const Stream& stream, const Event& event) const {
  return call("cuStreamWaitEvent", driver_->api().cuStreamWaitEvent, stream.get(), event.get(), 0u);
}

Result<bool> Device::is_done(const Event& event) const {
  MICROTOME_TRY(driver_->usable());
  if (const DriverStatus lost = lost_.load(std::memory_order_relaxed); lost != DriverStatus::success)
    return answer("cuEventQuery", lost).error();
  const DriverStatus status = driver_->api().cuEventQuery(event.get());  // needs no current context
  if (status == DriverStatus::not_ready) return false;
  MICROTOME_TRY(answer("cuEventQuery", status));
  return true;
}

Result<Owned<ModuleHandle>> Device::load_module(const void* image) const {
  ModuleHandle module = nullptr;
  MICROTOME_TRY(call("cuModuleLoadData", driver_->api().cuModuleLoadData, &module, image));
  return Owned<ModuleHandle>(shared_from_this(), module);
}

Result<FunctionHandle> Device::find_kernel(const Owned<ModuleHandle>& module, const char* name) const {
  FunctionHandle function = nullptr;
  MICROTOME_TRY(
      call("cuModuleGetFunction", driver_->api().cuModuleGetFunction, &function, module.get(), name));
  return function;
}

Status Device::launch(FunctionHandle kernel, Extent blocks, Extent threads, const Stream& stream,
                      void** arguments) const {
  return call("cuLaunchKernel", driver_->api().cuLaunchKernel, kernel, blocks.x, blocks.y, blocks.z,
              threads.x, threads.y, threads.z, 0u, stream.get(), arguments, nullptr);
}

Status Device::synchronize(const Stream& stream) const {
  return call("cuStreamSynchronize", driver_->api().cuStreamSynchronize, stream.get());
}

Status Device::synchronize(const Event& event) const {
  return call("cuEventSynchronize", driver_->api().cuEventSynchronize, event.get());
}

// What fails while something is given back is not told: a lost device has taken it with it, and so has a
// process that is ending.
template <class Handle>
void Device::release_with(DriverStatus (*function)(Handle), Handle handle) const noexcept {
  if (!driver_->is_own_process()) return;
  const CurrentDevice current(*this);
  if (current.status() == DriverStatus::success) static_cast<void>(function(handle));
}

void Device::release(DeviceAddress memory) const noexcept {
  release_with(driver_->api().cuMemFree_v2, memory);
}
void Device::release(void* pinned) const noexcept {
  release_with(driver_->api().cuMemFreeHost, pinned);
}
void Device::release(StreamHandle stream) const noexcept {
  release_with(driver_->api().cuStreamDestroy_v2, stream);
}
void Device::release(EventHandle event) const noexcept {
  release_with(driver_->api().cuEventDestroy_v2, event);
}
void Device::release(ModuleHandle module) const noexcept {
  release_with(driver_->api().cuModuleUnload, module);
}

}  // namespace microtome::cuda
