#include "microtome/slide/formats/ome_xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/slide/text.h"

namespace microtome {
namespace {

/// An attribute that is a count or an index; `fallback` where it is absent.
Result<uint32_t> number(const XmlElement& element, std::string_view name, uint32_t fallback) {
  const std::string_view text = trim(element.attribute(name));
  if (text.empty()) return fallback;
  uint32_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size())
    return corrupt("OME-XML: {} \"{}\" of {}, expected a whole number", name, text, element.name);
  return value;
}

/// A size: at least 1.
Result<uint32_t> size(const XmlElement& pixels, std::string_view name) {
  MICROTOME_ASSIGN(const uint32_t value, number(pixels, name, 1));
  if (value == 0) return corrupt("OME-XML: {} 0, expected at least 1", name);
  return value;
}

/// The axes of planes as DimensionOrder names them, the fastest first: "ZCT".
Result<std::string> plane_axes(const XmlElement& pixels) {
  std::string_view order = trim(pixels.attribute("DimensionOrder"));
  if (order.empty()) order = "XYZCT";
  std::string sorted(order);
  std::ranges::sort(sorted);
  if (sorted != "CTXYZ" || !order.starts_with("XY"))
    return corrupt("OME-XML: DimensionOrder \"{}\", expected XY and then Z, C and T in any order", order);
  return std::string(order.substr(2));
}

/// Where a run of directories goes.
struct Run {
  std::array<uint32_t, 3> first{};  // by the axes' order
  size_t directory = 0, count = 0;
};

class PlaneReader {
 public:
  PlaneReader(const OmeContainer& container, std::string_view document_uuid)
      : container_(container), uuid_(document_uuid) {}

  /// Fills `image.planes` and `image.other_files` from the TiffData elements of `pixels`.
  Status read(const XmlElement& pixels, OmeImage& image) {
    MICROTOME_ASSIGN(const std::string axes, plane_axes(pixels));
    for (const XmlElement& element : pixels.children) {
      if (element.name != "TiffData" || is_elsewhere(element, image)) continue;
      MICROTOME_ASSIGN(const Run run, read_run(element, axes, image));
      MICROTOME_TRY(add(run, axes, image));
    }
    const auto place = [](const OmePlane& p) { return std::tuple(p.t, p.z, p.c); };
    auto& planes = image.planes;
    std::stable_sort(planes.begin(), planes.end(),
                     [&](const OmePlane& a, const OmePlane& b) { return place(a) < place(b); });
    planes.erase(std::unique(planes.begin(), planes.end(),
                             [&](const OmePlane& a, const OmePlane& b) { return place(a) == place(b); }),
                 planes.end());
    return ok_status();
  }

 private:
  /// Whether the element speaks of another file of a set; notes which. Files get renamed, UUIDs do not.
  bool is_elsewhere(const XmlElement& tiff_data, OmeImage& image) const {
    const XmlElement* uuid = tiff_data.child("UUID");
    if (uuid == nullptr || uuid_.empty() || trim(uuid->text) == uuid_) return false;
    const std::string_view file = trim(uuid->attribute("FileName"));
    image.other_files.emplace(file.empty() ? trim(uuid->text) : file);
    return true;
  }

  Result<Run> read_run(const XmlElement& element, const std::string& axes, const OmeImage& image) const {
    Run run;
    for (size_t i = 0; i < axes.size(); ++i) {
      MICROTOME_ASSIGN(run.first[i], number(element, std::string("First") + axes[i], 0));
    }
    // Some writers count samples where others count channels.
    const size_t c = axes.find('C');
    if (run.first[c] >= image.size_c) run.first[c] /= std::max<uint32_t>(container_.samples_per_pixel, 1);
    const bool has_directory = !trim(element.attribute("IFD")).empty();
    MICROTOME_ASSIGN(const uint32_t directory, number(element, "IFD", 0));
    const auto all = checked_cast<uint32_t>(container_.directories);
    MICROTOME_ASSIGN(run.count, number(element, "PlaneCount", has_directory ? 1 : all.value_or(UINT32_MAX)));
    run.directory = directory;
    return run;
  }

  /// Directories that the file lacks, and places beyond the image's sizes, are left out.
  Status add(const Run& run, const std::string& axes, OmeImage& image) {
    std::array<uint32_t, 3> at = run.first, sizes{};
    for (size_t i = 0; i < axes.size(); ++i)
      sizes[i] = axes[i] == 'Z' ? image.size_z : axes[i] == 'C' ? image.size_c : image.size_t;
    for (size_t i = 0; i < run.count && run.directory + i < container_.directories; ++i) {
      for (size_t axis = 0; axis < 3; ++axis)
        if (at[axis] >= sizes[axis]) return ok_status();
      if (++planes_ > kMaxOmePlanes)
        return corrupt("OME-XML: more planes than the limit of {}", kMaxOmePlanes);
      OmePlane plane{.directory = run.directory + i};
      for (size_t axis = 0; axis < 3; ++axis)
        (axes[axis] == 'Z' ? plane.z : axes[axis] == 'C' ? plane.c : plane.t) = at[axis];
      image.planes.push_back(plane);
      for (size_t axis = 0; axis < 3 && ++at[axis] == sizes[axis] && axis < 2; ++axis) at[axis] = 0;
    }
    return ok_status();
  }

  const OmeContainer& container_;
  std::string_view uuid_;
  size_t planes_ = 0;  // of all images
};

/// Color: red, green, blue and alpha in the bytes of a signed 32-bit number, from the highest on.
std::optional<std::array<uint8_t, 3>> parse_color(std::string_view text) {
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  if (value < INT32_MIN || value > UINT32_MAX) return std::nullopt;
  const auto rgba = static_cast<uint32_t>(value);
  return std::array{static_cast<uint8_t>(rgba >> 24), static_cast<uint8_t>(rgba >> 16),
                    static_cast<uint8_t>(rgba >> 8)};
}

void add_attributes(const XmlElement& element, const std::string& prefix, OmeImage& image) {
  for (const auto& [name, value] : element.attributes)
    if (name != "schemaLocation" && name != "xmlns") image.properties[prefix + name] = value;
}

Status read_channels(const XmlElement& pixels, const OmeContainer& container, OmeImage& image) {
  for (const XmlElement& element : pixels.children) {
    if (element.name != "Channel") continue;
    image.channels.push_back(
        {std::string(trim(element.attribute("Name"))), parse_color(trim(element.attribute("Color")))});
    add_attributes(element, fmt::format("ome.Channel[{}].", image.channels.size() - 1), image);
  }
  MICROTOME_ASSIGN(const uint32_t samples, size(pixels, "SizeC"));
  image.size_c = image.channels.empty() ? std::max(samples / container.samples_per_pixel, uint32_t{1})
                                        : static_cast<uint32_t>(image.channels.size());
  return ok_status();
}

std::optional<Mpp> physical_size(const XmlElement& pixels) {
  const auto x = ome_micrometres(pixels.attribute("PhysicalSizeX"), pixels.attribute("PhysicalSizeXUnit"));
  const auto y = ome_micrometres(pixels.attribute("PhysicalSizeY"), pixels.attribute("PhysicalSizeYUnit"));
  if (!x || !y) return std::nullopt;
  return Mpp{*x, *y};
}

/// NominalMagnification of the objective that the image's settings refer to; nothing where that is not known.
std::optional<double> objective_power(const XmlElement& root, const XmlElement& image) {
  const XmlElement* settings = image.child("ObjectiveSettings");
  if (settings == nullptr) settings = image.child("ObjectiveRef");  // before 2011
  if (settings == nullptr) return std::nullopt;
  for (const XmlElement& instrument : root.children) {
    if (instrument.name != "Instrument") continue;
    for (const XmlElement& objective : instrument.children) {
      if (objective.name != "Objective" || objective.attribute("ID") != settings->attribute("ID")) continue;
      const auto power = parse_double(objective.attribute("NominalMagnification"));
      if (power && *power > 0) return power;
    }
  }
  return std::nullopt;
}

Result<OmeImage> read_image(const XmlElement& root, const XmlElement& element, const XmlElement& pixels,
                            const OmeContainer& container, PlaneReader& planes) {
  OmeImage image;
  image.name = trim(element.attribute("Name"));
  if (image.name.empty()) image.name = trim(element.attribute("ID"));
  MICROTOME_ASSIGN(image.size_z, size(pixels, "SizeZ"));
  MICROTOME_ASSIGN(image.size_t, size(pixels, "SizeT"));
  MICROTOME_TRY(read_channels(pixels, container, image));
  MICROTOME_TRY(planes.read(pixels, image));
  image.mpp = physical_size(pixels);
  image.has_physical_size = !pixels.attribute("PhysicalSizeX").empty();
  image.objective_power = objective_power(root, element);
  add_attributes(element, "ome.Image.", image);
  add_attributes(pixels, "ome.Pixels.", image);
  if (const auto text = element.child_text("Description"); !text.empty())
    image.properties["ome.Image.Description"] = text;
  if (const auto text = element.child_text("AcquisitionDate"); !text.empty())
    image.properties["ome.Image.AcquisitionDate"] = text;
  return image;
}

}  // namespace

std::optional<double> ome_micrometres(std::string_view value, std::string_view unit) {
  const auto length = parse_double(value);
  if (!length || *length <= 0) return std::nullopt;
  unit = trim(unit);
  // UnitsLength of the schema, but for those that astronomers use.
  constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1},
                                                            {"\u00B5m", 1},
                                                            {"\u03BCm", 1},
                                                            {"um", 1},
                                                            {"nm", 1e-3},
                                                            {"pm", 1e-6},
                                                            {"fm", 1e-9},
                                                            {"\u00C5", 1e-4},
                                                            {"mm", 1e3},
                                                            {"cm", 1e4},
                                                            {"dm", 1e5},
                                                            {"m", 1e6},
                                                            {"dam", 1e7},
                                                            {"hm", 1e8},
                                                            {"km", 1e9},
                                                            {"thou", 25.4},
                                                            {"li", 25400. / 12},
                                                            {"in", 25400},
                                                            {"ft", 12 * 25400.},
                                                            {"yd", 36 * 25400.},
                                                            {"pt", 25400. / 72}};
  for (const auto& [name, micrometres] : kUnits) {
    const double result = *length * micrometres;
    if (name == unit) return std::isfinite(result) ? std::optional(result) : std::nullopt;
  }
  return std::nullopt;
}

Result<OmeDocument> read_ome_xml(const XmlElement& root, const OmeContainer& container) {
  OmeDocument document;
  if (const XmlElement* binary_only = root.child("BinaryOnly"))
    document.companion = trim(binary_only->attribute("MetadataFile"));
  PlaneReader planes(container, trim(root.attribute("UUID")));
  for (const XmlElement& element : root.children) {
    if (element.name != "Image") continue;
    const XmlElement* pixels = element.child("Pixels");
    if (pixels == nullptr) continue;
    MICROTOME_ASSIGN(auto image, read_image(root, element, *pixels, container, planes));
    document.images.push_back(std::move(image));
  }
  return document;
}

}  // namespace microtome
