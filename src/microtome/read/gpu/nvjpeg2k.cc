#include "microtome/read/gpu/nvjpeg2k.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/jpeg2000/header.h"

namespace microtome::gpu {
namespace {

using cuda::Nvjpeg2kStatus;

Errc code_of(Nvjpeg2kStatus status) noexcept {
  switch (status) {
    case Nvjpeg2kStatus::bad_jpeg:
      return Errc::corrupt;
    case Nvjpeg2kStatus::jpeg_not_supported:
    case Nvjpeg2kStatus::implementation_not_supported:
      return Errc::unsupported;
    case Nvjpeg2kStatus::allocator_failure:
      return Errc::out_of_memory;
    default:
      return Errc::internal;
  }
}

Status checked(const char* call, Nvjpeg2kStatus status) {
  constexpr std::array kNames = {"SUCCESS",
                                 "NOT_INITIALIZED",
                                 "INVALID_PARAMETER",
                                 "BAD_JPEG",
                                 "JPEG_NOT_SUPPORTED",
                                 "ALLOCATOR_FAILURE",
                                 "EXECUTION_FAILED",
                                 "ARCH_MISMATCH",
                                 "INTERNAL_ERROR",
                                 "IMPLEMENTATION_NOT_SUPPORTED"};
  if (status == Nvjpeg2kStatus::success) return ok_status();
  const auto number = static_cast<unsigned>(status);
  const char* const name = number < kNames.size() ? kNames[number] : "an unknown number";
  return Error{code_of(status),
               fmt::format("nvJPEG2000: {} answered NVJPEG2K_STATUS_{} ({})", call, name, number)};
}

bool is_ycbcr(const TileFormat& format) noexcept {
  return format.compression == Compression::aperio_jpeg2000_ycbcr ||
         (format.compression == Compression::jpeg2000 && format.color == Color::ycbcr);
}

/// How components are sampled, where it is a way that our kernel has. Nothing: it is not.
std::optional<jpeg::Sampling> sampling_of(const jpeg2000::Header& header) noexcept {
  const auto& c = header.components;
  if (c[0].dx != 1 || c[0].dy != 1) return std::nullopt;
  if (c.size() == 1) return jpeg::Sampling::grey;
  if (c[1].dx != c[2].dx || c[1].dy != c[2].dy || c[1].dx > 2 || c[1].dy > 2) return std::nullopt;
  constexpr jpeg::Sampling kBySteps[2][2] = {{jpeg::Sampling::s444, jpeg::Sampling::s440},
                                             {jpeg::Sampling::s422, jpeg::Sampling::s420}};
  const jpeg::Sampling sampling = kBySteps[c[1].dx - 1][c[1].dy - 1];
  // Halved rows alone our kernel filters.
  return sampling == jpeg::Sampling::s440 ? std::nullopt : std::optional(sampling);
}

struct Jpeg2kPicture final : PictureState {
  Jpeg2kPicture(std::shared_ptr<Nvjpeg2k> of, const Nvjpeg2k::Slot& taken)
      : nvjpeg2k(std::move(of)), slot(taken) {}
  ~Jpeg2kPicture() override {
    if (nvjpeg2k->device().driver().is_own_process()) nvjpeg2k->give_back(slot);
  }
  Jpeg2kPicture(const Jpeg2kPicture&) = delete;
  Jpeg2kPicture& operator=(const Jpeg2kPicture&) = delete;

  const std::shared_ptr<Nvjpeg2k> nvjpeg2k;
  const Nvjpeg2k::Slot slot;
};

/// Each tile is a picture. Headers are judged here, as the CPU path's are: NVIDIA's library leaves parts of a
/// picture as they were where a stream lacks them.
class Jpeg2kPacker final : public Packer {
 public:
  Jpeg2kPacker(const JobList& list, std::vector<Picture>& pictures) : list_(list), pictures_(pictures) {}

  Status add(size_t job, std::span<const std::byte> packed) override {
    const TileJob& of = list_.jobs[job];
    const TileFormat& format = *of.ref.format;
    MICROTOME_ASSIGN(const jpeg2000::Stream stream, jpeg2000::find_codestream(packed));
    if (stream.has_channel_boxes)
      return unsupported("a JPEG 2000 file whose boxes say what its channels are");
    MICROTOME_ASSIGN(const jpeg2000::Header header, jpeg2000::read_header(stream.codestream));
    if (header.x0 != 0 || header.y0 != 0 || int64_t{header.x1} != format.size.w ||
        int64_t{header.y1} != format.size.h)
      return unsupported("a picture of {}x{} from {},{} for a tile of {}x{}", header.x1 - header.x0,
                         header.y1 - header.y0, header.x0, header.y0, format.size.w, format.size.h);
    if (header.components.size() != format.samples)
      return unsupported("{} components for {} samples", header.components.size(), format.samples);
    for (const jpeg2000::HeaderComponent& component : header.components)
      if (component.bits != 8 || component.is_signed) return unsupported("components not of 8 bits");
    MICROTOME_TRY(jpeg2000::check_tile_parts(stream.codestream, header.tiles));
    const auto sampling = sampling_of(header);
    if (!sampling) return unsupported("components that are sampled in a rare way");
    Picture picture;
    picture.first = job;
    picture.tile = {format.size, *sampling, static_cast<uint8_t>(format.samples), {}};
    for (size_t i = 0; i < header.components.size(); ++i)
      picture.tile.plane[i] = {(format.size.w + header.components[i].dx - 1) / header.components[i].dx,
                               (format.size.h + header.components[i].dy - 1) / header.components[i].dy};
    if (picture.tile.bytes() > of.room.bytes)
      return unsupported("planes of {} bytes, where its slot has {}", picture.tile.bytes(), of.room.bytes);
    picture.ycbcr = is_ycbcr(format);
    picture.jpeg2000 = true;
    for (size_t i = 0; i < picture.tile.planes; ++i)
      picture.plane[i] = of.room.address + picture.tile.offset(i);
    if (packed.size() <= of.room.bytes) {
      std::memcpy(of.room.pinned, packed.data(), packed.size());
      picture.bytes = {of.room.pinned, packed.size()};
    } else {
      picture.own_bytes.assign(packed.begin(), packed.end());
      picture.bytes = picture.own_bytes;
    }
    pictures_.push_back(std::move(picture));
    return ok_status();
  }

  void end() override {}

 private:
  const JobList& list_;
  std::vector<Picture>& pictures_;
};

class Nvjpeg2kImages final : public StreamDecoder {
 public:
  Nvjpeg2kImages(std::shared_ptr<Nvjpeg2k> nvjpeg2k, int threads)
      : nvjpeg2k_(std::move(nvjpeg2k)), threads_(static_cast<size_t>(std::max(threads, 1))) {}

  ~Nvjpeg2kImages() override {
    if (nvjpeg2k_->device().driver().is_own_process()) nvjpeg2k_->trim();
  }

  bool takes(const TileFormat& format) const noexcept override { return is_jpeg2000_for_device(format); }

  /// Planes without any that are smaller; as pixels, but for the ends of rows.
  size_t slot_bytes(const TileFormat& format) const noexcept override {
    PlaneLayout layout{format.size, jpeg::Sampling::s444, static_cast<uint8_t>(format.samples), {}};
    layout.plane.fill(format.size);
    return layout.bytes();
  }

  size_t share(size_t jobs) const noexcept override {
    constexpr size_t kMost = 8;
    return std::min(kMost, (jobs + threads_ - 1) / threads_);
  }

  std::unique_ptr<Packer> packer(const JobList& list, std::vector<Picture>& pictures) override {
    return std::make_unique<Jpeg2kPacker>(list, pictures);
  }

  Status read(Picture& picture) override {
    const cuda::CurrentDevice current(nvjpeg2k_->device());
    MICROTOME_TRY(check_current(current));
    MICROTOME_ASSIGN(const Nvjpeg2k::Slot slot, nvjpeg2k_->take());
    auto own = std::make_unique<Jpeg2kPicture>(nvjpeg2k_, slot);
    const auto* const data = reinterpret_cast<const unsigned char*>(picture.bytes.data());
    MICROTOME_TRY(checked("nvjpeg2kStreamParse",
                          nvjpeg2k_->api().nvjpeg2kStreamParse(nvjpeg2k_->handle(), data,
                                                               picture.bytes.size(), 0, 0, slot.stream)));
    picture.state = std::move(own);
    return ok_status();
  }

  Result<std::unique_ptr<DecoderState>> make_state() override { return std::make_unique<DecoderState>(); }

  void decode(DecoderState&, std::span<Picture* const> pictures, const cuda::Stream& stream) override {
    const cuda::CurrentDevice current(nvjpeg2k_->device());
    const Status usable = check_current(current);
    for (Picture* const picture : pictures) {
      if (!usable.ok()) {
        picture->error = usable.error();
        continue;
      }
      const auto& own = static_cast<const Jpeg2kPicture&>(*picture->state);
      std::array<void*, 3> planes{};
      std::array<size_t, 3> pitches{};
      for (size_t i = 0; i < picture->tile.planes; ++i) {
        planes[i] = reinterpret_cast<void*>(picture->plane[i]);
        pitches[i] = picture->tile.pitch(i);
      }
      cuda::Nvjpeg2kImage image{planes.data(), pitches.data(), cuda::Nvjpeg2kType::u8, picture->tile.planes};
      Status status = checked("nvjpeg2kDecodeImage", nvjpeg2k_->api().nvjpeg2kDecodeImage(
                                                         nvjpeg2k_->handle(), own.slot.state, own.slot.stream,
                                                         nvjpeg2k_->params(), &image, stream.get()));
      if (!status.ok()) picture->error = std::move(status).error();
    }
  }

 private:
  const std::shared_ptr<Nvjpeg2k> nvjpeg2k_;
  const size_t threads_;
};

}  // namespace

bool is_jpeg2000_for_device(const TileFormat& format) noexcept {
  const bool jpeg2000 = format.compression == Compression::jpeg2000 ||
                        format.compression == Compression::aperio_jpeg2000_ycbcr ||
                        format.compression == Compression::aperio_jpeg2000_rgb;
  return jpeg2000 && !format.planar && format.rgb_form == nullptr && format.type == SampleType::u8 &&
         format.bits == 8 && (format.samples == 1 || format.samples == 3) &&
         (!is_ycbcr(format) || format.samples == 3);
}

Nvjpeg2k::Nvjpeg2k(std::shared_ptr<const cuda::Device> device, cuda::OpenLibrary<cuda::Nvjpeg2kApi> library)
    : device_(std::move(device)),
      library_(std::move(library)),
      memory_(device_),
      device_allocator_{LibraryMemory::allocate_device, LibraryMemory::release, &memory_},
      pinned_allocator_{LibraryMemory::allocate_pinned, LibraryMemory::release, &memory_} {}

Result<std::shared_ptr<Nvjpeg2k>> Nvjpeg2k::open(std::shared_ptr<const cuda::Device> device,
                                                 const LibraryPlaces& places) {
  MICROTOME_ASSIGN(cuda::OpenLibrary<cuda::Nvjpeg2kApi> library, cuda::open_nvjpeg2k(places));
  const std::shared_ptr<Nvjpeg2k> nvjpeg2k(new Nvjpeg2k(std::move(device), std::move(library)));
  if (Status status = nvjpeg2k->make_handle(); !status.ok()) {
    const Errc code = status.error().code == Errc::out_of_memory ? Errc::out_of_memory : Errc::unavailable;
    return Error{code, fmt::format("{} for cuda:{} {}: {} {}", status.error().message,
                                   nvjpeg2k->device_->ordinal(), nvjpeg2k->device_->info().name,
                                   nvjpeg2k->library_.path, nvjpeg2k->library_.version)};
  }
  return nvjpeg2k;
}

Status Nvjpeg2k::make_handle() {
  const cuda::CurrentDevice current(*device_);
  MICROTOME_TRY(
      checked("nvjpeg2kCreateV2", api().nvjpeg2kCreateV2(cuda::Nvjpeg2kBackend::standard, &device_allocator_,
                                                         &pinned_allocator_, &handle_)));
  MICROTOME_TRY(checked("nvjpeg2kDecodeParamsCreate", api().nvjpeg2kDecodeParamsCreate(&params_)));
  return checked("nvjpeg2kDecodeParamsSetRGBOutput", api().nvjpeg2kDecodeParamsSetRGBOutput(params_, 0));
}

Nvjpeg2k::~Nvjpeg2k() {
  if (!device_->driver().is_own_process()) return;
  trim();
  const cuda::CurrentDevice current(*device_);
  if (params_ != nullptr) static_cast<void>(api().nvjpeg2kDecodeParamsDestroy(params_));
  if (handle_ != nullptr) static_cast<void>(api().nvjpeg2kDestroy(handle_));
}

void Nvjpeg2k::trim() noexcept {
  std::vector<Slot> freed;
  {
    const std::lock_guard lock(mutex_);
    freed.swap(idle_);
  }
  {
    const cuda::CurrentDevice current(*device_);
    for (const Slot& slot : freed) destroy(slot);
  }
  memory_.trim();
}

void Nvjpeg2k::destroy(const Slot& slot) noexcept {
  if (slot.state != nullptr) static_cast<void>(api().nvjpeg2kDecodeStateDestroy(slot.state));
  if (slot.stream != nullptr) static_cast<void>(api().nvjpeg2kStreamDestroy(slot.stream));
}

Result<Nvjpeg2k::Slot> Nvjpeg2k::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      const Slot slot = idle_.back();
      idle_.pop_back();
      return slot;
    }
  }
  Slot slot;
  Status made = checked("nvjpeg2kDecodeStateCreate", api().nvjpeg2kDecodeStateCreate(handle_, &slot.state));
  if (made.ok()) made = checked("nvjpeg2kStreamCreate", api().nvjpeg2kStreamCreate(&slot.stream));
  if (made.ok()) return slot;
  destroy(slot);
  return std::move(made).error();
}

void Nvjpeg2k::give_back(const Slot& slot) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    idle_.push_back(slot);
  } catch (const std::bad_alloc&) {
    const cuda::CurrentDevice current(*device_);
    destroy(slot);
  }
}

Result<std::unique_ptr<StreamDecoder>> Nvjpeg2k::make_decoder(int threads) {
  return std::unique_ptr<StreamDecoder>(std::make_unique<Nvjpeg2kImages>(shared_from_this(), threads));
}

}  // namespace microtome::gpu
