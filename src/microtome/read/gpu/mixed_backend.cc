#include "microtome/read/gpu/mixed_backend.h"

#include <algorithm>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/decode_tile.h"
#include "microtome/read/gpu/steps.h"
#include "microtome/read/tile_names.h"

namespace microtome::gpu {
namespace {

/// Whether a tile's slot has all of it: the device's decoders know no parts.
bool is_whole(const Slide& slide, const TileKey& key, const Rect& part) {
  return part == slide.image(static_cast<int>(key.image)).shown(key.col, key.row);
}

}  // namespace

struct MixedBackend::Work final : ListWork {
  std::vector<std::shared_ptr<JobList>> parts;  // for each backend; null: nothing
};

/// count() - 1 is the CPU.
size_t MixedBackend::backend_for(const TileFormat& format) const noexcept {
  size_t number = 0;
  while (number < device_.size() && !device_[number]->decoder().takes(format)) ++number;
  return number;
}

size_t MixedBackend::slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref,
                                const Rect& part) {
  const size_t usual = cpu_->slot_bytes(slide, key, ref, part);
  const size_t number = backend_for(*ref.format);
  if (number == device_.size() || !is_whole(slide, key, part)) return usual;
  // At the picture's edges less is shown than there is.
  const size_t planes = device_[number]->decoder().slot_bytes(*ref.format);
  return std::max({usual, planes, cpu_->plane_bytes(slide, key, ref)});
}

Status MixedBackend::submit(std::shared_ptr<JobList> list) {
  auto work = std::make_unique<Work>();
  work->parts.resize(count());
  for (const TileJob& job : list->jobs) {
    size_t number = backend_for(*job.ref.format);
    if (number < device_.size() && !is_whole(*job.slide, job.tile->key, job.tile->part))
      number = device_.size();
    if (number == device_.size() && alone_) {
      job.tile->verdict = TileVerdict::refused;
      job.tile->have = job.needed;
      job.tile->error = unsupported("{} of this kind or size is decoded by no decoder of the GPU",
                                    compression_name(job.ref.format->compression))
                            .with_place(place_name(*job.slide, job.tile->key, job.ref.bytes));
      continue;
    }
    auto& part = work->parts[number];
    if (part == nullptr) part = std::make_shared<JobList>();
    part->jobs.push_back(job);
  }
  const auto parts = work->parts;
  list->work = std::move(work);
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i] != nullptr) MICROTOME_TRY(backend(i).submit(parts[i]));
  return ok_status();
}

bool MixedBackend::is_ready(const JobList& list) const {
  const Work& work = static_cast<const Work&>(*list.work);
  for (size_t i = 0; i < work.parts.size(); ++i)
    if (work.parts[i] != nullptr && !backend(i).is_ready(*work.parts[i])) return false;
  return true;
}

Result<bool> MixedBackend::prepare(JobList& list) {
  const Work& work = static_cast<const Work&>(*list.work);
  bool all = true;
  for (size_t i = 0; i < work.parts.size(); ++i) {
    if (work.parts[i] == nullptr) continue;
    MICROTOME_ASSIGN(const bool prepared, backend(i).prepare(*work.parts[i]));
    all = all && prepared;
  }
  return all;
}

Status MixedBackend::queue(JobList& list, const cuda::Stream& stream) {
  const Work& work = static_cast<const Work&>(*list.work);
  for (size_t i = 0; i < work.parts.size(); ++i)
    if (work.parts[i] != nullptr) MICROTOME_TRY(backend(i).queue(*work.parts[i], stream));
  return ok_status();
}

void MixedBackend::finish(JobList& list) {
  const Work& work = static_cast<const Work&>(*list.work);
  for (size_t i = 0; i < work.parts.size(); ++i)
    if (work.parts[i] != nullptr) backend(i).finish(*work.parts[i]);
}

bool MixedBackend::help() {
  for (size_t i = 0; i < count(); ++i)
    if (backend(i).help()) return true;
  return false;
}

void MixedBackend::cancel() noexcept {
  for (size_t i = 0; i < count(); ++i) backend(i).cancel();
}

}  // namespace microtome::gpu
