// Philips TIFF: what Philips' software exports from its iSyntax files and writes of other scanners' slides.
//
// Software begins with "Philips", and the first directory's ImageDescription is XML: a DataObject of type
// DPUfsImport, whose Attributes are values by DICOM's names or arrays of further objects. Tiled directories
// are the levels. Directories count whole tiles; the true size of a level is that of level 0 divided by how
// much wider the level's pixels are, which the XML tells. Label and macro are strip directories, or JPEG as
// base64 in the XML. Tiles without tissue may be left out. Source: OpenSlide's description of the format
// (openslide.org/formats/philips) and what its library answers for made files; real files' XML.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/slide/embedded_jpeg.h"
#include "microtome/slide/format.h"
#include "microtome/slide/grid.h"
#include "microtome/slide/other_images.h"
#include "microtome/slide/text.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/slide/tiff_metadata.h"
#include "microtome/slide/xml.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;
using Properties = std::map<std::string, std::string>;

constexpr std::string_view kScannedImages = "PIM_DP_SCANNED_IMAGES";
constexpr std::string_view kRepresentations = "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE";

bool detect(const Probe& probe) {
  const XmlElement* root = probe.xml();
  if (root == nullptr || root->name != "DataObject" || root->attribute("ObjectType") != "DPUfsImport")
    return false;
  const tiff::Directory& first = probe.tiff->directories.front();
  if (!is_tiled(first) || !tiff_text(first, tag::kSoftware).starts_with("Philips")) return false;
  // As to OpenSlide: what cannot be read to its end makes it a generic TIFF.
  return parse_xml(tiff_text(first, tag::kImageDescription)).ok();
}

// ---- the XML

/// The Attribute of a DataObject that has this name, or null.
const XmlElement* find(const XmlElement& object, std::string_view name) {
  for (const XmlElement& child : object.children)
    if (child.name == "Attribute" && child.attribute("Name") == name) return &child;
  return nullptr;
}

/// Its text; empty where there is none.
std::string_view text_of(const XmlElement& object, std::string_view name) {
  const XmlElement* attribute = find(object, name);
  return attribute == nullptr ? std::string_view() : std::string_view(attribute->text);
}

/// The objects in the array that an Attribute is.
std::vector<const XmlElement*> objects_of(const XmlElement* attribute) {
  std::vector<const XmlElement*> objects;
  const XmlElement* array = attribute == nullptr ? nullptr : attribute->child("Array");
  if (array == nullptr) return objects;
  for (const XmlElement& child : array->children)
    if (child.name == "DataObject") objects.push_back(&child);
  return objects;
}

/// The scanned images of a kind.
std::vector<const XmlElement*> scanned_images(const XmlElement& root, std::string_view kind) {
  std::vector<const XmlElement*> images = objects_of(find(root, kScannedImages));
  std::erase_if(images, [&](const XmlElement* each) { return text_of(*each, "PIM_DP_IMAGE_TYPE") != kind; });
  return images;
}

std::vector<const XmlElement*> representations(const XmlElement& whole) {
  std::vector<const XmlElement*> found = objects_of(find(whole, kRepresentations));
  std::erase_if(found, [](const XmlElement* each) {
    return each->attribute("ObjectType") != "PixelDataRepresentation";
  });
  return found;
}

/// DICOM_PIXEL_SPACING of an object, in millimetres; the file has that between rows first. Nothing for what
/// is not two positive numbers, each between quotation marks.
std::optional<Mpp> pixel_spacing(const XmlElement& object) {
  std::string text(text_of(object, "DICOM_PIXEL_SPACING"));
  std::ranges::replace(text, '"', ' ');
  std::vector<double> values;
  for (std::string_view rest = trim(text); !rest.empty() && values.size() < 3;) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const auto value = parse_double(rest.substr(0, end));
    if (!value || *value <= 0) return std::nullopt;
    values.push_back(*value);
    rest = trim(rest.substr(end));
  }
  if (values.size() != 2) return std::nullopt;
  return Mpp{values[1], values[0]};
}

/// Values become properties, in the file's order, so that of two of one name the last counts. Of arrays only
/// those of the whole image and of its levels do.
void add_values(const XmlElement& object, const XmlElement& whole, const std::string& prefix,
                Properties& properties) {
  for (const XmlElement& child : object.children) {
    const std::string name(child.attribute("Name"));
    if (child.name != "Attribute" || name.empty()) continue;
    if (child.children.empty()) {
      properties[prefix + name] = child.text;
    } else if (&object != &whole && name == kScannedImages) {
      add_values(whole, whole, prefix, properties);
    } else if (&object == &whole && name == kRepresentations) {
      const auto levels = representations(whole);
      for (size_t i = 0; i < levels.size(); ++i)
        add_values(*levels[i], whole, fmt::format("{}{}[{}].", prefix, name, i), properties);
    }
  }
}

// ---- levels

struct Candidates {
  std::vector<std::pair<const tiff::Directory*, TiffImage>> levels;
  std::vector<std::pair<std::string, const tiff::Directory*>> photographs;  ///< The last of a name counts.
};

/// Philips writes "Label" and "Macro", and perhaps more behind them.
std::string_view photograph_name(const tiff::Directory& directory) {
  const std::string text = tiff_text(directory, tag::kImageDescription);
  if (text.starts_with("Label")) return "label";
  if (text.starts_with("Macro")) return "macro";
  return {};
}

bool is_below(Size level, Size above) {
  return level.w <= above.w && level.h <= above.h && level != above;
}

Result<Candidates> sort_directories(const tiff::File& file, OtherImages& others) {
  Candidates found;
  const size_t count = std::min(file.directories.size(), kMaxDirectoriesExamined);
  for (size_t i = 0; i < count; ++i) {
    const tiff::Directory& directory = file.directories[i];
    const std::string where = fmt::format("directory {}", i);
    const std::string_view name = i == 0 ? std::string_view() : photograph_name(directory);
    if (!name.empty()) {
      found.photographs.emplace_back(name, &directory);
      continue;
    }
    auto image = read_tiff_image(directory);
    if (!image.ok() && (i == 0 || image.error().code == Errc::io || is_tiled(directory)))
      return std::move(image).error().with_prefix(where);
    if (!image.ok())
      others.add(where, image.error());
    else if (!image->tiled)
      others.add(where, *image, "in strips, and neither label nor macro");
    else if (i > 0 && !is_below(image->size, found.levels.back().second.size))
      others.add(where, *image, "tiled, but not smaller than the level before it");
    else
      found.levels.emplace_back(&directory, *std::move(image));
  }
  return found;
}

/// How many pixels of level 0 lie along one of each level: a whole number, rounded from the mean over both
/// axes, halves up.
Result<std::vector<int64_t>> reductions(const XmlElement& whole) {
  std::vector<int64_t> all;
  std::optional<Mpp> first;
  for (const XmlElement* level : representations(whole)) {
    const auto spacing = pixel_spacing(*level);
    if (!spacing)
      return corrupt("DICOM_PIXEL_SPACING '{}' of level {}, expected two positive numbers",
                     text_of(*level, "DICOM_PIXEL_SPACING"), all.size());
    if (!first) first = spacing;
    const double ratio = std::floor((spacing->x / first->x + spacing->y / first->y) / 2 + 0.5);
    if (!(ratio >= 1 && ratio <= static_cast<double>(kMaxSide)))
      return corrupt("level {} has pixels {} times as wide as level 0's, expected 1 to {}", all.size(), ratio,
                     kMaxSide);
    all.push_back(static_cast<int64_t>(ratio));
  }
  return all;
}

/// Gives the grid of a level, which counts whole tiles, the level's true size.
Status correct_size(TileGrid& grid, Size size_level0, int64_t reduction) {
  const Size padded = grid.size;
  const int64_t cols = grid.cols, rows = grid.rows;
  const Size size{size_level0.w / reduction, size_level0.h / reduction};
  MICROTOME_TRY(set_geometry(grid, size, grid.tile));
  // The arrays go by the directory's columns. The true size leaves pixels of the last one out, no more.
  if (grid.cols != cols || grid.rows > rows)
    return corrupt(
        "{}x{} pixels by its pixel spacing, expected the width and height of its {}x{} to fill the same "
        "tiles",
        size.w, size.h, padded.w, padded.h);
  return ok_status();
}

Status add_levels(const Candidates& found, const XmlElement& whole, SlideIndex& index) {
  MICROTOME_ASSIGN(const auto reduced_by, reductions(whole));
  if (reduced_by.size() != found.levels.size())
    return corrupt("{} tiled levels, expected {} as in the XML", found.levels.size(), reduced_by.size());
  for (size_t i = 0; i < found.levels.size(); ++i) {
    const auto& [directory, image] = found.levels[i];
    const std::string where = fmt::format("level {}", i);
    auto grid = make_tiff_grid(*directory, image);
    if (!grid.ok()) return std::move(grid).error().with_prefix(where);
    const Size size_level0 = i == 0 ? (*grid)->size : index.levels.front()->size;
    if (auto corrected = correct_size(**grid, size_level0, reduced_by[i]); !corrected.ok())
      return std::move(corrected).error().with_prefix(where);
    index.levels.push_back(*std::move(grid));
  }
  return ok_status();
}

// ---- label and macro

/// From the XML, where it has one: its bytes are put behind `tail`, which follows a file of `file_bytes`.
Result<std::unique_ptr<TileGrid>> embedded(const XmlElement& root, std::string_view kind, uint64_t file_bytes,
                                           std::vector<std::byte>& tail) {
  for (const XmlElement* image : scanned_images(root, kind)) {
    const std::string_view text = text_of(*image, "PIM_DP_IMAGE_DATA");
    if (trim(text).empty()) continue;
    MICROTOME_ASSIGN(const auto stream, decode_base64(text));
    MICROTOME_ASSIGN(auto grid, make_jpeg_grid(stream, file_bytes + tail.size()));
    tail.insert(tail.end(), stream.begin(), stream.end());
    return grid;
  }
  return std::unique_ptr<TileGrid>();
}

Result<std::unique_ptr<TileGrid>> stored(const tiff::Directory& directory) {
  MICROTOME_ASSIGN(const TiffImage image, read_tiff_image(directory));
  return make_tiff_grid(directory, image);
}

/// A directory comes before the XML. A broken label must not take the slide with it.
Status add_photographs(const Probe& probe, const Candidates& found, const XmlElement& root, SlideIndex& index,
                       OtherImages& others) {
  auto tail = std::make_shared<std::vector<std::byte>>();
  constexpr std::pair<std::string_view, std::string_view> kKinds[] = {{"label", "LABELIMAGE"},
                                                                      {"macro", "MACROIMAGE"}};
  for (const auto& kind : kKinds) {
    const std::string name(kind.first);
    const auto last = std::find_if(found.photographs.rbegin(), found.photographs.rend(),
                                   [&](const auto& each) { return each.first == name; });
    auto grid = last != found.photographs.rend() ? stored(*last->second)
                                                 : embedded(root, kind.second, probe.source->size(), *tail);
    if (!grid.ok()) {
      if (grid.error().code == Errc::io) return std::move(grid).error().with_prefix(name);
      others.add(name, grid.error());
    } else if (*grid != nullptr) {
      index.associated.emplace_back(name, *std::move(grid));
    }
  }
  if (!tail->empty()) index.source = append_to_source(probe.source, {*tail, tail});
  return ok_status();
}

/// What the barcode's base64 stands for; as much of it as is text.
std::string barcode(std::string_view text) {
  const auto bytes = decode_base64(text);
  if (!bytes.ok()) return {};
  const std::string decoded(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  return decoded.substr(0, decoded.find('\0'));
}

Status describe(const tiff::Directory& first, const XmlElement& root, const XmlElement& whole,
                SlideIndex& index) {
  index.raw_description = tiff_text(first, tag::kImageDescription);
  add_tiff_properties(first, index.properties);
  index.properties.erase("tiff.ImageDescription");  // which is all of this, and photographs
  index.properties.erase("openslide.comment");
  index.properties["openslide.vendor"] = "philips";
  add_values(root, whole, "philips.", index.properties);
  if (const XmlElement* encoded = find(root, "PIM_DP_UFS_BARCODE"))
    index.properties["openslide.barcode"] = barcode(encoded->text);
  if (const auto spacing = pixel_spacing(whole)) index.mpp = Mpp{1000 * spacing->x, 1000 * spacing->y};
  auto icc_profile = read_icc_profile(first);
  if (!icc_profile.ok()) return std::move(icc_profile).error().with_prefix("directory 0");
  index.icc_profile = *std::move(icc_profile);
  return ok_status();
}

Result<SlideIndex> open(const Probe& probe) {
  const tiff::Directory& first = probe.tiff->directories.front();
  MICROTOME_ASSIGN(const XmlElement root, parse_xml(tiff_text(first, tag::kImageDescription)));
  const auto whole = scanned_images(root, "WSI");
  if (whole.size() != 1) return corrupt("{} scanned images of type WSI, expected 1", whole.size());
  SlideIndex index;
  OtherImages others;
  MICROTOME_ASSIGN(const Candidates found, sort_directories(*probe.tiff, others));
  MICROTOME_TRY(add_levels(found, *whole.front(), index));
  MICROTOME_TRY(add_photographs(probe, found, root, index, others));
  MICROTOME_TRY(describe(first, root, *whole.front(), index));
  others.store(index.properties);
  return index;
}

}  // namespace

extern const Format philips_tiff;
const Format philips_tiff{"philips-tiff", detect, open};

}  // namespace microtome
