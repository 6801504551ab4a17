#include "microtome/read/gpu/stream_backend.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "microtome/read/fetch_tile.h"
#include "microtome/read/gpu/decode_tile.h"
#include "microtome/read/tile_names.h"

namespace microtome::gpu {
namespace {

void count(ReadCounters* counters, std::atomic<uint64_t> ReadCounters::*what, uint64_t tiles) {
  for (; counters != nullptr; counters = counters->total)
    (counters->*what).fetch_add(tiles, std::memory_order_relaxed);
}

}  // namespace

/// What a list that the device works on has to itself.
struct StreamBackend::Flight {
  std::unique_ptr<DecoderState> state;
  cuda::Event marked, decoded;
  cuda::PinnedMemory memory;  // of marks, then of their answers
  size_t most = 0;            // of either

  Mark* marks() const noexcept { return reinterpret_cast<Mark*>(memory.data()); }
  uint8_t* answers() const noexcept {
    return reinterpret_cast<uint8_t*>(memory.data() + most * sizeof(Mark));
  }
};

struct StreamBackend::Work final : ListWork {
  std::mutex mutex;  // of pictures, while they are packed
  std::vector<Picture> pictures;
  std::vector<Picture> refused;  // of several tiles, which came again as others
  std::unique_ptr<Flight> flight;
  std::vector<SlabTile*> marked;  // by number of mark; unowned: the list's
};

StreamBackend::StreamBackend(std::shared_ptr<const cuda::Device> device, const MarkKernels& marks,
                             std::unique_ptr<StreamDecoder> decoder, StreamBackendOptions options)
    : device_(std::move(device)),
      marks_(marks),
      options_(std::move(options)),
      decoder_(std::move(decoder)),
      crew_(std::make_unique<JobCrew>(
          options_.crew, [](const JobList& list, size_t) { return list.share; },
          [this](JobList& list, size_t begin, size_t end, Worker& worker) {
            pack(list, begin, end, worker);
          })) {}

Result<std::unique_ptr<StreamBackend>> StreamBackend::make(std::shared_ptr<const cuda::Device> device,
                                                           const MarkKernels& marks,
                                                           std::unique_ptr<StreamDecoder> decoder,
                                                           StreamBackendOptions options) {
  std::unique_ptr<StreamBackend> backend(
      new StreamBackend(std::move(device), marks, std::move(decoder), std::move(options)));
  MICROTOME_ASSIGN(backend->stream_, backend->device_->make_stream());
  return backend;
}

StreamBackend::~StreamBackend() {
  cancel();
}

void StreamBackend::cancel() noexcept {
  crew_->cancel();
  // Errors are those of a device that is lost.
  if (std::exchange(is_used_, false)) static_cast<void>(device_->synchronize(stream_));
}

size_t StreamBackend::slot_bytes(const Slide&, const TileKey&, const TileRef& ref, const Rect& part) {
  return pixel_slot_bytes(*ref.format, part.size());
}

Status StreamBackend::submit(std::shared_ptr<JobList> list) {
  list->share = std::max<size_t>(1, decoder_->share(list->jobs.size()));
  list->work = std::make_unique<Work>();
  // Of those that are turned away too: planes of a tall picture may lie in their slots.
  for (const TileJob& job : list->jobs) job.tile->on_device = true;
  return crew_->submit(std::move(list));
}

/// The tile is not decoded on the device.
void StreamBackend::turn_away(const TileJob& job, Error error) {
  SlabTile& tile = *job.tile;
  tile.have = job.needed;
  if (!options_.alone) {
    tile.verdict = TileVerdict::elsewhere;
    count(options_.counters, &ReadCounters::left, 1);
    return;
  }
  tile.verdict = TileVerdict::refused;
  tile.error = std::move(error).with_place(place_name(*job.slide, tile.key, job.ref.bytes));
}

void StreamBackend::pack(JobList& list, size_t begin, size_t end, Worker& worker) {
  std::vector<Picture> pictures;
  std::vector<ByteRange> next;
  const auto packer = decoder_->packer(list, pictures);
  uint64_t packed_bytes = 0;
  for (size_t i = begin; i < end; ++i) {
    const TileJob& job = list.jobs[i];
    next.clear();
    for (size_t j = i + 1; j < end && list.jobs[j].slide == job.slide; ++j)
      next.push_back(list.jobs[j].ref.bytes);
    const auto packed = fetch_tile(worker, *job.slide, job.tile->key, job.ref, next, packed_bytes);
    if (!packed.ok()) {
      job.tile->have = job.needed;
      job.tile->error =
          Error(packed.error()).with_place(place_name(*job.slide, job.tile->key, job.ref.bytes));
      continue;
    }
    Status added = packer->add(i, *packed);
    if (added.ok()) continue;
    if (options_.alone) {
      turn_away(job, std::move(added).error());
      continue;
    }
    // Its slot is no part of a picture: the CPU's pixels go up there.
    count(options_.counters, &ReadCounters::left, 1);
    packed_bytes -= packed->size();  // which are counted again
    job.tile->on_device = false;
    decode_tile(job, worker, next, options_.counters);
  }
  packer->end();
  count(options_.counters, &ReadCounters::packed_bytes, packed_bytes);
  read(list, pictures);
  Work& work = static_cast<Work&>(*list.work);
  const std::lock_guard lock(work.mutex);
  std::move(pictures.begin(), pictures.end(), std::back_inserter(work.pictures));
}

/// The host's part of pictures; those that are refused are gone afterwards.
void StreamBackend::read(JobList& list, std::vector<Picture>& pictures) {
  std::vector<Picture> good;
  good.reserve(pictures.size());
  for (Picture& picture : pictures) {
    Status status = decoder_->read(picture);
    if (status.ok()) {
      good.push_back(std::move(picture));
      continue;
    }
    std::vector<Picture> single = picture.tiles > 1 ? decoder_->split(picture) : std::vector<Picture>();
    if (single.empty())
      for (size_t i = 0; i < picture.tiles; ++i) turn_away(list.jobs[picture.first + i], status.error());
    read(list, single);
    std::move(single.begin(), single.end(), std::back_inserter(good));
  }
  pictures = std::move(good);
}

Result<std::unique_ptr<StreamBackend::Flight>> StreamBackend::take_flight(size_t tiles) {
  std::unique_ptr<Flight> flight;
  if (idle_.empty()) {
    flight = std::make_unique<Flight>();
    MICROTOME_ASSIGN(flight->marked, device_->make_event());
    MICROTOME_ASSIGN(flight->decoded, device_->make_event());
    MICROTOME_ASSIGN(flight->state, decoder_->make_state());
  } else {
    flight = std::move(idle_.back());
    idle_.pop_back();
  }
  flight->state->begin();
  if (flight->most < tiles) {
    constexpr size_t kStep = 256;
    const size_t most = (tiles + kStep - 1) / kStep * kStep;
    MICROTOME_ASSIGN(flight->memory, device_->allocate_pinned(most * (sizeof(Mark) + 1)));
    flight->most = most;
  }
  return flight;
}

/// Note [Written or not]: marks first, and the host sees them set.
Result<bool> StreamBackend::prepare(JobList& list) {
  Work& work = static_cast<Work&>(*list.work);
  if (work.flight != nullptr) return device_->is_done(work.flight->marked);
  if (work.pictures.empty()) return true;
  std::sort(work.pictures.begin(), work.pictures.end(),
            [](const Picture& a, const Picture& b) { return a.first < b.first; });
  size_t tiles = 0;
  for (const Picture& picture : work.pictures) tiles += picture.tiles;
  MICROTOME_ASSIGN(work.flight, take_flight(tiles));
  Mark* mark = work.flight->marks();
  for (const Picture& picture : work.pictures) {
    const Size plane = picture.tile.plane[0];
    for (size_t i = 0; i < picture.tiles; ++i) {
      *mark++ = {picture.plane_of(i, 0) + picture.tile.pitch(0) * static_cast<size_t>(plane.h - 1),
                 static_cast<uint32_t>(std::min<int64_t>(plane.w, kMarkBytes)), 0};
      work.marked.push_back(list.jobs[picture.first + i].tile.get());
    }
  }
  is_used_ = true;
  MICROTOME_TRY(marks_.set(work.flight->marks(), tiles, stream_));
  MICROTOME_TRY(device_->record(work.flight->marked, stream_));
  return false;
}

/// A picture of several tiles that is refused comes again as one for each.
void StreamBackend::decode(JobList& list, Work& work) {
  std::vector<Picture*> pictures;
  for (Picture& picture : work.pictures) pictures.push_back(&picture);
  decoder_->decode(*work.flight->state, pictures, stream_);
  std::vector<Picture> single;
  bool joining_is_refused = false;
  for (Picture& picture : work.pictures) {
    if (!picture.error || picture.tiles == 1) continue;
    joining_is_refused = joining_is_refused || picture.error->code == Errc::unsupported;
    std::vector<Picture> split = decoder_->split(picture);
    read(list, split);
    std::move(split.begin(), split.end(), std::back_inserter(single));
  }
  if (!single.empty()) {
    pictures.clear();
    for (Picture& picture : single) pictures.push_back(&picture);
    decoder_->decode(*work.flight->state, pictures, stream_);
    const auto decoded = [](const Picture& picture) { return !picture.error; };
    if (joining_is_refused && std::all_of(single.begin(), single.end(), decoded)) decoder_->give_up_joining();
  }
  // What was refused may be on its way in part: its memory stays until the step is done.
  const auto kept =
      std::stable_partition(work.pictures.begin(), work.pictures.end(),
                            [](const Picture& picture) { return !picture.error || picture.tiles == 1; });
  std::move(kept, work.pictures.end(), std::back_inserter(work.refused));
  work.pictures.erase(kept, work.pictures.end());
  std::move(single.begin(), single.end(), std::back_inserter(work.pictures));
}

/// Where the tiles of a picture are, or that they are not.
void StreamBackend::place(JobList& list, const Picture& picture) {
  const PlaneLayout& layout = picture.tile;
  for (size_t i = 0; i < picture.tiles; ++i) {
    const TileJob& job = list.jobs[picture.first + i];
    SlabTile& tile = *job.tile;
    if (picture.error) {
      turn_away(job, *picture.error);
      continue;
    }
    tile.slot = SlabSlot{};
    tile.slot.size = layout.size;
    tile.slot.planes = true;
    tile.slot.ycbcr = picture.ycbcr;
    tile.slot.jpeg2000 = picture.jpeg2000;
    tile.slot.sampling = layout.sampling;
    for (size_t plane = 0; plane < layout.planes; ++plane) {
      tile.slot.plane[plane] = picture.plane_of(i, plane);
      tile.slot.pitch[plane] = static_cast<uint32_t>(layout.pitch(plane));
    }
    tile.origin = {0, 0};
    tile.have = tile.part;
    tile.verdict = TileVerdict::ok;
    count(options_.counters, &ReadCounters::decoded, 1);
    count(options_.counters, &ReadCounters::device, 1);
  }
}

Status StreamBackend::queue(JobList& list, const cuda::Stream& stream) {
  Work& work = static_cast<Work&>(*list.work);
  if (work.pictures.empty()) return ok_status();
  decode(list, work);
  for (const Picture& picture : work.pictures) place(list, picture);
  MICROTOME_TRY(marks_.look(work.flight->marks(), work.marked.size(), work.flight->answers(), stream_));
  MICROTOME_TRY(device_->record(work.flight->decoded, stream_));
  return device_->wait(stream, work.flight->decoded);
}

void StreamBackend::finish(JobList& list) {
  Work& work = static_cast<Work&>(*list.work);
  if (work.flight == nullptr) return;
  for (size_t i = 0; i < work.marked.size(); ++i) {
    SlabTile& tile = *work.marked[i];
    if (work.flight->answers()[i] == 0 || tile.verdict != TileVerdict::ok) continue;
    tile.verdict = TileVerdict::elsewhere;
    count(options_.counters, &ReadCounters::left, 1);
  }
  work.pictures.clear();
  work.refused.clear();
  idle_.push_back(std::move(work.flight));
}

}  // namespace microtome::gpu
