// nvJPEG's engines: one call for all pictures of a list.
//
// Note [One picture fails the batch]
// The call answers for all of its pictures together. Where it names a fault of a picture, halves are tried,
// down to the picture; where it names one of the library or the device, all of them have it. After a failure
// the state is to be initialised again.
#include <algorithm>
#include <atomic>
#include <utility>

#include "microtome/read/gpu/jpeg_packer.h"
#include "microtome/read/gpu/nvjpeg.h"

namespace microtome::gpu {
namespace {

using cuda::NvjpegStatus;

// More tiles in one picture would be more than engines take of the usual ones of 256 rows.
constexpr size_t kMostJoined = 62;

/// A state for each call of a list: one that is at work is not to be used.
struct BatchedState final : DecoderState {
  struct One {
    cuda::NvjpegState handle = nullptr;
    size_t initialised = 0;  // for batches of so many; 0: not
  };

  explicit BatchedState(std::shared_ptr<Nvjpeg> of) : nvjpeg(std::move(of)) {}
  ~BatchedState() override {
    if (!nvjpeg->device().driver().is_own_process()) return;
    const cuda::CurrentDevice current(nvjpeg->device());
    if (!check_current(current).ok()) return;
    for (const One& one : states) static_cast<void>(nvjpeg->api().nvjpegJpegStateDestroy(one.handle));
  }
  void begin() override { at_work = 0; }

  NvjpegStatus make() {
    One one;
    states.reserve(states.size() + 1);
    const NvjpegStatus status = nvjpeg->api().nvjpegJpegStateCreate(nvjpeg->handle(), &one.handle);
    if (status == NvjpegStatus::success) states.push_back(one);
    return status;
  }

  const std::shared_ptr<Nvjpeg> nvjpeg;
  std::vector<One> states;
  size_t at_work = 0;  // of `states`, the first ones
};

class NvjpegBatched final : public StreamDecoder {
 public:
  explicit NvjpegBatched(std::shared_ptr<Nvjpeg> nvjpeg) : nvjpeg_(std::move(nvjpeg)) {}
  ~NvjpegBatched() override { nvjpeg_->memory().trim(); }

  bool takes(const TileFormat& format) const noexcept override { return is_jpeg_for_device(format); }

  /// As many pictures as keep all engines busy, in whole rounds.
  size_t share(size_t jobs) const noexcept override {
    if (!joins_.load(std::memory_order_relaxed)) return 1;
    const size_t engines = nvjpeg_->engines();
    const size_t pictures = (jobs + kMostJoined - 1) / kMostJoined;
    const size_t rounds = (pictures + engines - 1) / engines * engines;
    return (jobs + rounds - 1) / rounds;
  }

  std::unique_ptr<Packer> packer(const JobList& list, std::vector<Picture>& pictures) override {
    TallLimits limits;
    limits.most_tiles = joins_.load(std::memory_order_relaxed) ? kMostJoined : 1;
    return std::make_unique<JpegPacker>(list, limits, pictures);
  }

  std::vector<Picture> split(const Picture& picture) const override { return split_tall(picture); }
  void give_up_joining() noexcept override { joins_.store(false, std::memory_order_relaxed); }

  Result<std::unique_ptr<DecoderState>> make_state() override {
    auto state = std::make_unique<BatchedState>(nvjpeg_);
    const cuda::CurrentDevice current(nvjpeg_->device());
    MICROTOME_TRY(check_current(current));
    if (const NvjpegStatus status = state->make(); status != NvjpegStatus::success)
      return nvjpeg_error("nvjpegJpegStateCreate", status);
    return std::unique_ptr<DecoderState>(std::move(state));
  }

  void decode(DecoderState& state, std::span<Picture* const> pictures, const cuda::Stream& stream) override {
    const cuda::CurrentDevice current(nvjpeg_->device());
    if (const Status status = check_current(current); !status.ok()) {
      for (Picture* const picture : pictures) picture->error = status.error();
      return;
    }
    decode_some(static_cast<BatchedState&>(state), pictures, stream);
  }

 private:
  /// Note [One picture fails the batch]
  void decode_some(BatchedState& state, std::span<Picture* const> pictures, const cuda::Stream& stream) {
    if (pictures.empty()) return;
    const char* call = nullptr;
    const NvjpegStatus status = decode_all(state, pictures, stream, call);
    if (status == NvjpegStatus::success) return;
    // Where joining is what it refuses, all pictures that are joined come again as others.
    const bool all = !is_of_picture(status) || (status == NvjpegStatus::jpeg_not_supported &&
                                                std::all_of(pictures.begin(), pictures.end(),
                                                            [](const Picture* p) { return p->tiles > 1; }));
    if (pictures.size() == 1 || all) {
      for (Picture* const picture : pictures) picture->error = nvjpeg_error(call, status);
      return;
    }
    const size_t half = pictures.size() / 2;
    decode_some(state, pictures.first(half), stream);
    decode_some(state, pictures.subspan(half), stream);
  }

  NvjpegStatus decode_all(BatchedState& state, std::span<Picture* const> pictures, const cuda::Stream& stream,
                          const char*& call) {
    const cuda::NvjpegApi& api = nvjpeg_->api();
    if (state.at_work == state.states.size()) {
      call = "nvjpegJpegStateCreate";
      if (const NvjpegStatus status = state.make(); status != NvjpegStatus::success) return status;
    }
    BatchedState::One& one = state.states[state.at_work];
    if (one.initialised != pictures.size()) {
      call = "nvjpegDecodeBatchedInitialize";
      one.initialised = 0;
      const NvjpegStatus status = api.nvjpegDecodeBatchedInitialize(
          nvjpeg_->handle(), one.handle, static_cast<int>(pictures.size()), 1, cuda::NvjpegOutput::unchanged);
      if (status != NvjpegStatus::success) return status;
      one.initialised = pictures.size();
    }
    std::vector<const unsigned char*> data;
    std::vector<size_t> lengths;
    std::vector<cuda::NvjpegImage> targets;
    for (const Picture* const picture : pictures) {
      data.push_back(reinterpret_cast<const unsigned char*>(picture->bytes.data()));
      lengths.push_back(picture->bytes.size());
      targets.push_back(nvjpeg_image(*picture));
    }
    call = "nvjpegDecodeBatched";
    const NvjpegStatus status = api.nvjpegDecodeBatched(nvjpeg_->handle(), one.handle, data.data(),
                                                        lengths.data(), targets.data(), stream.get());
    if (status == NvjpegStatus::success) {
      ++state.at_work;
    } else {
      one.initialised = 0;
    }
    return status;
  }

  const std::shared_ptr<Nvjpeg> nvjpeg_;
  std::atomic<bool> joins_{true};
};

}  // namespace

Result<std::unique_ptr<StreamDecoder>> make_nvjpeg_batched(std::shared_ptr<Nvjpeg> nvjpeg) {
  return std::unique_ptr<StreamDecoder>(std::make_unique<NvjpegBatched>(std::move(nvjpeg)));
}

}  // namespace microtome::gpu
