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

/// With the mutex held.
std::shared_ptr<StreamObject> make_stream(int device, bool blocking) {
  State& s = state();
  const auto object = std::make_shared<StreamObject>();
  object->device = device;
  object->blocking = blocking;
  object->actor = ++s.actors;
  object->longest_delay_us = static_cast<unsigned>(s.settings.delay);
  object->random.seed(static_cast<uint64_t>(s.settings.seed) * 1000 + s.report.calls);
  std::thread([object] { run(object); }).detach();
  return object;
}

/// The stream of a handle; null if it is not alive. 0 and 1 are the legacy default stream of the current
/// context's device, 2 is the calling thread's; they begin with their first use.
std::shared_ptr<StreamObject> alive(StreamHandle handle) {
  constexpr uintptr_t kPerThread = 2;
  const auto number = reinterpret_cast<uintptr_t>(handle);
  if (number > kPerThread) {
    const std::lock_guard lock(state().mutex);
    const auto found = state().streams.find(handle);
    return found == state().streams.end() ? nullptr : found->second;
  }
  const microtome::cuda::ContextObject* const context = current_context();
  if (!context) return nullptr;
  const std::lock_guard lock(state().mutex);
  auto& stream = number == kPerThread ? state().per_thread[{context->device, std::this_thread::get_id()}]
                                      : state().legacy[context->device];
  if (!stream) stream = make_stream(context->device, true);
  return stream;
}

/// The streams that work given to `stream` comes after: for the legacy stream all blocking ones of its
/// device, for those the legacy one.
std::vector<std::shared_ptr<StreamObject>> before(const StreamObject& stream) {
  std::vector<std::shared_ptr<StreamObject>> streams;
  if (!stream.blocking) return streams;
  const std::lock_guard lock(state().mutex);
  const auto legacy = state().legacy.find(stream.device);
  if (legacy == state().legacy.end()) return streams;
  if (legacy->second.get() != &stream) return {legacy->second};
  for (const auto& [handle, other] : state().streams)
    if (other->blocking && other->device == stream.device) streams.push_back(other);
  for (const auto& [key, other] : state().per_thread)
    if (other->device == stream.device) streams.push_back(other);
  return streams;
}

void push(StreamObject& stream, Operation operation) {
  {
    const std::lock_guard lock(state().mutex);
    operation.given_after = state().host;
  }
  const std::lock_guard lock(stream.mutex);
  stream.queue.push_back(std::move(operation));
  stream.changed.notify_all();
}

/// What tells when all that `stream` was given so far is done.
std::shared_ptr<Completion> complete(const std::shared_ptr<StreamObject>& stream) {
  const auto completion = std::make_shared<Completion>();
  push(*stream, {"cuEventRecord", {}, [completion, stream] {
                   {
                     const std::lock_guard lock(state().mutex);
                     completion->clock = stream->clock;
                   }
                   const std::lock_guard lock(completion->mutex);
                   completion->done = true;
                   completion->changed.notify_all();
                 }});
  return completion;
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

/// What `stream` is given from now on comes after `completion`.
void wait_in(const std::shared_ptr<StreamObject>& stream, std::shared_ptr<Completion> completion) {
  push(*stream, {"cuStreamWaitEvent", {}, [stream, done = std::move(completion)] {
                   wait_until_done(*done);
                   const std::lock_guard lock(state().mutex);
                   stream->clock.join(done->clock);
                 }});
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
  for (const auto& other : before(*stream)) wait_in(stream, complete(other));
  push(*stream, std::move(operation));
  return DriverStatus::success;
}

DriverStatus enqueue_on_engine(StreamHandle handle, int device, int engine, bool ordered,
                               Operation operation) {
  const auto stream = alive(handle);
  if (!stream || stream->device != device) return kInvalidHandle;
  std::shared_ptr<StreamObject> worker;
  {
    const std::lock_guard lock(state().mutex);
    auto& known = state().engines[{device, engine}];
    if (!known) known = make_stream(device, false);
    worker = known;
  }
  if (ordered) wait_in(worker, complete(stream));
  push(*worker, std::move(operation));
  wait_in(stream, complete(worker));
  return DriverStatus::success;
}

void close_engines() {
  for (const auto& [key, engine] : state().engines) {
    const std::lock_guard lock(engine->mutex);
    engine->closing = true;
    engine->changed.notify_all();
  }
  state().engines.clear();
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
    for (const auto& [number, stream] : state().legacy)
      if (number == device) streams.push_back(stream);
    for (const auto& [key, stream] : state().per_thread)
      if (key.first == device) streams.push_back(stream);
    for (const auto& [key, engine] : state().engines)
      if (key.first == device) streams.push_back(engine);
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
  fake::close_engines();
  s.host = fake::Clock();  // of streams that are gone
  for (auto& [device, context] : s.contexts) context.retained = 0;
}

namespace microtome::cuda {

DriverStatus cuStreamCreate(StreamHandle* stream, unsigned flags) {
  FAKE_ENTER("cuStreamCreate");
  const ContextObject* context = fake::current_context();
  if (!context) return DriverStatus::invalid_context;
  if (flags > kStreamNonBlocking) return DriverStatus::invalid_value;
  const std::lock_guard lock(fake::state().mutex);
  const auto object = fake::make_stream(context->device, flags != kStreamNonBlocking);
  fake::state().streams.emplace(object.get(), object);
  *stream = object.get();
  return DriverStatus::success;
}

/// As the driver's, it returns at once; what the stream was given is still done.
DriverStatus cuStreamDestroy_v2(StreamHandle handle) {
  FAKE_ENTER("cuStreamDestroy_v2");
  std::shared_ptr<StreamObject> stream;
  {
    const std::lock_guard lock(fake::state().mutex);
    const auto found = fake::state().streams.find(handle);
    if (found == fake::state().streams.end()) return fake::kInvalidHandle;
    stream = found->second;
    fake::state().streams.erase(found);
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
  for (const auto& other : fake::before(*stream)) fake::wait_in(stream, fake::complete(other));
  fake::wait_in(stream, completion);
  return DriverStatus::success;
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
  const auto recorded_in = fake::alive(stream);
  if (!recorded_in) return fake::kInvalidHandle;
  {
    const std::lock_guard lock(fake::state().mutex);
    const auto found = fake::state().events.find(event);
    if (found == fake::state().events.end()) return fake::kInvalidHandle;
    if (found->second->device != recorded_in->device) {
      ++fake::state().report.foreign_calls;
      return fake::kInvalidHandle;
    }
  }
  for (const auto& other : fake::before(*recorded_in)) fake::wait_in(recorded_in, fake::complete(other));
  auto completion = fake::complete(recorded_in);
  const std::lock_guard lock(fake::state().mutex);
  const auto found = fake::state().events.find(event);
  if (found != fake::state().events.end()) found->second->recorded = std::move(completion);
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
