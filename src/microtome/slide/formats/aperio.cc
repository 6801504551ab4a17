// Aperio SVS: a TIFF whose first directory is tiled and described by "Aperio ...".
//
// Tiled directories are the levels, largest first. A strip directory right after the first is the thumbnail;
// others are named by the second line of their description ("label 387x463"), else by NewSubfileType (1 the
// label, 9 the macro, as Aperio and GT450 scanners write). The description's "key = value" fields, separated
// by '|', are the aperio.* properties, as OpenSlide names them. Tiles: JPEG, or JPEG 2000 as 33003 (YCbCr)
// and 33005 (RGB). Source: Aperio, "Digital Slides and Third-Party Data Interchange", 2008; real files.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/slide/format.h"
#include "microtome/slide/other_images.h"
#include "microtome/slide/text.h"
#include "microtome/slide/tiff_image.h"
#include "microtome/slide/tiff_metadata.h"

namespace microtome {
namespace {

namespace tag = tiff::tag;

/// Slides have three; a file that claims more than this is not believed.
constexpr size_t kMaxAssociated = 16;

bool detect(const Probe& probe) {
  if (probe.tiff == nullptr || probe.tiff->directories.empty()) return false;
  const tiff::Directory& first = probe.tiff->directories.front();
  return is_tiled(first) && tiff_text(first, tag::kImageDescription).starts_with("Aperio");
}

/// "AppMag = 20" becomes aperio.AppMag: "20". What stands before the first '|' is prose. Where a key repeats,
/// the last value counts.
void add_fields(std::string_view description, std::map<std::string, std::string>& properties) {
  size_t bar = description.find('|');
  while (bar != std::string_view::npos) {
    description.remove_prefix(bar + 1);
    bar = description.find('|');
    const std::string_view field = description.substr(0, bar);
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(field.substr(0, equals));
    if (!key.empty()) properties["aperio." + std::string(key)] = trim(field.substr(equals + 1));
  }
}

std::optional<double> positive(const std::map<std::string, std::string>& properties, const char* name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return std::nullopt;
  const auto value = parse_double(found->second);
  return value && *value > 0 ? value : std::nullopt;
}

/// The first word of the description's second line; empty where there is none.
std::string name_in_description(const tiff::Directory& directory) {
  const std::string text = tiff_text(directory, tag::kImageDescription);
  const size_t end_of_first = text.find_first_of("\r\n");
  if (end_of_first == std::string::npos) return {};
  const std::string second =
      text.substr(end_of_first + 1, text.find_first_of("\r\n", end_of_first + 1) - end_of_first - 1);
  return second.substr(0, second.find(' '));
}

std::string associated_name(const tiff::Directory& directory, size_t number, uint32_t subfile_type) {
  if (number == 1) return "thumbnail";
  if (auto name = name_in_description(directory); !name.empty()) return name;
  if (subfile_type == 1) return "label";
  if (subfile_type == 9) return "macro";
  return {};
}

bool is_level_below(const TiffImage& image, const TileGrid& above) {
  return image.size.w <= above.size.w && image.size.h <= above.size.h && image.size != above.size &&
         image.format.samples == above.format.samples && image.format.type == above.format.type;
}

Status add_level(const tiff::Directory& directory, std::string_view where, SlideIndex& index,
                 OtherImages& others) {
  auto image = read_tiff_image(directory);
  if (!image.ok()) return std::move(image).error().with_prefix(where);
  if (!index.levels.empty() && !is_level_below(*image, *index.levels.back())) {
    others.add(where, *image, "tiled, but not a level below the one before it");
    return ok_status();
  }
  auto grid = make_tiff_grid(directory, *image);
  if (!grid.ok()) return std::move(grid).error().with_prefix(where);
  index.levels.push_back(*std::move(grid));
  return ok_status();
}

/// An associated image, with all that can be wrong with it.
Status add_associated(const tiff::Directory& directory, std::string_view where, size_t number,
                      SlideIndex& index, OtherImages& others) {
  MICROTOME_ASSIGN(const TiffImage image, read_tiff_image(directory));
  std::string name = associated_name(directory, number, image.subfile_type);
  const auto has_name = [&](const auto& other) { return other.first == name; };
  if (name.empty() || std::any_of(index.associated.begin(), index.associated.end(), has_name) ||
      index.associated.size() == kMaxAssociated) {
    others.add(where, image, name.empty() ? "no name" : "a name used before, or too many images");
    return ok_status();
  }
  MICROTOME_ASSIGN(auto grid, make_tiff_grid(directory, image));
  MICROTOME_ASSIGN(index.associated_icc[name], read_icc_profile(directory));
  index.associated.emplace_back(std::move(name), std::move(grid));
  return ok_status();
}

Status add_images(const tiff::File& file, SlideIndex& index, OtherImages& others) {
  const size_t count = std::min(file.directories.size(), kMaxDirectoriesExamined);
  for (size_t i = 0; i < count; ++i) {
    const tiff::Directory& directory = file.directories[i];
    const std::string where = fmt::format("directory {}", i);
    if (is_tiled(directory)) {
      MICROTOME_TRY(add_level(directory, where, index, others));
      continue;
    }
    // A broken label must not take the slide with it.
    if (auto added = add_associated(directory, where, i, index, others); !added.ok()) {
      if (added.error().code == Errc::io) return std::move(added).error().with_prefix(where);
      others.add(where, added.error());
    }
  }
  return ok_status();
}

Result<SlideIndex> open(const Probe& probe) {
  const tiff::File& file = *probe.tiff;
  const tiff::Directory& first = file.directories.front();
  SlideIndex index;
  OtherImages others;
  MICROTOME_TRY(add_images(file, index, others));
  index.raw_description = tiff_text(first, tag::kImageDescription);
  add_tiff_properties(first, index.properties);
  add_fields(index.raw_description, index.properties);
  others.store(index.properties);
  if (const auto mpp = positive(index.properties, "aperio.MPP")) index.mpp = Mpp{*mpp, *mpp};
  index.objective_power = positive(index.properties, "aperio.AppMag");
  auto icc_profile = read_icc_profile(first);
  if (!icc_profile.ok()) return std::move(icc_profile).error().with_prefix("directory 0");
  index.icc_profile = *std::move(icc_profile);
  // The thumbnail is made of the levels' pixels, and where it has no profile of its own theirs holds.
  const auto thumbnail = index.associated_icc.find("thumbnail");
  if (thumbnail != index.associated_icc.end() && !thumbnail->second) thumbnail->second = index.icc_profile;
  return index;
}

}  // namespace

extern const Format aperio;
const Format aperio{"aperio", detect, open};

}  // namespace microtome
