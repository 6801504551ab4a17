// microtome._core.Slide: an open slide, and the synchronous read.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "microtome/base/fail.h"
#include "microtome/plan/region.h"
#include "microtome/runtime/runtime.h"

namespace microtome::python {
namespace {

nb::object to_object(const std::optional<Bytes>& bytes) {
  if (!bytes) return nb::none();
  return nb::bytes(bytes->data.data(), bytes->data.size());
}

nb::object to_object(const std::optional<Mpp>& mpp) {
  if (!mpp) return nb::none();
  return nb::make_tuple(mpp->x, mpp->y);
}

nb::dict describe_image(const Slide& slide, int number) {
  const TileGrid& grid = slide.image(number);
  nb::dict dict;
  dict["size"] = nb::make_tuple(grid.size.w, grid.size.h);
  dict["tile_size"] = nb::make_tuple(grid.tile.w, grid.tile.h);
  dict["channels"] = grid.format.samples;
  dict["dtype"] = to_str(sample_name(grid.format.type));
  const Color color = grid.format.color == Color::ycbcr ? Color::rgb : grid.format.color;  // as decoded
  dict["photometric"] = to_str(color_name(color));
  dict["compression"] = to_str(compression_name(grid.format.compression));
  return dict;
}

nb::list describe_levels(const Slide& slide) {
  nb::list list;
  for (int number = 0; const Level& level : slide.levels()) {
    nb::dict dict = describe_image(slide, number++);
    dict["downsample"] = nb::make_tuple(level.downsample_x, level.downsample_y);
    dict["mpp"] = to_object(level.mpp);
    list.append(dict);
  }
  return list;
}

nb::dict describe_associated(const Slide& slide) {
  nb::dict dict;
  for (const AssociatedImage& associated : slide.associated()) {
    nb::dict image = describe_image(slide, associated.image);
    image["image"] = associated.image;
    image["icc_profile"] = to_object(associated.icc_profile);
    dict[to_str(associated.name)] = image;
  }
  return dict;
}

nb::list describe_images(const Slide& slide) {
  nb::list list;
  for (const FileImage& image : slide.file_images()) {
    nb::dict dict;
    dict["name"] = to_str(image.name);
    dict["kind"] = to_str(image.kind);
    dict["size"] = nb::make_tuple(image.size.w, image.size.h);
    dict["levels"] = image.levels;
    dict["channels"] = image.samples;
    dict["dtype"] = to_str(sample_name(image.type));
    dict["series"] = image.series;
    dict["t"] = image.t;
    dict["z"] = image.z;
    list.append(dict);
  }
  return list;
}

// (name, (red, green, blue) or None) of each sample; none where the file does not name them.
nb::list describe_channels(const Slide& slide) {
  nb::list list;
  for (const Channel& channel : slide.channels()) {
    nb::object color = nb::none();
    if (channel.color) color = nb::make_tuple((*channel.color)[0], (*channel.color)[1], (*channel.color)[2]);
    list.append(nb::make_tuple(to_str(channel.name), color));
  }
  return list;
}

nb::dict describe(const SlideHandle& self) {
  const Slide& slide = *self.slide;
  nb::dict properties;
  for (const auto& [key, value] : slide.properties()) properties[to_str(key)] = to_str(value);
  nb::dict dict;
  dict["format"] = to_str(slide.format());
  dict["images"] = describe_images(slide);
  dict["levels"] = describe_levels(slide);
  dict["associated"] = describe_associated(slide);
  dict["named_channels"] = describe_channels(slide);
  dict["properties"] = properties;
  dict["mpp"] = to_object(slide.mpp());
  dict["objective_power"] = slide.objective_power() ? nb::cast(*slide.objective_power()) : nb::none();
  dict["icc_profile"] = to_object(slide.icc_profile());
  dict["raw_description"] = to_str(slide.raw_description());
  return dict;
}

struct ReadRequest {
  int image;
  Rect region;
  ReadOptions options;
};

struct ReadOutcome {
  std::optional<Tensor> pixels;  // nothing where the caller gave the memory
  std::vector<RegionError> errors;
};

// Without the GIL. `out` is the caller's memory, or null: then memory comes from the pool.
Result<ReadOutcome> read_into(Runtime& shared, const std::shared_ptr<const Slide>& slide,
                              const ReadRequest& request, const ImageView* out) {
  ReadOutcome outcome;
  ImageView view;
  if (out) {
    view = *out;
  } else {
    const TileFormat& format = slide->image(request.image).format;
    const Size size = request.region.size();
    MICROTOME_ASSIGN(outcome.pixels,
                     make_tensor(*shared.buffers, {size.h, size.w, format.samples}, format.type));
    const auto row_bytes = size.w * format.samples * static_cast<int64_t>(sample_bytes(format.type));
    view = {outcome.pixels->data(), size, row_bytes, format.samples, format.type};
  }
  MICROTOME_TRY(
      shared.reader.read(slide, request.image, request.region, view, request.options, &outcome.errors));
  return outcome;
}

nb::tuple read(const SlideHandle& self, int image, std::pair<int64_t, int64_t> location,
               std::pair<int64_t, int64_t> size, std::optional<nb::ndarray<nb::device::cpu>> out,
               const std::vector<double>& fill, int workers, bool fill_broken) {
  if (image < 0 || image >= self.slide->image_count())
    raise(out_of_range("image {}: the slide has {} images", image, self.slide->image_count()));
  const TileFormat& format = self.slide->image(image).format;
  std::optional<ImageView> view;
  if (out) view = take(to_view(*out, {size.first, size.second}, format.samples, format.type));
  ReadRequest request{image, {location.first, location.second, size.first, size.second}, {}};
  request.options.workers = workers;
  request.options.on_error = on_error(fill_broken);
  request.options.fill = take(make_fill(fill, format.samples, format.type));

  Runtime& shared = runtime();
  const std::shared_ptr<const Slide> slide = self.slide;  // close() in another thread may let go of ours
  ReadOutcome outcome =
      take(without_gil([&] { return read_into(shared, slide, request, view ? &*view : nullptr); }));
  nb::object pixels = outcome.pixels ? nb::cast(to_numpy(*outcome.pixels)) : nb::none();
  return nb::make_tuple(pixels, to_list(outcome.errors));
}

std::pair<int64_t, int64_t> level_location(const SlideHandle& self, int level,
                                           std::pair<int64_t, int64_t> location) {
  const Point point = to_level(*self.slide, level, {location.first, location.second});
  return {point.x, point.y};
}

}  // namespace

void bind_slide(nb::module_& module) {
  nb::class_<SlideHandle>(module, "Slide", "An open slide. microtome.Slide checks arguments and explains.")
      .def("describe", &describe, "Everything the slide says about itself but pixels.")
      .def("to_level", &level_location, nb::arg("level"), nb::arg("location"),
           "A level-0 location in pixels of an existing level: the nearest, halves up.")
      .def("read", &read, nb::arg("image"), nb::arg("location"), nb::arg("size"), nb::arg("out").none(),
           nb::arg("fill"), nb::arg("workers"), nb::arg("fill_broken"),
           nb::sig("def read(self, image: int, location: tuple[int, int], size: tuple[int, int], "
                   "out: numpy.ndarray | None, fill: Sequence[float], workers: int, fill_broken: bool) "
                   "-> tuple[numpy.ndarray | None, list[tuple[int, str]]]"),
           "Reads a region, in pixels of image `image` itself: ((h, w, C) array, or None with `out`; "
           "[(0, message), …] of tiles that were broken and filled).");
}

}  // namespace microtome::python
