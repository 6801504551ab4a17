// The backend of decoders on the device: tiles' bytes are packed by the executor's threads, decoded there,
// looked after.
//
// One for each library (stream_decoder.h). What a decoder does not decode the CPU does, or, where that is not
// wanted, is refused with the decoder's words.
//
// Note [Written or not]
// Decoders on some GPUs do not wait for what their stream was given before, and now and then say that a
// picture is decoded and write nothing. So a slot gets a mark first (marks.h); the decoder is called when the
// host has seen that done, as it has seen the slot's last readers done before; and a mark that is still there
// when the step is done makes the tile one that the pipeline decodes by itself. That decoding ends before
// what the stream is given next begins is what they do keep to.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "microtome/read/gpu/backend.h"
#include "microtome/read/gpu/job_crew.h"
#include "microtome/read/gpu/marks.h"
#include "microtome/read/gpu/stream_decoder.h"
#include "microtome/read/read_options.h"

namespace microtome::gpu {

struct StreamBackendOptions {
  CrewOptions crew;
  /// A tile that the decoder does not decode is its error; else it is the pipeline's to decode.
  bool alone = false;
  ReadCounters* counters = nullptr;  ///< unowned: outlives the backend. May be null.
};

class StreamBackend final : public DecodeBackend {
 public:
  /// Errors: the device's.
  static Result<std::unique_ptr<StreamBackend>> make(std::shared_ptr<const cuda::Device> device,
                                                     const MarkKernels& marks,
                                                     std::unique_ptr<StreamDecoder> decoder,
                                                     StreamBackendOptions options);
  ~StreamBackend() override;

  const StreamDecoder& decoder() const noexcept { return *decoder_; }

  /// Its tiles have the slots that the CPU's have.
  size_t slot_bytes(const Slide& slide, const TileKey& key, const TileRef& ref, const Rect& part) override;
  Status submit(std::shared_ptr<JobList> list) override;
  bool is_ready(const JobList& list) const override { return JobCrew::is_ready(list); }
  Result<bool> prepare(JobList& list) override;
  Status queue(JobList& list, const cuda::Stream& stream) override;
  void finish(JobList& list) override;
  bool help() override { return crew_->help(); }
  void cancel() noexcept override;

 private:
  struct Flight;
  struct Work;

  StreamBackend(std::shared_ptr<const cuda::Device> device, const MarkKernels& marks,
                std::unique_ptr<StreamDecoder> decoder, StreamBackendOptions options);
  void pack(JobList& list, size_t begin, size_t end, Worker& worker);
  void read(JobList& list, std::vector<Picture>& pictures);
  Result<std::unique_ptr<Flight>> take_flight(size_t tiles);
  void decode(JobList& list, Work& work);
  void place(JobList& list, const Picture& picture);
  void turn_away(const TileJob& job, Error error);

  const std::shared_ptr<const cuda::Device> device_;
  const MarkKernels& marks_;
  const StreamBackendOptions options_;
  cuda::Stream stream_;
  std::unique_ptr<StreamDecoder> decoder_;
  std::vector<std::unique_ptr<Flight>> idle_;
  bool is_used_ = false;           // the stream
  std::unique_ptr<JobCrew> crew_;  // last: goes first, waiting for its threads
};

}  // namespace microtome::gpu
