// OME-TIFF: a TIFF whose first directory's ImageDescription is OME-XML.
//
// The XML says which directory is which plane: its image (series), t, z and channel. Each t and z of an image
// is one of the file's images, which Probe::image chooses between; its channels are the samples, since
// directories that are kept alike can be read as one planar image. SubIFDs are the levels. A file may be one
// of a set: then its own planes are read, and what the others are called is said. Images that are called
// label, macro or thumbnail are also associated images. Source: the OME-TIFF specification; real files.
// formats/ome_xml.h reads the XML.
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/slide/channel_grid.h"
#include "microtome/slide/format.h"
#include "microtome/slide/formats/ome_xml.h"
#include "microtome/slide/other_images.h"
#include "microtome/slide/text.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/slide/tiff_metadata.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

bool detect(const Probe& probe) {
  return probe.xml() != nullptr && probe.xml()->name == "OME";
}

/// What opens as a slide: planes of one image, t and z, with all their channels or with one.
struct View {
  const OmeImage* image = nullptr;
  std::span<const OmePlane> planes;
  FileImage described;
};

using Directories = std::vector<const tiff::Directory*>;

/// One directory for each channel, as one image.
Result<std::unique_ptr<TileGrid>> make_grid(const Directories& directories) {
  std::vector<TiffImage> images;
  for (const tiff::Directory* directory : directories) {
    MICROTOME_ASSIGN(TiffImage image, read_tiff_image(*directory));
    images.push_back(std::move(image));
  }
  std::vector<TiffPlane> planes;
  for (size_t i = 0; i < images.size(); ++i) planes.push_back({directories[i], &images[i]});
  return make_channel_grid(planes);
}

Directories directories_of(const tiff::File& file, std::span<const OmePlane> planes) {
  Directories directories;
  for (const OmePlane& plane : planes) directories.push_back(&file.directories[plane.directory]);
  return directories;
}

// ---- views

/// The planes at the front that have the first one's t and z.
std::span<const OmePlane> first_group(std::span<const OmePlane> planes) {
  const OmePlane& first = planes.front();
  const auto end = std::ranges::find_if(
      planes, [&](const OmePlane& plane) { return plane.t != first.t || plane.z != first.z; });
  return planes.first(static_cast<size_t>(end - planes.begin()));
}

FileImage describe(const TileGrid& grid, const tiff::Directory& directory) {
  return {.name = {},
          .kind = "image",
          .size = grid.size,
          .levels = 1 + directory.sub_directories().size(),
          .samples = grid.format.samples,
          .type = grid.format.type};
}

std::string name_of(const OmeImage& image, const OmePlane& plane, bool is_one_channel) {
  std::string name = image.name;
  if (image.size_z > 1) name += fmt::format(", z {}", plane.z);
  if (image.size_t > 1) name += fmt::format(", t {}", plane.t);
  if (is_one_channel) name += fmt::format(", channel {}", plane.c);
  return name;
}

/// Adds the views of image number `series`. All its planes are taken to be like the first ones, so that a
/// file of 10,000 planes opens as quickly as one of ten; a view that is not fails when it is the one to open.
Status add_views(const tiff::File& file, const OmeDocument& document, size_t series, std::vector<View>& views,
                 OtherImages& others) {
  const OmeImage& image = document.images[series];
  std::span<const OmePlane> planes = image.planes;
  if (planes.empty()) return ok_status();
  const auto first = directories_of(file, first_group(planes));
  auto grid = make_grid(first);
  const bool joined = grid.ok() || first.size() == 1;
  if (!joined) grid = make_grid({first.front()});
  if (!grid.ok()) {
    if (grid.error().code == Errc::io) return std::move(grid).error();
    others.add(image.name, grid.error());
    return ok_status();
  }
  const FileImage described = describe(**grid, *first.front());
  while (!planes.empty()) {
    const auto group = first_group(planes);
    const size_t step = joined ? group.size() : 1;
    for (size_t i = 0; i < group.size(); i += step) {
      View& view = views.emplace_back(View{&image, group.subspan(i, step), described});
      view.described.name = name_of(image, group[i], !joined);
      view.described.series = static_cast<uint32_t>(series);
      view.described.t = group[i].t;
      view.described.z = group[i].z;
    }
    planes = planes.subspan(group.size());
  }
  return ok_status();
}

/// Each directory as an image of its own, where the XML does not say what they are: it is in another file.
OmeDocument document_of_directories(const tiff::File& file) {
  OmeDocument document;
  for (size_t i = 0; i < file.directories.size(); ++i) {
    OmeImage& image = document.images.emplace_back();
    image.name = fmt::format("directory {}", i);
    image.planes.push_back({.directory = i});
  }
  return document;
}

Result<std::vector<View>> find_views(const tiff::File& file, const OmeDocument& document,
                                     OtherImages& others) {
  std::vector<View> views;
  for (size_t series = 0; series < document.images.size(); ++series) {
    const OmeImage& image = document.images[series];
    MICROTOME_TRY(add_views(file, document, series, views, others));
    if (!image.other_files.empty())
      others.add(image.name, unsupported("planes in other files of a set, which are not looked for: {}",
                                         fmt::join(image.other_files, ", ")));
  }
  return views;
}

// ---- the one that is opened

/// SubIFD `number` of each directory; empty where one of them has fewer.
Directories sub_level(const Directories& directories, size_t number) {
  Directories subs;
  for (const tiff::Directory* directory : directories) {
    if (number >= directory->sub_directories().size()) return {};
    subs.push_back(&directory->sub_directories()[number]);
  }
  return subs;
}

bool is_below(const TileGrid& level, const TileGrid& above) {
  return level.size.w <= above.size.w && level.size.h <= above.size.h && level.size != above.size &&
         level.format.samples == above.format.samples && level.format.type == above.format.type;
}

Status add_levels(const tiff::File& file, const View& view, SlideIndex& index, OtherImages& others) {
  const Directories base = directories_of(file, view.planes);
  MICROTOME_ASSIGN(auto grid, make_grid(base));
  index.levels.push_back(std::move(grid));
  const size_t subs = std::min(base.front()->sub_directories().size(), kMaxDirectoriesExamined);
  for (size_t number = 0; number < subs; ++number) {
    const std::string where = fmt::format("SubIFD {} of {}", number, view.described.name);
    const Directories level = sub_level(base, number);
    if (level.empty()) {
      others.add(where, corrupt("some channels have it, others do not"));
      continue;
    }
    auto sub = make_grid(level);
    if (!sub.ok()) {
      if (sub.error().code == Errc::io) return std::move(sub).error().with_prefix(where);
      others.add(where, sub.error());
    } else if (is_below(**sub, *index.levels.back())) {
      index.levels.push_back(*std::move(sub));
    } else {
      others.add(where, corrupt("not a level below the one before it"));
    }
  }
  return ok_status();
}

/// What converters call the photographs of a slide.
std::string_view associated_name(std::string_view image_name) {
  std::string lower(image_name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view name : {"label", "macro", "thumbnail"})
    if (lower == name || lower == std::string(name) + " image") return name;
  return {};
}

/// A broken label must not take the slide with it.
Status add_associated(const tiff::File& file, const std::vector<View>& views, const View& opened,
                      SlideIndex& index, OtherImages& others) {
  for (const View& view : views) {
    const std::string name(associated_name(view.image->name));
    const auto has_name = [&](const auto& other) { return other.first == name; };
    if (name.empty() || view.image == opened.image || std::ranges::any_of(index.associated, has_name))
      continue;
    auto grid = make_grid(directories_of(file, view.planes));
    if (grid.ok())
      index.associated.emplace_back(name, *std::move(grid));
    else if (grid.error().code == Errc::io)
      return std::move(grid).error().with_prefix(name);
    else
      others.add(view.described.name, grid.error());
  }
  return ok_status();
}

std::vector<Channel> channels_of(const View& view, const TileGrid& base) {
  std::vector<Channel> channels;
  if (base.format.samples != view.planes.size() || view.image->channels.empty()) return channels;
  for (const OmePlane& plane : view.planes) channels.push_back(view.image->channels[plane.c]);
  return channels;
}

Status describe_view(const tiff::File& file, const View& view, SlideIndex& index) {
  const tiff::Directory& base = file.directories[view.planes.front().directory];
  index.channels = channels_of(view, *index.levels.front());
  index.raw_description = tiff_text(file.directories.front(), tag::kImageDescription);
  add_tiff_properties(base, index.properties);
  index.properties["openslide.vendor"] = "generic-tiff";  // what it is to OpenSlide
  for (const auto& [key, value] : view.image->properties) index.properties[key] = value;
  index.mpp = view.image->has_physical_size ? view.image->mpp : mpp_from_resolution(base);
  index.objective_power = view.image->objective_power;
  MICROTOME_ASSIGN(index.icc_profile, read_icc_profile(base));
  return ok_status();
}

Result<OmeDocument> read_document(const tiff::File& file) {
  const tiff::Directory& first = file.directories.front();
  MICROTOME_ASSIGN(const XmlElement root, parse_xml(tiff_text(first, tag::kImageDescription)));
  OmeContainer container{.directories = file.directories.size()};
  if (const auto image = read_tiff_image(first); image.ok())
    container.samples_per_pixel = std::max<uint16_t>(image->format.samples, 1);
  return read_ome_xml(root, container);
}

Result<SlideIndex> open(const Probe& probe) {
  const tiff::File& file = *probe.tiff;
  OtherImages others;
  MICROTOME_ASSIGN(OmeDocument document, read_document(file));
  if (!document.companion.empty())
    others.add("this file",
               unsupported("one of a set, whose planes are described in {}", document.companion));
  MICROTOME_ASSIGN(std::vector<View> views, find_views(file, document, others));
  if (views.empty()) {
    document = document_of_directories(file);
    MICROTOME_ASSIGN(views, find_views(file, document, others));
  }
  if (views.empty()) {
    auto first = make_grid({&file.directories.front()});
    if (!first.ok()) return std::move(first).error().with_prefix("directory 0");
    return corrupt("no directory can be read as an image");
  }

  SlideIndex index;
  for (const View& view : views) index.images.push_back(view.described);
  if (probe.image >= views.size()) return index;  // which Slide::open refuses
  const View& view = views[probe.image];
  if (auto added = add_levels(file, view, index, others); !added.ok())
    return std::move(added).error().with_prefix(view.described.name);
  MICROTOME_TRY(add_associated(file, views, view, index, others));
  if (auto described = describe_view(file, view, index); !described.ok())
    return std::move(described).error().with_prefix(view.described.name);
  others.store(index.properties);
  return index;
}

}  // namespace

extern const Format ome_tiff;
const Format ome_tiff{"ome-tiff", detect, open};

}  // namespace microtome
