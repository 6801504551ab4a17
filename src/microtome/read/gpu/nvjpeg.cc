#include "microtome/read/gpu/nvjpeg.h"

#include <utility>

#include "microtome/base/fail.h"

namespace microtome::gpu {
namespace {

using cuda::NvjpegBackend;
using cuda::NvjpegStatus;

std::string_view name_of(NvjpegStatus status) {
  switch (status) {
    case NvjpegStatus::success:
      return "NVJPEG_STATUS_SUCCESS";
    case NvjpegStatus::not_initialized:
      return "NVJPEG_STATUS_NOT_INITIALIZED";
    case NvjpegStatus::invalid_parameter:
      return "NVJPEG_STATUS_INVALID_PARAMETER";
    case NvjpegStatus::bad_jpeg:
      return "NVJPEG_STATUS_BAD_JPEG";
    case NvjpegStatus::jpeg_not_supported:
      return "NVJPEG_STATUS_JPEG_NOT_SUPPORTED";
    case NvjpegStatus::allocator_failure:
      return "NVJPEG_STATUS_ALLOCATOR_FAILURE";
    case NvjpegStatus::execution_failed:
      return "NVJPEG_STATUS_EXECUTION_FAILED";
    case NvjpegStatus::arch_mismatch:
      return "NVJPEG_STATUS_ARCH_MISMATCH";
    case NvjpegStatus::internal_error:
      return "NVJPEG_STATUS_INTERNAL_ERROR";
    case NvjpegStatus::implementation_not_supported:
      return "NVJPEG_STATUS_IMPLEMENTATION_NOT_SUPPORTED";
    case NvjpegStatus::incomplete_bitstream:
      return "NVJPEG_STATUS_INCOMPLETE_BITSTREAM";
  }
  return "an unknown status";
}

Errc code_of(NvjpegStatus status) noexcept {
  switch (status) {
    case NvjpegStatus::bad_jpeg:
    case NvjpegStatus::incomplete_bitstream:
      return Errc::corrupt;
    case NvjpegStatus::jpeg_not_supported:
    case NvjpegStatus::implementation_not_supported:
      return Errc::unsupported;
    case NvjpegStatus::allocator_failure:
      return Errc::out_of_memory;
    case NvjpegStatus::arch_mismatch:
      return Errc::unavailable;
    default:
      return Errc::internal;
  }
}

}  // namespace

Error nvjpeg_error(const char* call, NvjpegStatus status) {
  return {code_of(status),
          fmt::format("nvJPEG: {} answered {} ({})", call, name_of(status), static_cast<unsigned>(status))};
}

bool is_of_picture(NvjpegStatus status) noexcept {
  const Errc code = code_of(status);
  return code == Errc::corrupt || code == Errc::unsupported || status == NvjpegStatus::invalid_parameter;
}

cuda::NvjpegImage nvjpeg_image(const Picture& picture) noexcept {
  cuda::NvjpegImage image{};
  for (size_t i = 0; i < picture.tile.planes; ++i) {
    image.channel[i] = reinterpret_cast<unsigned char*>(picture.plane[i]);
    image.pitch[i] = picture.tile.pitch(i);
  }
  return image;
}

Nvjpeg::Nvjpeg(std::shared_ptr<const cuda::Device> device, cuda::OpenLibrary<cuda::NvjpegApi> library)
    : device_(std::move(device)),
      library_(std::move(library)),
      memory_(device_),
      device_allocator_{LibraryMemory::allocate_device, LibraryMemory::release, &memory_},
      pinned_allocator_{LibraryMemory::allocate_pinned, LibraryMemory::release, &memory_} {}

Result<std::shared_ptr<Nvjpeg>> Nvjpeg::open(std::shared_ptr<const cuda::Device> device,
                                             const LibraryPlaces& places) {
  MICROTOME_ASSIGN(cuda::OpenLibrary<cuda::NvjpegApi> library, cuda::open_nvjpeg(places));
  const std::shared_ptr<Nvjpeg> nvjpeg(new Nvjpeg(std::move(device), std::move(library)));
  MICROTOME_TRY(nvjpeg->make_handle());
  return nvjpeg;
}

/// For the engines, or, where the device has none, without them.
Status Nvjpeg::make_handle() {
  const cuda::CurrentDevice current(*device_);
  MICROTOME_TRY(check_current(current));
  NvjpegStatus status = NvjpegStatus::success;
  for (const NvjpegBackend backend : {NvjpegBackend::hardware, NvjpegBackend::standard}) {
    status = api().nvjpegCreateExV2(backend, &device_allocator_, &pinned_allocator_, 0, &handle_);
    if (status == NvjpegStatus::success && backend == NvjpegBackend::hardware) {
      unsigned engines = 1, cores = 1;
      if (api().nvjpegGetHardwareDecoderInfo != nullptr &&
          api().nvjpegGetHardwareDecoderInfo(handle_, &engines, &cores) != NvjpegStatus::success)
        engines = cores = 1;
      engines_ = engines * cores;
      if (engines_ > 0) return ok_status();
      static_cast<void>(api().nvjpegDestroy(std::exchange(handle_, nullptr)));
      continue;
    }
    if (status == NvjpegStatus::success) return ok_status();
    handle_ = nullptr;
  }
  Error error = nvjpeg_error("nvjpegCreateExV2", status);
  return Error{error.code == Errc::out_of_memory ? error.code : Errc::unavailable,
               fmt::format("{} for cuda:{} {}: {} {}", error.message, device_->ordinal(),
                           device_->info().name, library_.path, library_.version)};
}

Nvjpeg::~Nvjpeg() {
  if (handle_ == nullptr || !device_->driver().is_own_process()) return;
  const cuda::CurrentDevice current(*device_);
  if (check_current(current).ok()) static_cast<void>(api().nvjpegDestroy(handle_));
}

Result<std::unique_ptr<StreamDecoder>> Nvjpeg::make_decoder(int threads) {
  return engines_ > 0 ? make_nvjpeg_batched(shared_from_this())
                      : make_nvjpeg_decoupled(shared_from_this(), threads);
}

}  // namespace microtome::gpu
