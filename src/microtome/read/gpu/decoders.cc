#include "microtome/read/gpu/decoders.h"

#include <utility>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/jpeg_packer.h"
#include "microtome/read/gpu/mixed_backend.h"

namespace microtome::gpu {
namespace {

bool any_of(std::span<const ImageToRead> images, bool (*takes)(const TileFormat&) noexcept) {
  for (const ImageToRead& each : images)
    if (takes(each.slide->image(each.image).format)) return true;
  return false;
}

Status check_taken(std::span<const ImageToRead> images) {
  for (const ImageToRead& each : images) {
    const TileFormat& format = each.slide->image(each.image).format;
    if (is_jpeg_for_device(format) || is_jpeg2000_for_device(format)) continue;
    return unsupported(
        "decode = 'gpu': {} of {} is {} of {} samples of {}, which no decoder of the GPU takes; "
        "decode = 'auto' decodes it on the CPU",
        each.slide->image_name(each.image), each.slide->name(), compression_name(format.compression),
        format.samples, sample_name(format.type));
  }
  return ok_status();
}

}  // namespace

/// A failure is not kept: the next call looks again.
template <class Library>
Result<std::shared_ptr<Library>> Decoders::find(std::shared_ptr<Library>& kept, const LibraryPlaces& places) {
  const std::lock_guard lock(mutex_);
  if (kept == nullptr) {
    MICROTOME_ASSIGN(kept, Library::open(gpu_->device, places));
  }
  return kept;
}

Result<Decoders::Made> Decoders::make_backend(Decode how, std::span<const ImageToRead> images,
                                              CrewOptions crew, ReadCounters* counters) {
  Made made;
  auto cpu = std::make_unique<CpuBackend>(crew, counters);
  const bool alone = how == Decode::device;
  if (alone) MICROTOME_TRY(check_taken(images));
  std::vector<std::unique_ptr<StreamBackend>> device;
  const auto add = [&](auto library) -> Status {
    if (!library.ok()) {
      const Error& error = library.error();
      if (alone || error.code != Errc::unavailable) return error;
      if (!made.lacking.empty()) made.lacking += "; ";
      made.lacking += error.message;
      return ok_status();
    }
    MICROTOME_ASSIGN(std::unique_ptr<StreamDecoder> decoder, (*library)->make_decoder(crew.threads));
    MICROTOME_ASSIGN(auto backend, StreamBackend::make(gpu_->device, gpu_->marks, std::move(decoder),
                                                       {crew, alone, counters}));
    device.push_back(std::move(backend));
    return ok_status();
  };
  if (how != Decode::exact && any_of(images, is_jpeg_for_device))
    MICROTOME_TRY(add(find(nvjpeg_, places_.nvjpeg)));
  if (how != Decode::exact && any_of(images, is_jpeg2000_for_device))
    MICROTOME_TRY(add(find(nvjpeg2k_, places_.nvjpeg2k)));
  if (device.empty()) {
    made.backend = std::move(cpu);
  } else {
    made.backend = std::make_unique<MixedBackend>(std::move(cpu), std::move(device), alone);
  }
  return made;
}

}  // namespace microtome::gpu
