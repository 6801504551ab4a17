// nvJPEG without engines: each picture by itself, Huffman codes by the executor's threads, the transform on
// the device.
//
// Note [Who decodes Huffman codes]
// Of large pictures the device, where it takes them; of others the host. NVIDIA's own dispatcher has the same
// line, at a million pixels: joined tiles are above it.
#include <algorithm>
#include <array>
#include <mutex>
#include <utility>
#include <vector>

#include "microtome/read/gpu/jpeg_packer.h"
#include "microtome/read/gpu/nvjpeg.h"

namespace microtome::gpu {
namespace {

using cuda::NvjpegBackend;
using cuda::NvjpegStatus;

constexpr size_t kMostJoined = 62;
constexpr int64_t kLargePicture = 1 << 20;  // pixels
constexpr int kPicturesPerThread = 2;

constexpr std::array kWays = {NvjpegBackend::hybrid, NvjpegBackend::gpu_hybrid};

/// What one picture needs from its host part until the device is done with it.
struct Slot {
  cuda::NvjpegState state = nullptr;
  cuda::NvjpegStream stream = nullptr;
  cuda::NvjpegPinnedBuffer pinned = nullptr;
  cuda::NvjpegDeviceBuffer device = nullptr;
};

/// nvJPEG's objects of one decoder, and slots that no picture has. Thread-safe.
class Slots {
 public:
  explicit Slots(std::shared_ptr<Nvjpeg> nvjpeg) : nvjpeg_(std::move(nvjpeg)) {}
  ~Slots();
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  Status open();
  Result<Slot> take(size_t way);
  void give_back(size_t way, const Slot& slot) noexcept;

  Nvjpeg& nvjpeg() const noexcept { return *nvjpeg_; }
  cuda::NvjpegDecoder decoder(size_t way) const noexcept { return decoders_[way]; }
  cuda::NvjpegParams params() const noexcept { return params_; }

 private:
  Status make(size_t way, Slot& slot);
  void destroy(const Slot& slot) noexcept;

  const std::shared_ptr<Nvjpeg> nvjpeg_;
  std::array<cuda::NvjpegDecoder, kWays.size()> decoders_{};  // null: the library has not got it
  cuda::NvjpegParams params_ = nullptr;
  std::mutex mutex_;
  std::array<std::vector<Slot>, kWays.size()> idle_;
};

Status checked(const char* call, NvjpegStatus status) {
  if (status == NvjpegStatus::success) return ok_status();
  return nvjpeg_error(call, status);
}

Status Slots::open() {
  const cuda::CurrentDevice current(nvjpeg_->device());
  MICROTOME_TRY(check_current(current));
  const cuda::NvjpegApi& api = nvjpeg_->api();
  MICROTOME_TRY(
      checked("nvjpegDecodeParamsCreate", api.nvjpegDecodeParamsCreate(nvjpeg_->handle(), &params_)));
  MICROTOME_TRY(checked("nvjpegDecodeParamsSetOutputFormat",
                        api.nvjpegDecodeParamsSetOutputFormat(params_, cuda::NvjpegOutput::unchanged)));
  for (size_t way = 0; way < kWays.size(); ++way) {
    const NvjpegStatus status = api.nvjpegDecoderCreate(nvjpeg_->handle(), kWays[way], &decoders_[way]);
    if (status != NvjpegStatus::success) decoders_[way] = nullptr;
    if (way == 0) MICROTOME_TRY(checked("nvjpegDecoderCreate", status));
  }
  return ok_status();
}

Slots::~Slots() {
  if (!nvjpeg_->device().driver().is_own_process()) return;
  {
    const cuda::CurrentDevice current(nvjpeg_->device());
    for (const auto& slots : idle_)
      for (const Slot& slot : slots) destroy(slot);
    for (const cuda::NvjpegDecoder decoder : decoders_)
      if (decoder != nullptr) static_cast<void>(nvjpeg_->api().nvjpegDecoderDestroy(decoder));
    if (params_ != nullptr) static_cast<void>(nvjpeg_->api().nvjpegDecodeParamsDestroy(params_));
  }
  nvjpeg_->memory().trim();
}

void Slots::destroy(const Slot& slot) noexcept {
  const cuda::NvjpegApi& api = nvjpeg_->api();
  if (slot.state != nullptr) static_cast<void>(api.nvjpegJpegStateDestroy(slot.state));
  if (slot.stream != nullptr) static_cast<void>(api.nvjpegJpegStreamDestroy(slot.stream));
  if (slot.pinned != nullptr) static_cast<void>(api.nvjpegBufferPinnedDestroy(slot.pinned));
  if (slot.device != nullptr) static_cast<void>(api.nvjpegBufferDeviceDestroy(slot.device));
}

Status Slots::make(size_t way, Slot& slot) {
  const cuda::NvjpegApi& api = nvjpeg_->api();
  const cuda::NvjpegHandle handle = nvjpeg_->handle();
  MICROTOME_TRY(
      checked("nvjpegDecoderStateCreate", api.nvjpegDecoderStateCreate(handle, decoders_[way], &slot.state)));
  MICROTOME_TRY(checked("nvjpegJpegStreamCreate", api.nvjpegJpegStreamCreate(handle, &slot.stream)));
  MICROTOME_TRY(checked("nvjpegBufferPinnedCreateV2",
                        api.nvjpegBufferPinnedCreateV2(handle, &nvjpeg_->pinned_allocator(), &slot.pinned)));
  MICROTOME_TRY(checked("nvjpegBufferDeviceCreateV2",
                        api.nvjpegBufferDeviceCreateV2(handle, &nvjpeg_->device_allocator(), &slot.device)));
  MICROTOME_TRY(
      checked("nvjpegStateAttachPinnedBuffer", api.nvjpegStateAttachPinnedBuffer(slot.state, slot.pinned)));
  return checked("nvjpegStateAttachDeviceBuffer", api.nvjpegStateAttachDeviceBuffer(slot.state, slot.device));
}

/// With the device current.
Result<Slot> Slots::take(size_t way) {
  {
    const std::lock_guard lock(mutex_);
    auto& idle = idle_[way];
    if (!idle.empty()) {
      const Slot slot = idle.back();
      idle.pop_back();
      return slot;
    }
  }
  Slot slot;
  if (Status status = make(way, slot); !status.ok()) {
    destroy(slot);
    return std::move(status).error();
  }
  return slot;
}

void Slots::give_back(size_t way, const Slot& slot) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    idle_[way].push_back(slot);
  } catch (const std::bad_alloc&) {
    const cuda::CurrentDevice current(nvjpeg_->device());
    destroy(slot);
  }
}

struct DecoupledPicture final : PictureState {
  DecoupledPicture(std::shared_ptr<Slots> of, size_t by, const Slot& taken)
      : slots(std::move(of)), way(by), slot(taken) {}
  ~DecoupledPicture() override {
    if (slots->nvjpeg().device().driver().is_own_process()) slots->give_back(way, slot);
  }
  DecoupledPicture(const DecoupledPicture&) = delete;
  DecoupledPicture& operator=(const DecoupledPicture&) = delete;

  const std::shared_ptr<Slots> slots;
  const size_t way;
  const Slot slot;
};

class NvjpegDecoupled final : public StreamDecoder {
 public:
  NvjpegDecoupled(std::shared_ptr<Slots> slots, int threads)
      : slots_(std::move(slots)),
        pictures_at_once_(static_cast<size_t>(std::max(1, threads)) * kPicturesPerThread) {}

  bool takes(const TileFormat& format) const noexcept override { return is_jpeg_for_device(format); }

  size_t share(size_t jobs) const noexcept override {
    return std::clamp<size_t>((jobs + pictures_at_once_ - 1) / pictures_at_once_, 1, kMostJoined);
  }

  std::unique_ptr<Packer> packer(const JobList& list, std::vector<Picture>& pictures) override {
    TallLimits limits;
    limits.most_tiles = kMostJoined;
    return std::make_unique<JpegPacker>(list, limits, pictures);
  }

  std::vector<Picture> split(const Picture& picture) const override { return split_tall(picture); }

  Status read(Picture& picture) override {
    const Nvjpeg& nvjpeg = slots_->nvjpeg();
    const cuda::CurrentDevice current(nvjpeg.device());
    MICROTOME_TRY(check_current(current));
    const int64_t pixels = picture.tile.size.w * picture.tile.size.h * static_cast<int64_t>(picture.tiles);
    if (pixels >= kLargePicture && slots_->decoder(1) != nullptr) {
      MICROTOME_ASSIGN(const bool taken, read_by(picture, 1));
      if (taken) return ok_status();
    }
    MICROTOME_ASSIGN(const bool taken, read_by(picture, 0));
    if (taken) return ok_status();
    return nvjpeg_error("nvjpegDecoderJpegSupported", NvjpegStatus::jpeg_not_supported);
  }

  Result<std::unique_ptr<DecoderState>> make_state() override { return std::make_unique<DecoderState>(); }

  void decode(DecoderState&, std::span<Picture* const> pictures, const cuda::Stream& stream) override {
    const Nvjpeg& nvjpeg = slots_->nvjpeg();
    const cuda::NvjpegApi& api = nvjpeg.api();
    const cuda::CurrentDevice current(nvjpeg.device());
    const Status usable = check_current(current);
    for (Picture* const picture : pictures) {
      if (!usable.ok()) {
        picture->error = usable.error();
        continue;
      }
      const auto& own = static_cast<const DecoupledPicture&>(*picture->state);
      const cuda::NvjpegDecoder decoder = slots_->decoder(own.way);
      NvjpegStatus status = api.nvjpegDecodeJpegTransferToDevice(nvjpeg.handle(), decoder, own.slot.state,
                                                                 own.slot.stream, stream.get());
      if (status != NvjpegStatus::success) {
        picture->error = nvjpeg_error("nvjpegDecodeJpegTransferToDevice", status);
        continue;
      }
      cuda::NvjpegImage image = nvjpeg_image(*picture);
      status = api.nvjpegDecodeJpegDevice(nvjpeg.handle(), decoder, own.slot.state, &image, stream.get());
      if (status != NvjpegStatus::success) picture->error = nvjpeg_error("nvjpegDecodeJpegDevice", status);
    }
  }

 private:
  /// False: that decoder does not take it.
  Result<bool> read_by(Picture& picture, size_t way) {
    const Nvjpeg& nvjpeg = slots_->nvjpeg();
    const cuda::NvjpegApi& api = nvjpeg.api();
    MICROTOME_ASSIGN(const Slot slot, slots_->take(way));
    auto own = std::make_unique<DecoupledPicture>(slots_, way, slot);
    const auto* const data = reinterpret_cast<const unsigned char*>(picture.bytes.data());
    MICROTOME_TRY(
        checked("nvjpegJpegStreamParse",
                api.nvjpegJpegStreamParse(nvjpeg.handle(), data, picture.bytes.size(), 0, 0, slot.stream)));
    int no = 0;
    MICROTOME_TRY(
        checked("nvjpegDecoderJpegSupported",
                api.nvjpegDecoderJpegSupported(slots_->decoder(way), slot.stream, slots_->params(), &no)));
    if (no != 0) return false;
    MICROTOME_TRY(
        checked("nvjpegDecodeJpegHost", api.nvjpegDecodeJpegHost(nvjpeg.handle(), slots_->decoder(way),
                                                                 slot.state, slots_->params(), slot.stream)));
    picture.state = std::move(own);
    return true;
  }

  const std::shared_ptr<Slots> slots_;
  const size_t pictures_at_once_;
};

}  // namespace

Result<std::unique_ptr<StreamDecoder>> make_nvjpeg_decoupled(std::shared_ptr<Nvjpeg> nvjpeg, int threads) {
  auto slots = std::make_shared<Slots>(std::move(nvjpeg));
  MICROTOME_TRY(slots->open());
  return std::unique_ptr<StreamDecoder>(std::make_unique<NvjpegDecoupled>(std::move(slots), threads));
}

}  // namespace microtome::gpu
