// The shared runtime, its fork handlers, and what microtome.info() tells about it.
#include "runtime.h"

#include <pthread.h>

#include "bindings.h"
#include "microtome/codec/codec.h"
#include "microtome/simd/targets.h"

namespace microtome::python {
namespace {

constexpr size_t kIdleBufferBytes = size_t{512} << 20;

// Never freed: its threads may still run while the process's static objects are destroyed.
Runtime* the_runtime = nullptr;

// Note [Fork order]
// prepare takes outer locks before inner ones (a thread that evicts a tile holds the cache's lock and wants
// the pool's); the other two let go in reverse.
void before_fork() {
  the_runtime->executor->fork_prepare();
  the_runtime->cache->fork_prepare();
  the_runtime->workers->fork_prepare();
  the_runtime->buffers->fork_prepare();
}

void after_fork_in_parent() {
  the_runtime->buffers->fork_parent();
  the_runtime->workers->fork_parent();
  the_runtime->cache->fork_parent();
  the_runtime->executor->fork_parent();
}

void after_fork_in_child() {
  the_runtime->buffers->fork_child();
  the_runtime->workers->fork_child();
  the_runtime->cache->fork_child();
  the_runtime->executor->fork_child();
  forget_python_file_lock();
}

Runtime* make_runtime() {
  auto executor = std::make_shared<Executor>();
  auto cache = std::make_shared<TileCache>(0);
  auto workers = std::make_shared<WorkerPool>(available_cpus);
  auto buffers = BufferPool::make(kIdleBufferBytes);
  auto counters = std::make_shared<ReadCounters>();
  Reader reader(executor, cache, workers, buffers, counters);
  return new Runtime{std::move(executor), std::move(cache),    std::move(workers),
                     std::move(buffers),  std::move(counters), std::move(reader)};
}

nb::dict codec_versions() {
  nb::dict versions;
  for (const Codec* codec : codecs()) versions[to_str(codec->name)] = to_str(codec->version());
  return versions;
}

nb::dict counters() {
  const ReadCounters& counted = *runtime().counters;
  nb::dict dict;
  dict["decoded"] = counted.decoded.load();
  dict["direct"] = counted.direct.load();
  dict["own"] = counted.own.load();
  dict["library"] = counted.library.load();
  dict["shared"] = counted.shared.load();
  dict["constant"] = counted.constant.load();
  dict["twins"] = counted.twins.load();
  dict["absent"] = counted.absent.load();
  dict["packed_bytes"] = counted.packed_bytes.load();
  return dict;
}

nb::dict simd_choice() {
  const simd::TargetChoice& choice = simd::target_choice();
  nb::list available;
  for (const std::string_view name : choice.available) available.append(to_str(name));
  nb::dict dict;
  dict["simd"] = to_str(choice.used);
  dict["simd_available"] = available;
  dict["simd_problem"] = to_str(choice.problem);
  return dict;
}

// Names as Linux has them in /proc/cpuinfo, of what our kernels and the codec libraries choose between.
nb::list cpu_features() {
  nb::list names;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse2")) names.append("sse2");
  if (__builtin_cpu_supports("ssse3")) names.append("ssse3");
  if (__builtin_cpu_supports("sse4.1")) names.append("sse4_1");
  if (__builtin_cpu_supports("avx2")) names.append("avx2");
  if (__builtin_cpu_supports("avx512f")) names.append("avx512f");
  if (__builtin_cpu_supports("avx512bw")) names.append("avx512bw");
  if (__builtin_cpu_supports("avx512vbmi")) names.append("avx512_vbmi");
#elif defined(__aarch64__)
  names.append("neon");
#endif
  return names;
}

}  // namespace

Runtime& runtime() {
  if (!the_runtime) {
    the_runtime = make_runtime();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  }
  return *the_runtime;
}

void bind_runtime(nb::module_& module) {
  module.attr("__version__") = MICROTOME_VERSION;
  module.def("available_cpus", &available_cpus, "How many threads this process may run at once.");
  module.def("codec_versions", &codec_versions, "{codec: library and version}");
  module.def("counters", &counters, "How many tiles went which way since the process began.");
  module.def("simd", &simd_choice, "The instruction set in use, and all that could be.");
  module.def("cpu_features", &cpu_features, "Instruction sets of this machine that decoders choose between.");
  module.def(
      "thread_count", [] { return runtime().executor->thread_count(); }, "Worker threads started so far.");
}

}  // namespace microtome::python
