// QPTIFF: what PerkinElmer's and Akoya's Vectra, PhenoImager and PhenoCycler write.
//
// Every directory is described by XML, a PerkinElmer-QPI-ImageDescription whose ImageType says what it is.
// Level 0 is the FullResolution directories, one for each band (fluorescence) or one of RGB (brightfield);
// the ReducedResolution ones of each further size are the levels below. Bands are the channels, with their
// names and colours. Thumbnail, Overview (the macro) and Label are associated images. Resolution gives the
// mpp. Source: Akoya Biosciences, "PhenoImager QPTIFF Image File Format Description"; real files.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/fail.h"
#include "microtome/slide/channel_grid.h"
#include "microtome/slide/format.h"
#include "microtome/slide/other_images.h"
#include "microtome/slide/text.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/slide/tiff_metadata.h"
#include "microtome/slide/xml.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;
using Properties = std::map<std::string, std::string>;

constexpr std::string_view kRoot = "PerkinElmer-QPI-ImageDescription";

/// A directory, what it says in TIFF's words and what in the vendor's.
struct Page {
  const tiff::Directory* directory = nullptr;
  std::string where;
  TiffImage image;
  XmlElement xml;

  TiffPlane plane() const { return {directory, &image}; }
};

/// The file's directories by their ImageType.
struct Pages {
  std::vector<Page> full;
  std::vector<std::vector<Page>> reduced;  ///< By size, largest first.
  std::vector<std::pair<std::string, Page>> associated;
};

bool detect(const Probe& probe) {
  return probe.xml() != nullptr && probe.xml()->name == kRoot;
}

Result<Page> read_page(const tiff::Directory& directory, std::string where) {
  Page page{.directory = &directory, .where = std::move(where), .image = {}, .xml = {}};
  MICROTOME_ASSIGN(page.image, read_tiff_image(directory));
  if (!directory.has(tag::kImageDescription)) return page;
  MICROTOME_ASSIGN(page.xml, parse_xml(tiff_text(directory, tag::kImageDescription)));
  return page;
}

std::string_view associated_name(std::string_view image_type) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"Thumbnail", "thumbnail"}, {"Overview", "macro"}, {"Label", "label"}};
  for (const auto& [type, name] : kNames)
    if (type == image_type) return name;
  return {};
}

void add_reduced(Page page, Pages& pages) {
  const Size size = page.image.size;
  for (auto& level : pages.reduced)
    if (level.front().image.size == size) return level.push_back(std::move(page));
  pages.reduced.emplace_back().push_back(std::move(page));
}

/// Files one page where its ImageType puts it.
void sort_page(Page page, Pages& pages, OtherImages& others) {
  const std::string_view type = page.xml.child_text("ImageType");
  if (type == "FullResolution") {
    if (!pages.full.empty() && page.image.size != pages.full.front().image.size)
      return others.add(page.where, page.image, "of full resolution, but of another size than the first");
    return pages.full.push_back(std::move(page));
  }
  if (type == "ReducedResolution") return add_reduced(std::move(page), pages);
  const std::string name(associated_name(type));
  const auto has_name = [&](const auto& other) { return other.first == name; };
  if (name.empty() || std::ranges::any_of(pages.associated, has_name))
    return others.add(page.where, page.image,
                      name.empty() ? "of a type that is not known" : "the second " + name);
  pages.associated.emplace_back(name, std::move(page));
}

Result<Pages> sort_pages(const tiff::File& file, OtherImages& others) {
  Pages pages;
  const size_t count = std::min(file.directories.size(), kMaxDirectoriesExamined);
  for (size_t i = 0; i < count; ++i) {
    std::string where = fmt::format("directory {}", i);
    auto page = read_page(file.directories[i], where);
    if (page.ok()) {
      sort_page(*std::move(page), pages, others);
      continue;
    }
    // The first one describes the file.
    if (i == 0 || page.error().code == Errc::io) return std::move(page).error().with_prefix(where);
    others.add(where, page.error());
  }
  if (pages.full.empty()) return corrupt("no directory with the ImageType FullResolution");
  std::ranges::stable_sort(pages.reduced, [](const auto& a, const auto& b) {
    const Size x = a.front().image.size, y = b.front().image.size;
    return std::pair(x.w, x.h) > std::pair(y.w, y.h);
  });
  return pages;
}

Result<std::unique_ptr<TileGrid>> make_level(const std::vector<Page>& bands) {
  std::vector<TiffPlane> planes;
  for (const Page& band : bands) planes.push_back(band.plane());
  auto grid = make_channel_grid(planes);
  if (!grid.ok()) return std::move(grid).error().with_prefix(bands.front().where);
  return grid;
}

bool is_below(const TileGrid& level, const TileGrid& above) {
  return level.size.w <= above.size.w && level.size.h <= above.size.h && level.size != above.size;
}

Status add_levels(const Pages& pages, SlideIndex& index, OtherImages& others) {
  MICROTOME_ASSIGN(auto base, make_level(pages.full));
  index.levels.push_back(std::move(base));
  for (const std::vector<Page>& bands : pages.reduced) {
    const Page& first = bands.front();
    if (bands.size() != pages.full.size()) {
      others.add(first.where, first.image,
                 fmt::format("a level of {} bands, expected {}", bands.size(), pages.full.size()));
      continue;
    }
    MICROTOME_ASSIGN(auto grid, make_level(bands));
    if (is_below(*grid, *index.levels.back()) && grid->format.samples == index.levels[0]->format.samples)
      index.levels.push_back(std::move(grid));
    else
      others.add(first.where, first.image, "reduced, but not a level below the one before it");
  }
  return ok_status();
}

/// A broken label must not take the slide with it.
Status add_associated(Pages& pages, SlideIndex& index, OtherImages& others) {
  for (auto& [name, page] : pages.associated) {
    auto grid = make_tiff_grid(*page.directory, page.image);
    if (grid.ok()) {
      index.associated.emplace_back(name, *std::move(grid));
      continue;
    }
    if (grid.error().code == Errc::io) return std::move(grid).error().with_prefix(page.where);
    others.add(page.where, grid.error());
  }
  return ok_status();
}

/// "0,255,128"; nothing for anything else.
std::optional<std::array<uint8_t, 3>> parse_color(std::string_view text) {
  std::array<uint8_t, 3> color{};
  const char *at = text.data(), *end = at + text.size();
  for (size_t i = 0; i < color.size(); ++i) {
    if (i > 0 && (at == end || *at++ != ',')) return std::nullopt;
    while (at != end && *at == ' ') ++at;
    const auto [rest, error] = std::from_chars(at, end, color[i]);
    if (error != std::errc()) return std::nullopt;
    at = rest;
  }
  return at == end ? std::optional(color) : std::nullopt;
}

std::vector<Channel> channels_of(const Pages& pages) {
  if (pages.full.front().image.format.samples != 1) return {};  // brightfield
  std::vector<Channel> channels;
  for (const Page& band : pages.full) {
    std::string_view name = band.xml.child_text("Biomarker");
    if (name.empty()) name = band.xml.child_text("Name");
    channels.push_back({std::string(name), parse_color(band.xml.child_text("Color"))});
  }
  return channels;
}

/// The elements of a description that hold text alone.
void add_texts(const XmlElement& xml, const std::string& prefix, Properties& properties) {
  for (const XmlElement& element : xml.children) {
    const std::string_view text = trim(element.text);
    if (element.children.empty() && !text.empty()) properties[prefix + element.name] = text;
  }
}

/// What the scan was made at: the profile's magnification counts the camera in, the objective's name does
/// not.
std::optional<double> objective_power(const XmlElement& xml) {
  const XmlElement* at = &xml;
  for (const std::string_view name : {"ScanProfile", "root", "ScanResolution"}) {
    if (at != nullptr) at = at->child(name);
  }
  auto power = parse_double(at == nullptr ? std::string_view() : at->child_text("Magnification"));
  if (!power) {
    std::string_view objective = xml.child_text("Objective");  // "10x"
    if (objective.ends_with('x') || objective.ends_with('X')) objective.remove_suffix(1);
    power = parse_double(objective);
  }
  return power && *power > 0 ? power : std::nullopt;
}

Result<SlideIndex> open(const Probe& probe) {
  const tiff::File& file = *probe.tiff;
  SlideIndex index;
  OtherImages others;
  MICROTOME_ASSIGN(Pages pages, sort_pages(file, others));
  MICROTOME_TRY(add_levels(pages, index, others));
  MICROTOME_TRY(add_associated(pages, index, others));

  const Page& first = pages.full.front();
  index.channels = channels_of(pages);
  index.raw_description = tiff_text(*first.directory, tag::kImageDescription);
  add_tiff_properties(*first.directory, index.properties);
  index.properties["openslide.vendor"] = "generic-tiff";  // what it is to OpenSlide
  add_texts(first.xml, "qptiff.", index.properties);
  for (size_t i = 0; i < index.channels.size(); ++i)
    add_texts(pages.full[i].xml, fmt::format("qptiff.band[{}].", i), index.properties);
  others.store(index.properties);
  index.mpp = mpp_from_resolution(*first.directory);
  index.objective_power = objective_power(first.xml);
  auto icc_profile = read_icc_profile(*first.directory);
  if (!icc_profile.ok()) return std::move(icc_profile).error().with_prefix(first.where);
  index.icc_profile = *std::move(icc_profile);
  return index;
}

}  // namespace

extern const Format qptiff;
const Format qptiff{"qptiff", detect, open};

}  // namespace microtome
