// CUDA as Python asks for it: whether a device can be used, and what was found.
#include "cuda.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <memory>

#include "bindings.h"
#include "microtome/base/fail.h"
#include "microtome/device/cuda/driver.h"
#include "microtome/device/cuda/libraries.h"
#include "microtome/runtime/runtime.h"

namespace microtome::python {
namespace {

using Folders = std::vector<std::string>;

// Opened once for the process and never closed; a failure is not kept, so that the next call looks again. The
// GIL is held all the while, which is what makes it once: a second thread has nothing to do before the first
// knows.
std::shared_ptr<const cuda::Driver> the_driver;

Result<std::shared_ptr<const cuda::Driver>> driver() {
  if (!the_driver) {
    MICROTOME_ASSIGN(the_driver, cuda::Driver::open());
  }
  MICROTOME_TRY(the_driver->usable());
  return the_driver;
}

nb::dict describe(const cuda::DeviceInfo& device) {
  nb::dict dict;
  dict["name"] = to_str(device.name);
  dict["compute_capability"] = nb::make_tuple(device.major, device.minor);
  dict["multiprocessors"] = device.multiprocessors;
  dict["memory_bytes"] = device.memory_bytes;
  return dict;
}

nb::dict require_device(int ordinal) {
  return describe(take(device_reader(ordinal))->gpu().device->info());
}

nb::dict find_driver() {
  nb::dict dict;
  nb::list devices;
  const auto opened = driver();
  dict["path"] = opened.ok() ? to_str((*opened)->path()) : nb::str("");
  dict["version"] = opened.ok() ? to_str(cuda::version_text((*opened)->version())) : nb::str("");
  dict["problem"] = opened.ok() ? nb::str("") : to_str(opened.error().message);
  if (opened.ok())
    for (const cuda::DeviceInfo& device : (*opened)->devices()) devices.append(describe(device));
  dict["devices"] = devices;
  return dict;
}

nb::dict find_libraries(const Folders& nvjpeg, const Folders& nvjpeg2k, const Folders& cufile,
                        const Folders& last) {
  nb::dict dict;
  for (const auto& library : cuda::look_for_libraries({{nvjpeg, last}, {nvjpeg2k, last}, {cufile, last}})) {
    nb::dict found;
    found["path"] = to_str(library.path);
    found["version"] = to_str(library.version);
    found["problem"] = to_str(library.problem);
    dict[to_str(library.name)] = found;
  }
  return dict;
}

}  // namespace

Result<gpu::DeviceReader*> device_reader(int ordinal) {
  // Never destroyed: batches may outlive all else, and NVIDIA's driver ends before the process does.
  static auto* const readers = new std::map<int, std::unique_ptr<gpu::DeviceReader>>;
  MICROTOME_ASSIGN(const std::shared_ptr<const cuda::Driver> opened, driver());
  if (const auto found = readers->find(ordinal); found != readers->end()) return found->second.get();
  MICROTOME_ASSIGN(std::shared_ptr<const gpu::Gpu> gpu, gpu::Gpu::open(opened, ordinal));
  const Runtime& shared = runtime();
  auto reader =
      std::make_unique<gpu::DeviceReader>(std::move(gpu), shared.executor, shared.workers, shared.counters);
  return readers->emplace(ordinal, std::move(reader)).first->second.get();
}

Result<gpu::Decode> decode_from(const DecodeArguments& arguments) {
  const std::string& how = std::get<0>(arguments);
  if (how == "exact") return gpu::Decode::exact;
  if (how == "any") return gpu::Decode::any;
  if (how == "device") return gpu::Decode::device;
  return invalid_argument("decode = '{}', expected exact, any or device", how);
}

Result<std::shared_ptr<gpu::Decoders>> device_decoders(int ordinal, const DecodeArguments& arguments) {
  // As device_reader's: NVIDIA's libraries may outlive nothing else.
  static auto* const all = new std::map<int, std::shared_ptr<gpu::Decoders>>;
  MICROTOME_ASSIGN(const gpu::DeviceReader* const reader, device_reader(ordinal));
  auto& decoders = (*all)[ordinal];
  if (decoders == nullptr) {
    const auto& [how, nvjpeg, nvjpeg2k, last] = arguments;
    decoders = std::make_shared<gpu::Decoders>(reader->shared_gpu(),
                                               cuda::Places{{nvjpeg, last}, {nvjpeg2k, last}, {}});
  }
  return decoders;
}

Result<gpu::Direct> direct_from(const GdsArguments& arguments) {
  const std::string& how = std::get<0>(arguments);
  if (how == "off") return gpu::Direct::off;
  if (how == "any") return gpu::Direct::any;
  if (how == "only") return gpu::Direct::only;
  return invalid_argument("gds = '{}', expected off, any or only", how);
}

Result<std::shared_ptr<gpu::DirectReads>> direct_reads(int ordinal, const GdsArguments& arguments) {
  static auto* const all = new std::map<int, std::shared_ptr<gpu::DirectReads>>;
  MICROTOME_ASSIGN(const gpu::DeviceReader* const reader, device_reader(ordinal));
  auto& reads = (*all)[ordinal];
  if (reads == nullptr)
    reads = std::make_shared<gpu::DirectReads>(reader->gpu().device,
                                               LibraryPlaces{std::get<1>(arguments), std::get<2>(arguments)});
  return reads;
}

Result<gpu::OutputFormat> output_format(const FormatArguments& arguments, SampleType tiles,
                                        uint16_t samples) {
  const auto& [dtype, planar, mean, deviation] = arguments;
  gpu::OutputRequest request{std::nullopt, planar, mean, deviation};
  if (!dtype.empty()) {
    for (const SampleType type : {tiles, SampleType::f16, SampleType::f32})
      if (sample_name(type) == dtype) request.type = type;
    if (!request.type)
      return invalid_argument("dtype = '{}', expected {}, float16 or float32", dtype, sample_name(tiles));
  }
  return gpu::OutputFormat::make(request, tiles, samples);
}

void bind_cuda(nb::module_& module) {
  module.def("require_cuda_device", &require_device, nb::arg("ordinal"),
             "What is known of a CUDA device, or DeviceUnavailableError. Opens it, as reading would.");
  module.def("find_cuda_driver", &find_driver, "The driver and its devices, or its problem.");
  module.def("find_cuda_libraries", &find_libraries, nb::arg("nvjpeg"), nb::arg("nvjpeg2k"),
             nb::arg("cufile"), nb::arg("last"),
             "{library: path, version, problem}, looked for in folders before the system's, and `last` after "
             "those.");
}

}  // namespace microtome::python
