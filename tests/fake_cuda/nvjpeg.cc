// The fake nvJPEG: handles, streams, parameters, and what can be decoded.
#include "tests/fake_cuda/nvjpeg.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "tests/fake_cuda/control.h"

namespace fake {

using microtome::cuda::NvjpegSampling;

NvjpegStatus answer(Fault fault) {
  switch (fault) {
    case Fault::out_of_memory:
      return NvjpegStatus::allocator_failure;
    case Fault::lost:
      return NvjpegStatus::execution_failed;
    default:
      return NvjpegStatus::internal_error;
  }
}

Nvjpeg& nvjpeg() {
  static Nvjpeg* const objects = new Nvjpeg;
  return *objects;
}

bool engine_takes(const JpegInfo& info) {
  constexpr int kMostSide = 16000;
  if (info.progressive || std::max(info.width, info.height) > kMostSide) return false;
  if (info.restart_interval != 0 && !library_setting("nvjpeg_restarts")) return false;
  switch (info.sampling) {
    case NvjpegSampling::css_444:
    case NvjpegSampling::css_422:
    case NvjpegSampling::css_420:
    case NvjpegSampling::css_440:
    case NvjpegSampling::grey:
      return true;
    default:
      return false;
  }
}

bool library_takes(const JpegInfo& info) {
  return info.sampling != NvjpegSampling::unknown;
}

NvjpegStatus check_target(const JpegPlanes& planes, const microtome::cuda::NvjpegImage& image) {
  for (size_t i = 0; i < planes.planes.size(); ++i)
    if (!image.channel[i] || image.pitch[i] < static_cast<size_t>(planes.planes[i].width))
      return NvjpegStatus::invalid_parameter;
  return NvjpegStatus::success;
}

bool write_planes(const JpegPlanes& planes, const microtome::cuda::NvjpegImage& image) {
  for (size_t i = 0; i < planes.planes.size(); ++i) {
    const JpegPlanes::Plane& plane = planes.planes[i];
    const auto width = static_cast<size_t>(plane.width), height = static_cast<size_t>(plane.height);
    const size_t pitch = image.pitch[i];
    auto* const to = static_cast<uint8_t*>(
        fake_cuda_memory(reinterpret_cast<uint64_t>(image.channel[i]), pitch * (height - 1) + width, true));
    if (!to) return false;
    for (size_t y = 0; y < height; ++y) std::memcpy(to + y * pitch, plane.bytes.data() + y * width, width);
  }
  return true;
}

bool is_skipped() {
  static std::atomic<int64_t> images{0};
  const int64_t every = library_setting("nvjpeg_skip");
  return every > 0 && ++images % every == 0;
}

}  // namespace fake

namespace microtome::cuda {

/// Needs no driver and no device, as the library's.
NvjpegStatus nvjpegGetProperty(LibraryProperty which, int* value) {
  *value = which == LibraryProperty::major_version ? 13 : 0;
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegCreateExV2(NvjpegBackend backend, NvjpegDeviceAllocator* device,
                              NvjpegPinnedAllocator* pinned, unsigned flags, NvjpegHandle* handle) {
  NVJPEG_ENTER("nvjpegCreateExV2");
  const int ordinal = fake::current_device();
  if (ordinal < 0) return NvjpegStatus::not_initialized;
  if (!handle || flags > 63) return NvjpegStatus::invalid_parameter;
  if (backend == NvjpegBackend::hardware && fake::library_setting("nvjpeg_engines") == 0)
    return NvjpegStatus::arch_mismatch;
  *handle =
      fake::nvjpeg().handles.make(NvjpegObject{ordinal, backend, device ? *device : NvjpegDeviceAllocator{},
                                               pinned ? *pinned : NvjpegPinnedAllocator{}});
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDestroy(NvjpegHandle handle) {
  NVJPEG_ENTER("nvjpegDestroy");
  return fake::nvjpeg().handles.take(handle, "nvjpegDestroy") ? NvjpegStatus::success
                                                              : NvjpegStatus::invalid_parameter;
}

NvjpegStatus nvjpegGetHardwareDecoderInfo(NvjpegHandle handle, unsigned* engines, unsigned* cores) {
  NVJPEG_ENTER("nvjpegGetHardwareDecoderInfo");
  if (!fake::nvjpeg().handles.find(handle, "nvjpegGetHardwareDecoderInfo"))
    return NvjpegStatus::invalid_parameter;
  *engines = static_cast<unsigned>(fake::library_setting("nvjpeg_engines"));
  *cores = *engines > 0;
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegJpegStreamCreate(NvjpegHandle handle, NvjpegStream* stream) {
  NVJPEG_ENTER("nvjpegJpegStreamCreate");
  if (!fake::nvjpeg().handles.find(handle, "nvjpegJpegStreamCreate")) return NvjpegStatus::invalid_parameter;
  *stream = fake::nvjpeg().streams.make();
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegJpegStreamDestroy(NvjpegStream stream) {
  NVJPEG_ENTER("nvjpegJpegStreamDestroy");
  return fake::nvjpeg().streams.take(stream, "nvjpegJpegStreamDestroy") ? NvjpegStatus::success
                                                                        : NvjpegStatus::invalid_parameter;
}

NvjpegStatus nvjpegJpegStreamParse(NvjpegHandle handle, const unsigned char* data, size_t length,
                                   int save_metadata, int save_stream, NvjpegStream stream) {
  NVJPEG_ENTER("nvjpegJpegStreamParse");
  const auto object = fake::nvjpeg().streams.find(stream, "nvjpegJpegStreamParse");
  if (!object || !fake::nvjpeg().handles.find(handle, "nvjpegJpegStreamParse") || !data || save_metadata ||
      save_stream)
    return NvjpegStatus::invalid_parameter;
  object->bytes = {data, length};
  const NvjpegStatus status = fake::read_jpeg_info(object->bytes, object->info);
  object->parsed = status == NvjpegStatus::success;
  return status;
}

NvjpegStatus nvjpegDecodeParamsCreate(NvjpegHandle handle, NvjpegParams* params) {
  NVJPEG_ENTER("nvjpegDecodeParamsCreate");
  if (!fake::nvjpeg().handles.find(handle, "nvjpegDecodeParamsCreate"))
    return NvjpegStatus::invalid_parameter;
  *params = fake::nvjpeg().params.make();
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDecodeParamsDestroy(NvjpegParams params) {
  NVJPEG_ENTER("nvjpegDecodeParamsDestroy");
  return fake::nvjpeg().params.take(params, "nvjpegDecodeParamsDestroy") ? NvjpegStatus::success
                                                                         : NvjpegStatus::invalid_parameter;
}

NvjpegStatus nvjpegDecodeParamsSetOutputFormat(NvjpegParams params, NvjpegOutput output) {
  NVJPEG_ENTER("nvjpegDecodeParamsSetOutputFormat");
  const auto object = fake::nvjpeg().params.find(params, "nvjpegDecodeParamsSetOutputFormat");
  if (!object) return NvjpegStatus::invalid_parameter;
  if (output != NvjpegOutput::unchanged) return NvjpegStatus::implementation_not_supported;
  object->output = output;
  return NvjpegStatus::success;
}

}  // namespace microtome::cuda
