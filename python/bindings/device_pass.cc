// microtome._core.DevicePass and read_to_device: batches and regions in memory of a GPU.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <optional>

#include "bindings.h"
#include "cuda.h"
#include "microtome/base/fail.h"
#include "microtome/loader/device_loader.h"
#include "microtome/runtime/runtime.h"
#include "passes.h"

namespace microtome::python {
namespace {

class DevicePass {
 public:
  DevicePass(std::unique_ptr<DeviceLoader> loader, cuda::ForeignStream consumer)
      : loader_(std::move(loader)), consumer_(consumer) {}
  DevicePass(DevicePass&&) noexcept = default;
  // A worker may need the GIL (Python files) before the loader can stop.
  ~DevicePass() {
    if (loader_) without_gil([this] { loader_.reset(); });
  }

  uint64_t batch_count() const noexcept { return loader_->batch_count(); }
  Meter meter() const { return {loader_->meter()}; }
  nb::tuple direct() const {
    return nb::make_tuple(to_str(loader_->direct().mode()), to_str(loader_->direct().lacking()));
  }
  nb::str lacking() const { return to_str(loader_->lacking()); }

  // (pixels, indices, errors, number), or None at the end.
  nb::object next() {
    // In a forked child a thread of the parent's may have the lock; there is nothing to lock there.
    std::optional<DeviceBatch> batch = take(without_gil([this]() -> Result<std::optional<DeviceBatch>> {
      MICROTOME_TRY(loader_->usable());
      const std::lock_guard lock(*mutex_);
      return loader_->next();
    }));
    if (!batch) return nb::none();
    return nb::make_tuple(DeviceArray{std::move(batch->pixels), 0, consumer_},
                          to_numpy(std::move(batch->indices)), to_list(batch->errors), batch->number);
  }

 private:
  std::unique_ptr<DeviceLoader> loader_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  cuda::ForeignStream consumer_;
};

DevicePass open_pass(const Patches& patches, const Int64Array& order, std::pair<int64_t, int64_t> size,
                     int64_t batch_size, bool drop_last, int64_t prefetch, int threads, bool fill_broken,
                     const std::vector<double>& fill, int ordinal, uint64_t memory_bytes, uint64_t stream,
                     const FormatArguments& format, const DecodeArguments& decode, const GdsArguments& gds) {
  DeviceLoaderOptions options;
  options.loader =
      take(pass_options(patches, size, batch_size, drop_last, prefetch, threads, fill_broken, fill));
  options.memory_bytes = memory_bytes;
  const TileFormat& tiles = patches.slides.at(0)->image(patches.levels.at(0)).format;
  options.format = take(output_format(format, tiles.type, tiles.samples));
  std::vector<int64_t> positions(order.data(), order.data() + order.shape(0));
  LoaderContext context = runtime().loader_context();
  const gpu::DeviceReader* const reader = take(device_reader(ordinal));
  options.decode = take(decode_from(decode));
  if (options.decode != gpu::Decode::exact) options.decoders = take(device_decoders(ordinal, decode));
  options.direct = take(direct_from(gds));
  if (options.direct != gpu::Direct::off) options.reads = take(direct_reads(ordinal, gds));
  auto loader = take(without_gil([&] {
    return DeviceLoader::open(std::move(context), reader->shared_gpu(), patches.slides, patches.list,
                              std::move(positions), std::move(options));
  }));
  return {std::move(loader), {static_cast<uintptr_t>(stream)}};
}

// `target`: address, and the stream whose work on it comes first, or none.
using Target = std::pair<uint64_t, std::optional<uint64_t>>;

nb::tuple read_to_device(const SlideHandle& self, int image, std::pair<int64_t, int64_t> location,
                         std::pair<int64_t, int64_t> size, const std::optional<Target>& target,
                         const std::vector<double>& fill, int workers, bool fill_broken, int ordinal,
                         uint64_t stream, const FormatArguments& format) {
  if (image < 0 || image >= self.slide->image_count())
    raise(out_of_range("image {}: the slide has {} images", image, self.slide->image_count()));
  const TileFormat& tiles = self.slide->image(image).format;
  gpu::DeviceReadOptions options;
  options.read.workers = workers;
  options.read.on_error = on_error(fill_broken);
  options.read.fill = take(make_fill(fill, tiles.samples, tiles.type));
  options.format = take(output_format(format, tiles.type, tiles.samples));
  gpu::DeviceTarget to;
  if (target) {
    to.address = target->first;
    if (target->second) to.after = cuda::ForeignStream{static_cast<uintptr_t>(*target->second)};
  }
  gpu::DeviceReader* const reader = take(device_reader(ordinal));
  const std::shared_ptr<const Slide> slide = self.slide;  // close() in another thread may let go of ours
  std::vector<RegionError> errors;
  auto tensor = take(without_gil([&] {
    return reader->read(slide, image, {location.first, location.second, size.first, size.second}, options,
                        target ? &to : nullptr, &errors);
  }));
  nb::object pixels =
      tensor ? nb::cast(DeviceArray{*std::move(tensor), 0, {static_cast<uintptr_t>(stream)}}) : nb::none();
  return nb::make_tuple(pixels, to_list(errors));
}

}  // namespace

void bind_device_pass(nb::module_& module) {
  nb::class_<DevicePass>(module, "DevicePass", "One walk over patches, batch by batch, onto a GPU.")
      .def(
          nb::new_(&open_pass), nb::arg("patches"), nb::arg("order"), nb::arg("size"), nb::arg("batch_size"),
          nb::arg("drop_last"), nb::arg("prefetch"), nb::arg("threads"), nb::arg("fill_broken"),
          nb::arg("fill"), nb::arg("ordinal"), nb::arg("memory_bytes"), nb::arg("stream"), nb::arg("format"),
          nb::arg("decode"), nb::arg("gds") = GdsArguments{"off", {}, {}},
          "As Pass; `memory_bytes` of the device for decoded tiles, 0: as much as is usual; `stream`: what "
          "an "
          "export that names none is used on; `format`: dtype (\"\" for the slides' own), planar, mean, std; "
          "`decode`: \"exact\", \"any\" or \"device\", and folders of nvJPEG, of nvJPEG2000 and to search "
          "last; `gds`: \"off\", \"any\" or \"only\", and folders of cuFile and to search last.")
      .def("__len__", &DevicePass::batch_count, "Number of batches.")
      .def("meter", &DevicePass::meter)
      .def_prop_ro(
          "direct", &DevicePass::direct, nb::sig("def direct(self) -> tuple[str, str]"),
          "How cuFile reads: \"direct\", \"compat\" or not at all; and what was in its way, or nothing.")
      .def_prop_ro("lacking", &DevicePass::lacking, nb::sig("def lacking(self) -> str"),
                   "Why a library is not used that \"any\" would use; empty otherwise.")
      .def("next", &DevicePass::next,
           nb::sig("def next(self) -> tuple[DeviceArray, numpy.ndarray, list[tuple[int, str]], int] | None"),
           "(pixels (N, h, w, C), indices (N,) int64, [(row, message), …], number), or None after the last.");
  module.def(
      "read_to_device", &read_to_device, nb::arg("slide"), nb::arg("image"), nb::arg("location"),
      nb::arg("size"), nb::arg("target").none(), nb::arg("fill"), nb::arg("workers"), nb::arg("fill_broken"),
      nb::arg("ordinal"), nb::arg("stream"), nb::arg("format"),
      nb::sig("def read_to_device(slide: Slide, image: int, location: tuple[int, int], size: tuple[int, "
              "int], target: tuple[int, int | None] | None, fill: Sequence[float], workers: int, "
              "fill_broken: bool, ordinal: int, stream: int, format: tuple[str, bool, Sequence[float], "
              "Sequence[float]]) -> tuple[DeviceArray | None, list[tuple[int, str]]]"),
      "As Slide.read, onto a GPU; `target`: an address there and the stream whose work on it comes first; "
      "`stream`, "
      "`format`: as for DevicePass.");
}

}  // namespace microtome::python
