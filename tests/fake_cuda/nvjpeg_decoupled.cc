// The fake nvJPEG's decoupled calls: one image in three steps, on the host, to the device, on the device.
#include <algorithm>
#include <cstring>

#include "tests/fake_cuda/control.h"
#include "tests/fake_cuda/nvjpeg.h"

namespace fake {
namespace {

size_t bytes_of(const JpegPlanes& planes) {
  size_t bytes = 0;
  for (const auto& plane : planes.planes) bytes += plane.bytes.size();
  return bytes;
}

/// The next of an image's steps, which must have come to `stage`; null: something is not as it has to be.
std::shared_ptr<microtome::cuda::NvjpegStateObject> step(const char* function,
                                                         microtome::cuda::NvjpegHandle handle,
                                                         microtome::cuda::NvjpegDecoder decoder,
                                                         microtome::cuda::NvjpegState state,
                                                         microtome::cuda::NvjpegStage stage) {
  auto object = nvjpeg().states.find(state, function);
  if (!object) return nullptr;
  if (object->handle != handle || object->decoder != decoder || object->stage != stage) {
    misuse(function);
    return nullptr;
  }
  return object;
}

}  // namespace
}  // namespace fake

namespace microtome::cuda {

NvjpegStatus nvjpegDecoderCreate(NvjpegHandle handle, NvjpegBackend backend, NvjpegDecoder* decoder) {
  NVJPEG_ENTER("nvjpegDecoderCreate");
  const auto object = fake::nvjpeg().handles.find(handle, "nvjpegDecoderCreate");
  if (!object) return NvjpegStatus::invalid_parameter;
  if (backend != NvjpegBackend::hybrid && backend != NvjpegBackend::gpu_hybrid)
    return NvjpegStatus::implementation_not_supported;
  *decoder = fake::nvjpeg().decoders.make(NvjpegDecoderObject{object.get(), backend});
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDecoderDestroy(NvjpegDecoder decoder) {
  NVJPEG_ENTER("nvjpegDecoderDestroy");
  return fake::nvjpeg().decoders.take(decoder, "nvjpegDecoderDestroy") ? NvjpegStatus::success
                                                                       : NvjpegStatus::invalid_parameter;
}

/// Huffman codes on the GPU: sequential streams alone.
NvjpegStatus nvjpegDecoderJpegSupported(NvjpegDecoder decoder, NvjpegStream stream, NvjpegParams params,
                                        int* no) {
  NVJPEG_ENTER("nvjpegDecoderJpegSupported");
  const auto object = fake::nvjpeg().decoders.find(decoder, "nvjpegDecoderJpegSupported");
  const auto parsed = fake::nvjpeg().streams.find(stream, "nvjpegDecoderJpegSupported");
  if (!object || !parsed || !parsed->parsed ||
      !fake::nvjpeg().params.find(params, "nvjpegDecoderJpegSupported"))
    return NvjpegStatus::invalid_parameter;
  const bool on_gpu = object->backend == NvjpegBackend::gpu_hybrid;
  *no = fake::library_takes(parsed->info) && !(on_gpu && parsed->info.progressive) ? 0 : 1;
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDecoderStateCreate(NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState* state) {
  NVJPEG_ENTER("nvjpegDecoderStateCreate");
  const auto object = fake::nvjpeg().handles.find(handle, "nvjpegDecoderStateCreate");
  if (!object || !fake::nvjpeg().decoders.find(decoder, "nvjpegDecoderStateCreate"))
    return NvjpegStatus::invalid_parameter;
  *state = fake::nvjpeg().states.make(*object, decoder);
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegBufferPinnedCreateV2(NvjpegHandle handle, NvjpegPinnedAllocator* allocator,
                                        NvjpegPinnedBuffer* buffer) {
  NVJPEG_ENTER("nvjpegBufferPinnedCreateV2");
  if (!fake::nvjpeg().handles.find(handle, "nvjpegBufferPinnedCreateV2"))
    return NvjpegStatus::invalid_parameter;
  *buffer = fake::nvjpeg().pinned.make(allocator ? *allocator : NvjpegPinnedAllocator{});
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegBufferPinnedDestroy(NvjpegPinnedBuffer buffer) {
  NVJPEG_ENTER("nvjpegBufferPinnedDestroy");
  return fake::nvjpeg().pinned.take(buffer, "nvjpegBufferPinnedDestroy") ? NvjpegStatus::success
                                                                         : NvjpegStatus::invalid_parameter;
}

NvjpegStatus nvjpegBufferDeviceCreateV2(NvjpegHandle handle, NvjpegDeviceAllocator* allocator,
                                        NvjpegDeviceBuffer* buffer) {
  NVJPEG_ENTER("nvjpegBufferDeviceCreateV2");
  if (!fake::nvjpeg().handles.find(handle, "nvjpegBufferDeviceCreateV2"))
    return NvjpegStatus::invalid_parameter;
  *buffer = fake::nvjpeg().device.make(allocator ? *allocator : NvjpegDeviceAllocator{});
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegBufferDeviceDestroy(NvjpegDeviceBuffer buffer) {
  NVJPEG_ENTER("nvjpegBufferDeviceDestroy");
  return fake::nvjpeg().device.take(buffer, "nvjpegBufferDeviceDestroy") ? NvjpegStatus::success
                                                                         : NvjpegStatus::invalid_parameter;
}

NvjpegStatus nvjpegStateAttachPinnedBuffer(NvjpegState state, NvjpegPinnedBuffer buffer) {
  NVJPEG_ENTER("nvjpegStateAttachPinnedBuffer");
  const auto object = fake::nvjpeg().states.find(state, "nvjpegStateAttachPinnedBuffer");
  const auto memory = fake::nvjpeg().pinned.find(buffer, "nvjpegStateAttachPinnedBuffer");
  if (!object || !memory) return NvjpegStatus::invalid_parameter;
  object->pinned = memory;
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegStateAttachDeviceBuffer(NvjpegState state, NvjpegDeviceBuffer buffer) {
  NVJPEG_ENTER("nvjpegStateAttachDeviceBuffer");
  const auto object = fake::nvjpeg().states.find(state, "nvjpegStateAttachDeviceBuffer");
  const auto memory = fake::nvjpeg().device.find(buffer, "nvjpegStateAttachDeviceBuffer");
  if (!object || !memory) return NvjpegStatus::invalid_parameter;
  object->device = memory;
  return NvjpegStatus::success;
}

/// On the host alone, whichever thread it is.
NvjpegStatus nvjpegDecodeJpegHost(NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState state,
                                  NvjpegParams params, NvjpegStream stream) {
  NVJPEG_ENTER("nvjpegDecodeJpegHost");
  const auto object = fake::nvjpeg().states.find(state, "nvjpegDecodeJpegHost");
  const auto parsed = fake::nvjpeg().streams.find(stream, "nvjpegDecodeJpegHost");
  if (!object || !parsed || !parsed->parsed || !fake::nvjpeg().params.find(params, "nvjpegDecodeJpegHost"))
    return NvjpegStatus::invalid_parameter;
  if (object->handle != handle || object->decoder != decoder || !object->pinned || object->at_work > 0) {
    fake::misuse("nvjpegDecodeJpegHost with another's state, one at work, or without a pinned buffer");
    return NvjpegStatus::invalid_parameter;
  }
  fake::host_uses("nvjpegDecodeJpegHost", state);
  if (!fake::library_takes(parsed->info)) return NvjpegStatus::jpeg_not_supported;
  object->planes = {};
  const bool lenient = fake::library_setting("nvjpeg_lenient") != 0;
  const NvjpegStatus status = fake::decode_jpeg_planes(parsed->bytes, lenient, object->planes);
  if (status != NvjpegStatus::success) return status;
  if (!object->pinned->memory.grow(fake::bytes_of(object->planes), nullptr))
    return NvjpegStatus::allocator_failure;
  object->stage = NvjpegStage::on_host;
  return status;
}

NvjpegStatus nvjpegDecodeJpegTransferToDevice(NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState state,
                                              NvjpegStream stream, StreamHandle cuda) {
  NVJPEG_ENTER("nvjpegDecodeJpegTransferToDevice");
  const auto object =
      fake::step("nvjpegDecodeJpegTransferToDevice", handle, decoder, state, NvjpegStage::on_host);
  if (!object || !fake::nvjpeg().streams.find(stream, "nvjpegDecodeJpegTransferToDevice"))
    return NvjpegStatus::invalid_parameter;
  if (!object->device || fake::current_device() != object->handle->device) {
    fake::misuse("nvjpegDecodeJpegTransferToDevice without a device buffer, or of another device");
    return NvjpegStatus::invalid_parameter;
  }
  auto& memory = object->device->memory;
  if (!memory.grow(fake::bytes_of(object->planes), cuda)) return NvjpegStatus::allocator_failure;
  fake::Work work{"nvjpegDecodeJpegTransferToDevice", {state}, {}, {}};
  if (object->pinned->memory.size() > 0)
    work.host_reads.push_back(
        {reinterpret_cast<const void*>(object->pinned->memory.address()), fake::bytes_of(object->planes)});
  work.run = [object, address = memory.address(), size = memory.size()] {
    if (size > 0) static_cast<void>(fake_cuda_memory(address, size, true));
  };
  if (fake::give_work(cuda, object->handle->device, fake::kNoEngine, true, std::move(work)) !=
      DriverStatus::success)
    return NvjpegStatus::execution_failed;
  object->stage = NvjpegStage::on_its_way;
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDecodeJpegDevice(NvjpegHandle handle, NvjpegDecoder decoder, NvjpegState state,
                                    NvjpegImage* target, StreamHandle cuda) {
  NVJPEG_ENTER("nvjpegDecodeJpegDevice");
  const auto object = fake::step("nvjpegDecodeJpegDevice", handle, decoder, state, NvjpegStage::on_its_way);
  if (!object || !target) return NvjpegStatus::invalid_parameter;
  object->stage = NvjpegStage::none;
  if (const auto status = fake::check_target(object->planes, *target); status != NvjpegStatus::success)
    return status;
  fake::Work work{"nvjpegDecodeJpegDevice", {state}, {}, {}};
  const auto& memory = object->device->memory;
  ++object->at_work;
  work.run = [object, to = *target, skipped = fake::is_skipped(), planes = object->planes,
              address = memory.address(), size = memory.size()] {
    const bool there = size == 0 || fake_cuda_memory(address, size, false);
    if (there && !skipped) static_cast<void>(fake::write_planes(planes, to));
    --object->at_work;
  };
  if (fake::give_work(cuda, object->handle->device, fake::kNoEngine, true, std::move(work)) !=
      DriverStatus::success)
    return NvjpegStatus::execution_failed;
  fake::count_images(1, false);
  return NvjpegStatus::success;
}

}  // namespace microtome::cuda
