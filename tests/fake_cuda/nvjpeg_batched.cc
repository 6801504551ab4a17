// The fake nvJPEG's batched calls: engines, which take streams from host memory, or the library without them.
//
// Images are decoded when the call is made, so that it can fail as a whole for one of them, and written when
// the device gets there; a stream whose bytes were changed in between gives garbage, as it would if it were
// read then.
#include <algorithm>

#include "tests/fake_cuda/control.h"
#include "tests/fake_cuda/nvjpeg.h"

namespace fake {
namespace {

using microtome::cuda::NvjpegBackend;
using microtome::cuda::NvjpegImage;
using microtome::cuda::NvjpegStateObject;

constexpr size_t kScratchBytes = 4096;  // of the device, for each image
constexpr size_t kMostEngines = 16;
static_assert(kMostEngines < sizeof(NvjpegStateObject));

struct Image {
  std::vector<unsigned char> stream;  // as it was when the call was made
  const unsigned char* at = nullptr;
  JpegPlanes planes;
  NvjpegImage target;
  uint64_t scratch = 0;
  bool skipped = false;

  void write() {
    if (scratch && !fake_cuda_memory(scratch, kScratchBytes, true)) return;
    if (skipped) return;
    if (!std::equal(stream.begin(), stream.end(), at))
      for (auto& plane : planes.planes) std::fill(plane.bytes.begin(), plane.bytes.end(), uint8_t{0xEE});
    static_cast<void>(write_planes(planes, target));
  }
};

NvjpegStatus decode(JpegBytes bytes, const NvjpegImage& target, bool by_engine, Image& image) {
  JpegInfo info;
  NvjpegStatus status = read_jpeg_info(bytes, info);
  if (status != NvjpegStatus::success) return status;
  if (!(by_engine ? engine_takes(info) : library_takes(info))) return NvjpegStatus::jpeg_not_supported;
  status = decode_jpeg_planes(bytes, library_setting("nvjpeg_lenient") != 0, image.planes);
  if (status != NvjpegStatus::success) return status;
  image.stream.assign(bytes.begin(), bytes.end());
  image.at = bytes.data();
  image.target = target;
  return check_target(image.planes, target);
}

/// Images in turn to each engine.
NvjpegStatus give(const std::shared_ptr<NvjpegStateObject>& state, std::vector<std::shared_ptr<Image>> images,
                  bool by_engine, microtome::cuda::StreamHandle stream) {
  const auto engines = static_cast<size_t>(by_engine ? library_setting("nvjpeg_engines") : 1);
  const bool ordered = library_setting("nvjpeg_ordered") != 0;
  for (size_t engine = 0; engine < std::min(engines, images.size()); ++engine) {
    std::vector<std::shared_ptr<Image>> own;
    Work work{"nvjpegDecodeBatched", {}, {}, {}};
    for (size_t i = engine; i < images.size(); i += engines) {
      own.push_back(images[i]);
      work.host_reads.push_back({images[i]->at, images[i]->stream.size()});
      // Each has a part of the state to itself; the host, all of them.
      work.objects.push_back(reinterpret_cast<const std::byte*>(state.get()) + (engine + 1));
    }
    ++state->at_work;
    work.run = [own, state] {
      for (const auto& image : own) image->write();
      --state->at_work;
    };
    const int number = by_engine ? static_cast<int>(engine) : kNoEngine;
    if (give_work(stream, state->handle->device, number, ordered, std::move(work)) !=
        microtome::cuda::DriverStatus::success)
      return NvjpegStatus::execution_failed;
  }
  return NvjpegStatus::success;
}

void host_uses_state(const char* function, const NvjpegStateObject& state) {
  for (size_t i = 0; i <= kMostEngines; ++i) {
    host_uses(function, reinterpret_cast<const std::byte*>(&state) + i);
  }
  if (state.at_work > 0) misuse("a state of nvJPEG is used while it is at work");
}

void forget_state(const NvjpegStateObject& state) {
  for (size_t i = 0; i <= kMostEngines; ++i) forget_object(reinterpret_cast<const std::byte*>(&state) + i);
}

}  // namespace
}  // namespace fake

namespace microtome::cuda {

NvjpegStatus nvjpegJpegStateCreate(NvjpegHandle handle, NvjpegState* state) {
  NVJPEG_ENTER("nvjpegJpegStateCreate");
  const auto object = fake::nvjpeg().handles.find(handle, "nvjpegJpegStateCreate");
  if (!object) return NvjpegStatus::invalid_parameter;
  *state = fake::nvjpeg().states.make(*object, nullptr);
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegJpegStateDestroy(NvjpegState state) {
  NVJPEG_ENTER("nvjpegJpegStateDestroy");
  const auto object = fake::nvjpeg().states.take(state, "nvjpegJpegStateDestroy");
  if (!object) return NvjpegStatus::invalid_parameter;
  fake::host_uses_state("nvjpegJpegStateDestroy", *object);
  fake::forget_state(*object);
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDecodeBatchedInitialize(NvjpegHandle handle, NvjpegState state, int batch, int,
                                           NvjpegOutput output) {
  NVJPEG_ENTER("nvjpegDecodeBatchedInitialize");
  const auto object = fake::nvjpeg().states.find(state, "nvjpegDecodeBatchedInitialize");
  if (!object || object->handle != handle || batch < 1) return NvjpegStatus::invalid_parameter;
  if (output != NvjpegOutput::unchanged) return NvjpegStatus::implementation_not_supported;
  fake::host_uses_state("nvjpegDecodeBatchedInitialize", *object);
  object->batch = batch;
  return NvjpegStatus::success;
}

NvjpegStatus nvjpegDecodeBatchedPreAllocate(NvjpegHandle handle, NvjpegState state, int batch, int width,
                                            int height, NvjpegSampling, NvjpegOutput) {
  NVJPEG_ENTER("nvjpegDecodeBatchedPreAllocate");
  const auto object = fake::nvjpeg().states.find(state, "nvjpegDecodeBatchedPreAllocate");
  if (!object || object->handle != handle || batch < 1 || width < 1 || height < 1)
    return NvjpegStatus::invalid_parameter;
  return object->scratch.grow(static_cast<size_t>(batch) * fake::kScratchBytes, nullptr)
             ? NvjpegStatus::success
             : NvjpegStatus::allocator_failure;
}

NvjpegStatus nvjpegDecodeBatchedSupported(NvjpegHandle handle, NvjpegStream stream, int* no) {
  NVJPEG_ENTER("nvjpegDecodeBatchedSupported");
  const auto object = fake::nvjpeg().handles.find(handle, "nvjpegDecodeBatchedSupported");
  const auto parsed = fake::nvjpeg().streams.find(stream, "nvjpegDecodeBatchedSupported");
  if (!object || !parsed || !parsed->parsed) return NvjpegStatus::invalid_parameter;
  const bool takes = object->backend == NvjpegBackend::hardware ? fake::engine_takes(parsed->info)
                                                                : fake::library_takes(parsed->info);
  *no = takes ? 0 : 1;
  return NvjpegStatus::success;
}

/// One image that cannot be decoded fails the batch: nothing of it is decoded, and the state is to be
/// initialised again.
NvjpegStatus nvjpegDecodeBatched(NvjpegHandle handle, NvjpegState state, const unsigned char* const* data,
                                 const size_t* lengths, NvjpegImage* targets, StreamHandle stream) {
  NVJPEG_ENTER("nvjpegDecodeBatched");
  const auto object = fake::nvjpeg().states.find(state, "nvjpegDecodeBatched");
  const auto used = fake::nvjpeg().handles.find(handle, "nvjpegDecodeBatched");
  if (!object || !used || object->handle != handle || object->decoder) return NvjpegStatus::invalid_parameter;
  if (fake::current_device() != used->device || object->batch == 0) {
    fake::misuse("nvjpegDecodeBatched of another device, or before nvjpegDecodeBatchedInitialize");
    return NvjpegStatus::not_initialized;
  }
  fake::host_uses_state("nvjpegDecodeBatched", *object);
  const auto count = static_cast<size_t>(object->batch);
  const bool by_engine = used->backend == NvjpegBackend::hardware;
  std::vector<std::shared_ptr<fake::Image>> images;
  NvjpegStatus status = NvjpegStatus::success;
  if (!object->scratch.grow(count * fake::kScratchBytes, stream)) status = NvjpegStatus::allocator_failure;
  for (size_t i = 0; i < count && status == NvjpegStatus::success; ++i) {
    images.push_back(std::make_shared<fake::Image>());
    status = fake::decode({data[i], lengths[i]}, targets[i], by_engine, *images.back());
    images.back()->skipped = fake::is_skipped();
    if (object->scratch.size() > 0)
      images.back()->scratch = object->scratch.address() + i * fake::kScratchBytes;
  }
  if (status == NvjpegStatus::success) status = fake::give(object, std::move(images), by_engine, stream);
  if (status != NvjpegStatus::success)
    object->batch = 0;
  else
    fake::count_images(count, by_engine);
  return status;
}

}  // namespace microtome::cuda
