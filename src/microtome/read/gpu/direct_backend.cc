#include "microtome/read/gpu/direct_backend.h"

#include <utility>

#include "microtome/base/fail.h"
#include "microtome/read/gpu/direct_reads.h"
#include "microtome/read/tile_names.h"

namespace microtome::gpu {
namespace {

// One read of a thread's at a time: the disk has its queue of all threads' reads.
size_t one_at_a_time(const JobList&, size_t) {
  return 1;
}

}  // namespace

struct DirectBackend::Work final : ListWork {
  std::shared_ptr<JobList> usual, direct;  // null: none
  bool began = false;                      // `direct`
};

DirectBackend::DirectBackend(std::unique_ptr<DecodeBackend> usual, DirectFiles files, bool strict,
                             CrewOptions crew, ReadCounters* counters, std::shared_ptr<DirectReport> report)
    : usual_(std::move(usual)),
      files_(std::move(files)),
      strict_(strict),
      counters_(counters),
      report_(std::move(report)),
      crew_(std::move(crew), &one_at_a_time,
            [this](JobList& list, size_t begin, size_t end, Worker&) { read(list, begin, end); }) {}

DirectBackend::~DirectBackend() {
  crew_.cancel();
}

std::optional<DirectRange> DirectBackend::range_of(const Slide& slide, const TileRef& ref,
                                                   const Rect& part) const {
  const auto file = files_.files.find(&slide);
  if (file == files_.files.end()) return std::nullopt;
  auto range = direct_range(*ref.format, ref.bytes, part);
  // What lies behind the file's end is in memory: io/byte_source.h, append_to_source().
  if (range && range->pages.offset + range->lead + range->bytes > file->second->size()) return std::nullopt;
  return range;
}

size_t DirectBackend::slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref,
                                 const Rect& part) {
  const auto range = range_of(slide, ref, part);
  return range ? range->slot_bytes() : usual_->slot_bytes(slide, key, ref, part);
}

Status DirectBackend::submit(std::shared_ptr<JobList> list) {
  auto work = std::make_unique<Work>();
  for (const TileJob& job : list->jobs) {
    auto& part = range_of(*job.slide, job.ref, job.tile->part) ? work->direct : work->usual;
    if (part == nullptr) part = std::make_shared<JobList>();
    part->jobs.push_back(job);
  }
  const std::shared_ptr<JobList> usual = work->usual;
  list->work = std::move(work);
  return usual != nullptr ? usual_->submit(usual) : ok_status();
}

bool DirectBackend::is_ready(const JobList& list) const {
  const Work& work = static_cast<const Work&>(*list.work);
  return work.usual == nullptr || usual_->is_ready(*work.usual);
}

/// The slots may be written: the reads begin.
Result<bool> DirectBackend::prepare(JobList& list) {
  Work& work = static_cast<Work&>(*list.work);
  if (work.direct != nullptr && !work.began) {
    work.began = true;
    MICROTOME_TRY(crew_.submit(work.direct));
  }
  bool prepared = true;
  if (work.usual != nullptr) {
    MICROTOME_ASSIGN(prepared, usual_->prepare(*work.usual));
  }
  return prepared && (work.direct == nullptr || JobCrew::is_ready(*work.direct));
}

Status DirectBackend::queue(JobList& list, const cuda::Stream& stream) {
  const Work& work = static_cast<const Work&>(*list.work);
  return work.usual != nullptr ? usual_->queue(*work.usual, stream) : ok_status();
}

void DirectBackend::finish(JobList& list) {
  const Work& work = static_cast<const Work&>(*list.work);
  if (work.usual != nullptr) usual_->finish(*work.usual);
}

bool DirectBackend::help() {
  return usual_->help() || crew_.help();
}

void DirectBackend::cancel() noexcept {
  crew_.cancel();
  usual_->cancel();
}

void DirectBackend::read(const JobList& list, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    const TileJob& job = list.jobs[i];
    SlabTile& tile = *job.tile;
    const Status status = read(job, *range_of(*job.slide, job.ref, tile.part));
    if (!status.ok()) {
      tile.verdict = strict_ ? TileVerdict::refused : TileVerdict::elsewhere;
      tile.have = job.needed;
      tile.error = Error(status.error()).with_place(place_name(*job.slide, tile.key, job.ref.bytes));
      if (!strict_) report_->lacks(tile.error.to_string());
    }
    for (ReadCounters* counters = counters_; counters != nullptr; counters = counters->total)
      (status.ok() ? counters->by_cufile : counters->cufile_failed).fetch_add(1, std::memory_order_relaxed);
  }
}

Status DirectBackend::read(const TileJob& job, const DirectRange& range) {
  constexpr uint64_t kPage = DirectRange::kPage;
  const cuda::DeviceAddress at = (job.room.address + kPage - 1) / kPage * kPage;
  SlabTile& tile = *job.tile;
  tile.on_device = true;  // whatever becomes of it, nothing is in its pinned memory
  MICROTOME_ASSIGN(const size_t got, files_.files.at(job.slide)->read(files_.buffer, at - files_.slabs,
                                                                      range.pages.offset, range.pages.size));
  if (got < range.lead + range.bytes)
    return io("file became shorter: {} of {} bytes at offset {}", got, range.lead + range.bytes,
              range.pages.offset);
  tile.slot = SlabSlot{};
  tile.slot.size = {job.ref.format->size.w, range.rows};
  tile.slot.plane[0] = at + range.lead;
  tile.slot.pitch[0] = static_cast<uint32_t>(range.pitch);
  tile.origin = {0, range.first_row};
  tile.have = tile.part;
  tile.verdict = TileVerdict::ok;
  for (ReadCounters* counters = counters_; counters != nullptr; counters = counters->total)
    counters->packed_bytes.fetch_add(range.bytes, std::memory_order_relaxed);
  return ok_status();
}

}  // namespace microtome::gpu
