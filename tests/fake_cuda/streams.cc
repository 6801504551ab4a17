// The fake driver: streams, each a thread with delays of its own, and events.
#include "tests/fake_cuda/streams.h"

#include <chrono>
#include <thread>

namespace fake {
namespace {

using microtome::cuda::Completion;
using microtome::cuda::EventHandle;
using microtome::cuda::EventObject;
using microtome::cuda::Operation;
using microtome::cuda::StreamHandle;
using microtome::cuda::StreamObject;

/// Before an operation is done: what it has seen, and whether its bytes are free to touch.
void account(StreamObject& stream, const Operation& operation) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  stream.clock.join(operation.given_after);
  stream.clock.advance(stream.actor);
  for (const Access& access : operation.accesses)
    s.races.touch(operation.name, stream.actor, stream.clock, access);
}

thread_local const Running* the_running = nullptr;

void host_has_seen(const Clock& clock) {
  const std::lock_guard lock(state().mutex);
  state().host.join(clock);
}

void run(const std::shared_ptr<StreamObject>& stream) {
  std::unique_lock lock(stream->mutex);
  for (;;) {
    stream->changed.wait(lock, [&] { return !stream->queue.empty() || stream->closing; });
    if (stream->queue.empty()) return;  // closed, and all is done
    const Operation operation = std::move(stream->queue.front());
    stream->queue.pop_front();
    stream->busy = true;
    const auto delay = stream->longest_delay_us ? stream->random() % (stream->longest_delay_us + 1) : 0;
    lock.unlock();
    if (delay) std::this_thread::sleep_for(std::chrono::microseconds(delay));
    account(*stream, operation);
    const Running now{stream.get(), operation.name};
    the_running = &now;
    operation.work();
    the_running = nullptr;
    lock.lock();
    stream->busy = false;
    stream->changed.notify_all();
  }
}

std::shared_ptr<StreamObject> alive(StreamHandle handle) {
  const std::lock_guard lock(state().mutex);
  const auto found = state().streams.find(handle);
  return found == state().streams.end() ? nullptr : found->second;
}

void wait_until_idle(StreamObject& stream) {
  std::unique_lock lock(stream.mutex);
  stream.changed.wait(lock, [&] { return stream.queue.empty() && !stream.busy; });
  lock.unlock();
  host_has_seen(stream.clock);
}

/// What the event was recorded as last. {status, null} for one that is not alive or never was recorded.
std::pair<DriverStatus, std::shared_ptr<Completion>> recorded(EventHandle handle) {
  const std::lock_guard lock(state().mutex);
  const auto found = state().events.find(handle);
  if (found == state().events.end()) return {kInvalidHandle, nullptr};
  return {DriverStatus::success, found->second->recorded};
}

void wait_until_done(Completion& completion) {
  std::unique_lock lock(completion.mutex);
  completion.changed.wait(lock, [&] { return completion.done; });
}

}  // namespace

const Running* running() {
  return the_running;
}

DriverStatus enqueue(StreamHandle handle, int device, Operation operation) {
  const auto stream = alive(handle);
  if (!stream) return kInvalidHandle;
  if (stream->device != device) {
    const std::lock_guard lock(state().mutex);
    ++state().report.foreign_calls;
    return kInvalidHandle;
  }
  {
    const std::lock_guard lock(state().mutex);
    operation.given_after = state().host;
  }
  const std::lock_guard lock(stream->mutex);
  stream->queue.push_back(std::move(operation));
  stream->changed.notify_all();
  return DriverStatus::success;
}

void wait_for_stream(StreamHandle handle) {
  if (const auto stream = alive(handle)) wait_until_idle(*stream);
}

void wait_for_device(int device) {
  std::vector<std::shared_ptr<StreamObject>> streams;
  {
    const std::lock_guard lock(state().mutex);
    for (const auto& [handle, stream] : state().streams)
      if (stream->device == device) streams.push_back(stream);
    for (const auto& destroyed : state().destroyed_streams)
      if (const auto stream = destroyed.lock(); stream && stream->device == device) streams.push_back(stream);
    std::erase_if(state().destroyed_streams, [](const auto& destroyed) { return destroyed.expired(); });
  }
  for (const auto& stream : streams) wait_until_idle(*stream);
}

}  // namespace fake

FAKE_API void fake_cuda_end() {
  fake::State& s = fake::state();
  std::vector<int> devices;
  {
    const std::lock_guard lock(s.mutex);
    for (const auto& [device, context] : s.contexts) devices.push_back(device);
  }
  for (const int device : devices) fake::wait_for_device(device);
  const std::lock_guard lock(s.mutex);
  for (const auto& [handle, stream] : s.streams) {
    const std::lock_guard stream_lock(stream->mutex);
    stream->closing = true;
    stream->changed.notify_all();
  }
  s.streams.clear();
  s.events.clear();
  s.modules.clear();
  for (const auto& [address, block] : s.blocks) s.races.forget(block.get());
  s.blocks.clear();
  for (const auto& [memory, bytes] : s.pinned) fake::unmap_pinned(memory, bytes);
  s.pinned.clear();
  for (auto& [device, context] : s.contexts) context.retained = 0;
}

namespace microtome::cuda {

DriverStatus cuStreamCreate(StreamHandle* stream, unsigned flags) {
  FAKE_ENTER("cuStreamCreate");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  if (flags > kStreamNonBlocking) return DriverStatus::invalid_value;
  const std::lock_guard lock(fake::state().mutex);
  const auto object = std::make_shared<StreamObject>();
  object->device = context->device;
  object->actor = ++fake::state().actors;
  object->longest_delay_us = static_cast<unsigned>(fake::state().settings.delay);
  object->random.seed(static_cast<uint64_t>(fake::state().settings.seed) * 1000 + fake::state().report.calls);
  fake::state().streams.emplace(object.get(), object);
  std::thread([object] { fake::run(object); }).detach();
  *stream = object.get();
  return DriverStatus::success;
}

/// As the driver's, it returns at once; what the stream was given is still done.
DriverStatus cuStreamDestroy_v2(StreamHandle handle) {
  FAKE_ENTER("cuStreamDestroy_v2");
  const auto stream = fake::alive(handle);
  if (!stream) return fake::kInvalidHandle;
  {
    const std::lock_guard lock(fake::state().mutex);
    fake::state().streams.erase(handle);
    fake::state().destroyed_streams.push_back(stream);
  }
  const std::lock_guard lock(stream->mutex);
  stream->closing = true;
  stream->changed.notify_all();
  return DriverStatus::success;
}

DriverStatus cuStreamWaitEvent(StreamHandle handle, EventHandle event, unsigned flags) {
  FAKE_ENTER("cuStreamWaitEvent");
  if (flags != 0) return DriverStatus::invalid_value;
  const auto stream = fake::alive(handle);
  if (!stream) return fake::kInvalidHandle;
  const auto [status, completion] = fake::recorded(event);
  if (status != DriverStatus::success || !completion) return status;
  return fake::enqueue(handle, stream->device, {"cuStreamWaitEvent", {}, [stream, done = completion] {
                                                  fake::wait_until_done(*done);
                                                  const std::lock_guard lock(fake::state().mutex);
                                                  stream->clock.join(done->clock);
                                                }});
}

DriverStatus cuStreamSynchronize(StreamHandle handle) {
  FAKE_ENTER("cuStreamSynchronize");
  const auto stream = fake::alive(handle);
  if (!stream) return fake::kInvalidHandle;
  {
    const std::lock_guard lock(fake::state().mutex);
    ++fake::state().report.synchronous_calls;
  }
  fake::wait_until_idle(*stream);
  return DriverStatus::success;
}

DriverStatus cuEventCreate(EventHandle* event, unsigned flags) {
  FAKE_ENTER("cuEventCreate");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  if (flags > 7) return DriverStatus::invalid_value;
  auto object = std::make_unique<EventObject>();
  object->device = context->device;
  *event = object.get();
  const std::lock_guard lock(fake::state().mutex);
  fake::state().events.emplace(*event, std::move(object));
  return DriverStatus::success;
}

DriverStatus cuEventDestroy_v2(EventHandle event) {
  FAKE_ENTER("cuEventDestroy_v2");
  const std::lock_guard lock(fake::state().mutex);
  return fake::state().events.erase(event) ? DriverStatus::success : fake::kInvalidHandle;
}

DriverStatus cuEventRecord(EventHandle event, StreamHandle stream) {
  FAKE_ENTER("cuEventRecord");
  const auto completion = std::make_shared<Completion>();
  const auto recorded_in = fake::alive(stream);
  int device = 0;
  {
    const std::lock_guard lock(fake::state().mutex);
    const auto found = fake::state().events.find(event);
    if (found == fake::state().events.end()) return fake::kInvalidHandle;
    device = found->second->device;
  }
  const DriverStatus queued =
      fake::enqueue(stream, device, {"cuEventRecord", {}, [completion, recorded_in] {
                                       {
                                         const std::lock_guard lock(fake::state().mutex);
                                         completion->clock = recorded_in->clock;
                                       }
                                       const std::lock_guard lock(completion->mutex);
                                       completion->done = true;
                                       completion->changed.notify_all();
                                     }});
  if (queued != DriverStatus::success) return queued;
  const std::lock_guard lock(fake::state().mutex);
  const auto found = fake::state().events.find(event);
  if (found != fake::state().events.end()) found->second->recorded = completion;
  return DriverStatus::success;
}

DriverStatus cuEventQuery(EventHandle event) {
  FAKE_ENTER("cuEventQuery");
  const auto [status, completion] = fake::recorded(event);
  if (status != DriverStatus::success || !completion) return status;
  bool done = false;
  {
    const std::lock_guard lock(completion->mutex);
    done = completion->done;
  }
  if (!done) {
    // Whoever asks again and again would else keep the mutex from the streams' threads.
    std::this_thread::sleep_for(std::chrono::microseconds(20));
    return DriverStatus::not_ready;
  }
  fake::host_has_seen(completion->clock);
  return DriverStatus::success;
}

DriverStatus cuEventSynchronize(EventHandle event) {
  FAKE_ENTER("cuEventSynchronize");
  const auto [status, completion] = fake::recorded(event);
  if (status != DriverStatus::success || !completion) return status;
  {
    const std::lock_guard lock(fake::state().mutex);
    ++fake::state().report.synchronous_calls;
  }
  fake::wait_until_done(*completion);
  fake::host_has_seen(completion->clock);
  return DriverStatus::success;
}

}  // namespace microtome::cuda
