// What microtome.info() tells about the process and what it is made of.
#include "microtome/runtime/runtime.h"

#include <fmt/core.h>
#include <hwy/highway.h>

#include "bindings.h"
#include "microtome/codec/codec.h"
#include "microtome/simd/targets.h"
#include "microtome/slide/xml.h"

namespace microtome::python {
namespace {

nb::dict codec_versions() {
  nb::dict versions;
  for (const Codec* codec : codecs()) versions[to_str(codec->name)] = to_str(codec->version());
  return versions;
}

// Of those that no codec names.
nb::dict build_versions() {
  nb::dict versions;
  versions["Expat"] = to_str(xml_library_version());
  versions["Highway"] = to_str(fmt::format("{}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH));
  versions["nanobind"] =
      to_str(fmt::format("{}.{}.{}", NB_VERSION_MAJOR, NB_VERSION_MINOR, NB_VERSION_PATCH));
  versions["{fmt}"] =
      to_str(fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100));
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

void bind_runtime(nb::module_& module) {
  module.attr("__version__") = MICROTOME_VERSION;
  module.def("available_cpus", &available_cpus, "How many threads this process may run at once.");
  module.def("codec_versions", &codec_versions, "{codec: library and version}");
  module.def("build_versions", &build_versions, "{library: version} of those that no codec names.");
  module.def("counters", &counters, "How many tiles went which way since the process began.");
  module.def("simd", &simd_choice, "The instruction set in use, and all that could be.");
  module.def("cpu_features", &cpu_features, "Instruction sets of this machine that decoders choose between.");
  module.def(
      "thread_count", [] { return runtime().executor->thread_count(); }, "Worker threads started so far.");
}

}  // namespace microtome::python
