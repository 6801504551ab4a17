// A backend of several: each tile goes to the first of the device's decoders that takes it, the others to the
// CPU.
//
// What goes where depends on a tile's format and size alone, never on timing or load.
#pragma once

#include <memory>
#include <vector>

#include "microtome/read/gpu/cpu_backend.h"
#include "microtome/read/gpu/stream_backend.h"

namespace microtome::gpu {

class MixedBackend final : public DecodeBackend {
 public:
  /// `alone`: what no decoder of the device takes is refused.
  MixedBackend(std::unique_ptr<CpuBackend> cpu, std::vector<std::unique_ptr<StreamBackend>> device,
               bool alone)
      : cpu_(std::move(cpu)), device_(std::move(device)), alone_(alone) {}

  size_t slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) override;
  Status submit(std::shared_ptr<JobList> list) override;
  bool is_ready(const JobList& list) const override;
  Result<bool> prepare(JobList& list) override;
  Status queue(JobList& list, const cuda::Stream& stream) override;
  void finish(JobList& list) override;
  bool help() override;
  void cancel() noexcept override;

 private:
  struct Work;

  size_t count() const noexcept { return device_.size() + 1; }
  DecodeBackend& backend(size_t number) const noexcept {
    return number < device_.size() ? static_cast<DecodeBackend&>(*device_[number]) : *cpu_;
  }
  size_t backend_for(const TileFormat& format) const noexcept;

  std::unique_ptr<CpuBackend> cpu_;
  std::vector<std::unique_ptr<StreamBackend>> device_;
  const bool alone_;
};

}  // namespace microtome::gpu
