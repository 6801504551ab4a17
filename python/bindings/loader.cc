// microtome._core.Patches, Pass and Meter: the list of patches, one walk over it in a given order, and what
// is counted of that.
#include "microtome/loader/loader.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <numeric>

#include "bindings.h"
#include "microtome/base/fail.h"
#include "microtome/loader/order.h"
#include "microtome/plan/region.h"
#include "microtome/runtime/runtime.h"
#include "passes.h"

namespace microtome::python {
namespace {

Result<Patches> make_patches(std::vector<std::shared_ptr<const Slide>> slides,
                             const std::vector<uint16_t>& levels, std::span<const int64_t> slide_of,
                             const int64_t* xy) {
  auto list = std::make_shared<std::vector<Patch>>();
  list->reserve(slide_of.size());
  for (size_t i = 0; i < slide_of.size(); ++i) {
    const int64_t number = slide_of[i];
    if (number < 0 || static_cast<size_t>(number) >= slides.size())
      return out_of_range("patch {}: slide {}: there are {} slides", i, number, slides.size());
    const auto slide = static_cast<size_t>(number);
    const Point at = to_level(*slides[slide], levels[slide], {xy[2 * i], xy[2 * i + 1]});
    list->push_back({static_cast<uint32_t>(number), levels[slide], at.x, at.y});
  }
  return Patches{std::move(slides), levels, std::move(list)};
}

Patches new_patches(const std::vector<SlideHandle*>& handles, const std::vector<uint16_t>& levels,
                    const Int64Array& slide_of, const PointArray& xy) {
  if (levels.size() != handles.size() || xy.shape(0) != slide_of.shape(0))
    raise(invalid_argument("{} slides, {} levels, {} slide numbers, {} locations", handles.size(),
                           levels.size(), slide_of.shape(0), xy.shape(0)));
  std::vector<std::shared_ptr<const Slide>> slides;
  for (const SlideHandle* handle : handles) slides.push_back(handle->slide);
  return take(without_gil([&] {
    return make_patches(std::move(slides), levels, {slide_of.data(), slide_of.shape(0)}, xy.data());
  }));
}

class Pass {
 public:
  explicit Pass(std::unique_ptr<Loader> loader)
      : loader_(std::move(loader)), generation_(runtime().executor->generation()) {}
  Pass(Pass&&) noexcept = default;
  // A worker may need the GIL (Python files) before the loader can stop.
  ~Pass() {
    if (loader_) without_gil([this] { loader_.reset(); });
  }

  uint64_t batch_count() const noexcept { return loader_->batch_count(); }
  Meter meter() const { return {loader_->meter()}; }

  // (pixels, indices, errors, number), or None at the end.
  nb::object next() {
    if (const uint64_t now = runtime().executor->generation(); now != generation_) {
      // We are in a forked child: a thread of the parent's may have held the lock.
      static_cast<void>(mutex_.release());
      mutex_ = std::make_unique<std::mutex>();
      generation_ = now;
    }
    std::optional<Batch> batch = take(without_gil([this] {
      const std::lock_guard lock(*mutex_);
      return loader_->next();
    }));
    if (!batch) return nb::none();
    return nb::make_tuple(to_numpy(batch->pixels), to_numpy(std::move(batch->indices)),
                          to_list(batch->errors), batch->number);
  }

 private:
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  uint64_t generation_;
};

Pass open_pass(const Patches& patches, const Int64Array& order, std::pair<int64_t, int64_t> size,
               int64_t batch_size, bool drop_last, int64_t prefetch, int threads, bool fill_broken,
               const std::vector<double>& fill) {
  LoaderOptions options =
      take(pass_options(patches, size, batch_size, drop_last, prefetch, threads, fill_broken, fill));
  std::vector<int64_t> positions(order.data(), order.data() + order.shape(0));
  LoaderContext context = runtime().loader_context();
  return Pass(take(without_gil([&] {
    return Loader::open(std::move(context), patches.slides, patches.list, std::move(positions),
                        std::move(options));
  })));
}

NumpyArray order(int64_t count, bool shuffle, uint64_t seed, uint64_t epoch, int64_t rank,
                 int64_t world_size) {
  OrderOptions options;
  options.shuffle = shuffle;
  options.seed = seed;
  options.epoch = epoch;
  options.rank = rank;
  options.world_size = world_size;
  return to_numpy(take(make_order(count, options)));
}

}  // namespace

nb::tuple Meter::stats() const {
  const LoaderStats stats = meter->stats();
  return nb::make_tuple(stats.batches, stats.tiles, stats.decoded, stats.reused, stats.constant, stats.twins,
                        stats.absent, stats.bytes_read, stats.consumer_waited_s, stats.workers_waited_s,
                        stats.own, stats.library, stats.device, stats.left, stats.by_cufile,
                        stats.cufile_failed);
}

Result<LoaderOptions> pass_options(const Patches& patches, std::pair<int64_t, int64_t> size,
                                   int64_t batch_size, bool drop_last, int64_t prefetch, int threads,
                                   bool fill_broken, const std::vector<double>& fill) {
  const TileFormat& format = patches.slides.at(0)->image(patches.levels.at(0)).format;
  LoaderOptions options;
  options.size = {size.first, size.second};
  options.batch_size = batch_size;
  options.drop_last = drop_last;
  options.prefetch = prefetch;
  options.workers = threads;
  options.on_error = on_error(fill_broken);
  MICROTOME_ASSIGN(options.fill, make_fill(fill, format.samples, format.type));
  return options;
}

void bind_loader(nb::module_& module) {
  nb::class_<Patches>(module, "Patches", "A list of patches of slides, each at a level.")
      .def(nb::new_(&new_patches), nb::arg("slides"), nb::arg("levels"), nb::arg("slide_of"),
           nb::arg("locations"), "`locations` are level-0 pixels; `levels` has one for each slide.")
      .def("__len__", [](const Patches& self) { return self.list->size(); });
  nb::class_<Meter>(module, "Meter", "What is counted of a pass; lives on without it.")
      .def("stats", &Meter::stats,
           nb::sig("def stats(self) -> tuple[int, int, int, int, int, int, int, int, float, float, int, int, "
                   "int, int]"),
           "The values of a LoaderStats.");
  nb::class_<Pass>(module, "Pass", "One walk over patches, batch by batch.")
      .def(nb::new_(&open_pass), nb::arg("patches"), nb::arg("order"), nb::arg("size"), nb::arg("batch_size"),
           nb::arg("drop_last"), nb::arg("prefetch"), nb::arg("threads"), nb::arg("fill_broken"),
           nb::arg("fill"),
           "`order`: positions in the list, in order of delivery. `threads`: beside the caller's.")
      .def("__len__", &Pass::batch_count, "Number of batches.")
      .def("meter", &Pass::meter)
      .def(
          "next", &Pass::next,
          nb::sig("def next(self) -> tuple[numpy.ndarray, numpy.ndarray, list[tuple[int, str]], int] | None"),
          "(pixels (N, h, w, C), indices (N,) int64, [(row, message), …], number), or None after the last.");
  module.def("order", &order, nb::arg("count"), nb::arg("shuffle"), nb::arg("seed"), nb::arg("epoch"),
             nb::arg("rank"), nb::arg("world_size"),
             "This rank's positions of 0 … count-1, in order of delivery.");
}

}  // namespace microtome::python
