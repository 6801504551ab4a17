// The fake nvJPEG2000: pictures are decoded by OpenJPEG when the call is made and written when the stream
// gets there.
#include <atomic>
#include <memory>
#include <vector>

#include "microtome/device/cuda/nvjpeg2k_api.h"
#include "tests/fake_cuda/alive.h"
#include "tests/fake_cuda/control.h"
#include "tests/fake_cuda/jpeg2000_planes.h"

namespace microtome::cuda {

struct Nvjpeg2kObject {
  int device = 0;
};

struct Nvjpeg2kStreamObject {
  std::span<const unsigned char> bytes;  // the caller's
  fake::Jpeg2kPicture picture;           // without samples
  bool parsed = false;
};

struct Nvjpeg2kParamsObject {
  bool forces_rgb = true;
};

struct Nvjpeg2kStateObject {
  const Nvjpeg2kObject* handle = nullptr;
  std::atomic<int> at_work{0};
};

}  // namespace microtome::cuda

namespace fake {
namespace {

using microtome::cuda::Nvjpeg2kImage;
using microtome::cuda::Nvjpeg2kStatus;

Nvjpeg2kStatus answer(Fault fault) {
  switch (fault) {
    case Fault::out_of_memory:
      return Nvjpeg2kStatus::allocator_failure;
    case Fault::lost:
      return Nvjpeg2kStatus::execution_failed;
    default:
      return Nvjpeg2kStatus::internal_error;
  }
}

struct Nvjpeg2k {
  Alive<microtome::cuda::Nvjpeg2kObject> handles;
  Alive<microtome::cuda::Nvjpeg2kStateObject> states;
  Alive<microtome::cuda::Nvjpeg2kStreamObject> streams;
  Alive<microtome::cuda::Nvjpeg2kParamsObject> params;
};

Nvjpeg2k& nvjpeg2k() {
  static Nvjpeg2k* const objects = new Nvjpeg2k;
  return *objects;
}

/// What a call was told, which need not stay.
struct Target {
  std::vector<uint64_t> plane;
  std::vector<size_t> pitch;
};

void write(const Jpeg2kPicture& picture, const Target& target) {
  for (size_t i = 0; i < picture.components.size(); ++i) {
    const Jpeg2kComponent& c = picture.components[i];
    auto* const to = static_cast<uint8_t*>(
        fake_cuda_memory(target.plane[i], target.pitch[i] * (c.height - 1) + c.width, true));
    if (!to) return;
    for (size_t y = 0; y < c.height; ++y)
      for (size_t x = 0; x < c.width; ++x)
        to[y * target.pitch[i] + x] = static_cast<uint8_t>(c.samples[y * c.width + x]);
  }
}

bool is_skipped() {
  static std::atomic<int64_t> images{0};
  const int64_t every = library_setting("nvjpeg2k_skip");
  return every > 0 && ++images % every == 0;
}

}  // namespace
}  // namespace fake

#define NVJPEG2K_ENTER(function)                                                           \
  do {                                                                                     \
    if (const fake::Fault made = fake::enter_library(function); made != fake::Fault::none) \
      return fake::answer(made);                                                           \
  } while (0)

namespace microtome::cuda {

#define NVJPEG2K_DECLARE(need, name, result, parameters) \
  extern "C" __attribute__((visibility("default"))) result name parameters;
MICROTOME_NVJPEG2K_API(NVJPEG2K_DECLARE)
#undef NVJPEG2K_DECLARE

Nvjpeg2kStatus nvjpeg2kGetProperty(LibraryProperty which, int* value) {
  *value = which == LibraryProperty::minor_version ? 11 : 0;
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kCreateV2(Nvjpeg2kBackend, Nvjpeg2kDeviceAllocator*, Nvjpeg2kPinnedAllocator*,
                                Nvjpeg2kHandle* handle) {
  NVJPEG2K_ENTER("nvjpeg2kCreateV2");
  const int device = fake::current_device();
  if (device < 0) return Nvjpeg2kStatus::not_initialized;
  *handle = fake::nvjpeg2k().handles.make(Nvjpeg2kObject{device});
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kDestroy(Nvjpeg2kHandle handle) {
  NVJPEG2K_ENTER("nvjpeg2kDestroy");
  return fake::nvjpeg2k().handles.take(handle, "nvjpeg2kDestroy") ? Nvjpeg2kStatus::success
                                                                  : Nvjpeg2kStatus::invalid_parameter;
}

Nvjpeg2kStatus nvjpeg2kDecodeStateCreate(Nvjpeg2kHandle handle, Nvjpeg2kState* state) {
  NVJPEG2K_ENTER("nvjpeg2kDecodeStateCreate");
  const auto object = fake::nvjpeg2k().handles.find(handle, "nvjpeg2kDecodeStateCreate");
  if (!object) return Nvjpeg2kStatus::invalid_parameter;
  *state = fake::nvjpeg2k().states.make();
  (*state)->handle = handle;
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kDecodeStateDestroy(Nvjpeg2kState state) {
  NVJPEG2K_ENTER("nvjpeg2kDecodeStateDestroy");
  const auto object = fake::nvjpeg2k().states.take(state, "nvjpeg2kDecodeStateDestroy");
  if (!object) return Nvjpeg2kStatus::invalid_parameter;
  if (object->at_work > 0) fake::misuse("nvjpeg2kDecodeStateDestroy of a state at work");
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kStreamCreate(Nvjpeg2kStream* stream) {
  NVJPEG2K_ENTER("nvjpeg2kStreamCreate");
  *stream = fake::nvjpeg2k().streams.make();
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kStreamDestroy(Nvjpeg2kStream stream) {
  NVJPEG2K_ENTER("nvjpeg2kStreamDestroy");
  return fake::nvjpeg2k().streams.take(stream, "nvjpeg2kStreamDestroy") ? Nvjpeg2kStatus::success
                                                                        : Nvjpeg2kStatus::invalid_parameter;
}

Nvjpeg2kStatus nvjpeg2kStreamParse(Nvjpeg2kHandle handle, const unsigned char* data, size_t length,
                                   int save_metadata, int save_stream, Nvjpeg2kStream stream) {
  NVJPEG2K_ENTER("nvjpeg2kStreamParse");
  const auto object = fake::nvjpeg2k().streams.find(stream, "nvjpeg2kStreamParse");
  if (!object || !fake::nvjpeg2k().handles.find(handle, "nvjpeg2kStreamParse") || !data || save_metadata ||
      save_stream)
    return Nvjpeg2kStatus::invalid_parameter;
  object->bytes = {data, length};
  const Nvjpeg2kStatus status = fake::read_jpeg2k(object->bytes, false, object->picture);
  object->parsed = status == Nvjpeg2kStatus::success;
  return status;
}

Nvjpeg2kStatus nvjpeg2kStreamGetImageInfo(Nvjpeg2kStream stream, Nvjpeg2kImageInfo* info) {
  NVJPEG2K_ENTER("nvjpeg2kStreamGetImageInfo");
  const auto object = fake::nvjpeg2k().streams.find(stream, "nvjpeg2kStreamGetImageInfo");
  if (!object || !object->parsed) return Nvjpeg2kStatus::invalid_parameter;
  *info = object->picture.info;
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kStreamGetImageComponentInfo(Nvjpeg2kStream stream, Nvjpeg2kComponentInfo* info,
                                                   uint32_t component) {
  NVJPEG2K_ENTER("nvjpeg2kStreamGetImageComponentInfo");
  const auto object = fake::nvjpeg2k().streams.find(stream, "nvjpeg2kStreamGetImageComponentInfo");
  if (!object || !object->parsed || component >= object->picture.components.size())
    return Nvjpeg2kStatus::invalid_parameter;
  const auto& found = object->picture.components[component];
  *info = {found.width, found.height, found.precision, found.is_signed};
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kStreamGetResolutionsInTile(Nvjpeg2kStream, uint32_t, uint32_t*) {
  return Nvjpeg2kStatus::implementation_not_supported;
}

Nvjpeg2kStatus nvjpeg2kDecodeParamsCreate(Nvjpeg2kParams* params) {
  NVJPEG2K_ENTER("nvjpeg2kDecodeParamsCreate");
  *params = fake::nvjpeg2k().params.make();
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kDecodeParamsDestroy(Nvjpeg2kParams params) {
  NVJPEG2K_ENTER("nvjpeg2kDecodeParamsDestroy");
  return fake::nvjpeg2k().params.take(params, "nvjpeg2kDecodeParamsDestroy")
             ? Nvjpeg2kStatus::success
             : Nvjpeg2kStatus::invalid_parameter;
}

Nvjpeg2kStatus nvjpeg2kDecodeParamsSetRGBOutput(Nvjpeg2kParams params, int32_t force) {
  NVJPEG2K_ENTER("nvjpeg2kDecodeParamsSetRGBOutput");
  const auto object = fake::nvjpeg2k().params.find(params, "nvjpeg2kDecodeParamsSetRGBOutput");
  if (!object) return Nvjpeg2kStatus::invalid_parameter;
  object->forces_rgb = force != 0;
  return Nvjpeg2kStatus::success;
}

/// Planes of bytes, as the codestream has them.
Nvjpeg2kStatus nvjpeg2kDecodeImage(Nvjpeg2kHandle handle, Nvjpeg2kState state, Nvjpeg2kStream stream,
                                   Nvjpeg2kParams params, Nvjpeg2kImage* image, StreamHandle cuda) {
  NVJPEG2K_ENTER("nvjpeg2kDecodeImage");
  const auto object = fake::nvjpeg2k().states.find(state, "nvjpeg2kDecodeImage");
  const auto used = fake::nvjpeg2k().handles.find(handle, "nvjpeg2kDecodeImage");
  const auto parsed = fake::nvjpeg2k().streams.find(stream, "nvjpeg2kDecodeImage");
  const auto how = fake::nvjpeg2k().params.find(params, "nvjpeg2kDecodeImage");
  if (!object || !used || !parsed || !parsed->parsed || !how || object->handle != handle || !image)
    return Nvjpeg2kStatus::invalid_parameter;
  if (fake::current_device() != used->device || object->at_work > 0) {
    fake::misuse("nvjpeg2kDecodeImage of another device, or with a state at work");
    return Nvjpeg2kStatus::invalid_parameter;
  }
  if (how->forces_rgb || image->type != Nvjpeg2kType::u8) return Nvjpeg2kStatus::implementation_not_supported;
  fake::host_uses("nvjpeg2kDecodeImage", state);
  auto picture = std::make_shared<fake::Jpeg2kPicture>();
  const Nvjpeg2kStatus status = fake::read_jpeg2k(parsed->bytes, true, *picture);
  if (status != Nvjpeg2kStatus::success) return status;
  if (image->components != picture->components.size()) return Nvjpeg2kStatus::invalid_parameter;
  auto target = std::make_shared<fake::Target>();
  for (uint32_t i = 0; i < image->components; ++i) {
    if (!image->planes[i] || image->pitch_bytes[i] < picture->components[i].width)
      return Nvjpeg2kStatus::invalid_parameter;
    target->plane.push_back(reinterpret_cast<uint64_t>(image->planes[i]));
    target->pitch.push_back(image->pitch_bytes[i]);
  }
  fake::Work work{"nvjpeg2kDecodeImage", {state}, {{parsed->bytes.data(), parsed->bytes.size()}}, {}};
  ++object->at_work;
  work.run = [object, picture, target, skipped = fake::is_skipped()] {
    if (!skipped) fake::write(*picture, *target);
    --object->at_work;
  };
  if (fake::give_work(cuda, used->device, fake::kNoEngine, true, std::move(work)) != DriverStatus::success)
    return Nvjpeg2kStatus::execution_failed;
  fake::count_images(1, false);
  return Nvjpeg2kStatus::success;
}

Nvjpeg2kStatus nvjpeg2kDecodeTile(Nvjpeg2kHandle, Nvjpeg2kState, Nvjpeg2kStream, Nvjpeg2kParams, uint32_t,
                                  uint32_t, Nvjpeg2kImage*, StreamHandle) {
  return Nvjpeg2kStatus::implementation_not_supported;
}

}  // namespace microtome::cuda
