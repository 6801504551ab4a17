// The fake driver: what it does for the fakes of libraries.
#include "tests/fake_cuda/library.h"

#include "tests/fake_cuda/state.h"
#include "tests/fake_cuda/streams.h"

namespace fake {

Fault enter_library(const char* function) {
  switch (enter(function, false)) {
    case DriverStatus::success:
      break;
    case DriverStatus::out_of_memory:
      return Fault::out_of_memory;
    default:
      return Fault::failed;
  }
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.settings.lost_at && s.report.calls >= static_cast<uint64_t>(s.settings.lost_at)) s.lost = true;
  return s.lost ? Fault::lost : Fault::none;
}

int current_device() {
  const microtome::cuda::ContextObject* const context = current_context();
  return context ? context->device : -1;
}

int64_t library_setting(const char* name) {
  const std::lock_guard lock(state().mutex);
  return state().settings.libraries.at(name);
}

void count_object(int change) {
  const std::lock_guard lock(state().mutex);
  state().report.library_objects += change;
}

void misuse(const char* what) {
  const std::lock_guard lock(state().mutex);
  if (state().report.misuses++ == 0) state().first_misuse = what;
}

void count_images(uint64_t count, bool by_engine) {
  const std::lock_guard lock(state().mutex);
  (by_engine ? state().report.engine_images : state().report.library_images) += count;
}

void host_uses(const char* function, const void* object) {
  constexpr int kHost = 0;
  const std::lock_guard lock(state().mutex);
  state().host.advance(kHost);
  state().races.touch(function, kHost, state().host, {object, 0, 1, true});
}

void forget_object(const void* object) {
  const std::lock_guard lock(state().mutex);
  state().races.forget(object);
}

void count_read(const FileRead& read) {
  const std::lock_guard lock(state().mutex);
  ++(read.direct ? state().report.direct_reads : state().report.compat_reads);
  state().report.unaligned_reads += read.direct && !read.aligned;
  state().report.unregistered_reads += !read.registered;
}

DriverStatus give_work(microtome::cuda::StreamHandle stream, int device, int engine, bool ordered,
                       Work work) {
  microtome::cuda::Operation operation{work.name, {}, std::move(work.run)};
  for (const void* const object : work.objects) operation.accesses.push_back({object, 0, 1, true});
  {
    const std::lock_guard lock(state().mutex);
    for (const HostBytes& bytes : work.host_reads)
      if (const auto pinned = pinned_access(bytes.data, bytes.size, false))
        operation.accesses.push_back(*pinned);
  }
  if (engine == kNoEngine) return enqueue(stream, device, std::move(operation));
  return enqueue_on_engine(stream, device, engine, ordered, std::move(operation));
}

}  // namespace fake
