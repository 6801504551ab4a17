#include "microtome/slide/slide.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/slide/format.h"
#include "microtome/slide/grid.h"
#include "microtome/slide/text.h"
#include "microtome/slide/tiff_metadata.h"

namespace microtome {
namespace {

using Properties = std::map<std::string, std::string>;

Error unknown_format(std::span<const std::byte> head, uint64_t size) {
  if (size == 0) return unsupported("the file is empty");
  std::string bytes, tried;
  for (const std::byte b : head) bytes += fmt::format(" {:02x}", static_cast<int>(b));
  for (const Format* format : formats())
    tried += fmt::format("{}{}", tried.empty() ? "" : ", ", format->name);
  return unsupported("not a slide in a known format (tried {}): the file begins with{}", tried, bytes);
}

std::optional<XmlElement> description_root(const tiff::File& file) {
  if (file.directories.empty()) return std::nullopt;
  const std::string text = tiff_text(file.directories.front(), tiff::tag::kImageDescription);
  if (!trim(text).starts_with('<') && !text.starts_with("\uFEFF")) return std::nullopt;
  auto root = parse_xml_root(text);
  if (!root.ok()) return std::nullopt;
  return *std::move(root);
}

/// As OpenSlide computes it: one number for both axes.
double mean_downsample(const Level& level) {
  return (level.downsample_x + level.downsample_y) / 2;
}

void add_level_properties(std::span<const Level> levels, Properties& properties) {
  properties["openslide.level-count"] = std::to_string(levels.size());
  for (size_t i = 0; i < levels.size(); ++i) {
    const Level& level = levels[i];
    const std::string key = fmt::format("openslide.level[{}].", i);
    properties[key + "width"] = std::to_string(level.size.w);
    properties[key + "height"] = std::to_string(level.size.h);
    properties[key + "tile-width"] = std::to_string(level.tile.w);
    properties[key + "tile-height"] = std::to_string(level.tile.h);
    properties[key + "downsample"] = format_double(mean_downsample(level));
  }
}

void add_associated_properties(std::span<const AssociatedImage> images, Properties& properties) {
  for (const AssociatedImage& image : images) {
    const std::string key = "openslide.associated." + image.name + ".";
    properties[key + "width"] = std::to_string(image.size.w);
    properties[key + "height"] = std::to_string(image.size.h);
    if (image.icc_profile) properties[key + "icc-size"] = std::to_string(image.icc_profile->data.size());
  }
}

/// Of a file whose format has one image each.
FileImage only_image(const SlideIndex& index) {
  const TileGrid& base = *index.levels.front();
  return {.name = "",
          .kind = "image",
          .size = base.size,
          .levels = index.levels.size(),
          .samples = base.format.samples,
          .type = base.format.type};
}

Level make_level(const TileGrid& grid, Size size_level0, std::optional<Mpp> mpp_level0) {
  Level level{.size = grid.size, .tile = grid.tile, .mpp = std::nullopt};
  level.downsample_x = static_cast<double>(size_level0.w) / static_cast<double>(grid.size.w);
  level.downsample_y = static_cast<double>(size_level0.h) / static_cast<double>(grid.size.h);
  if (mpp_level0) level.mpp = Mpp{mpp_level0->x * level.downsample_x, mpp_level0->y * level.downsample_y};
  return level;
}

TileFormat short_format_of(const TileGrid& grid) {
  TileFormat format = grid.format;
  format.size.h = grid.size.h - (grid.rows - 1) * grid.tile.h;
  return format;
}

bool is_plain_rgb(const TileFormat& format) {
  const bool rgb = format.color == Color::rgb || format.color == Color::ycbcr;
  return rgb && format.samples == 3 && format.type == SampleType::u8 && format.bits == 8;
}

/// The format of a tile that is to give what its samples look like.
TileFormat as_rgb(TileFormat stored, const TileGrid& grid) {
  if (is_plain_rgb(stored)) return stored;
  TileFormat shown = stored;
  shown.color = Color::rgb;
  shown.samples = 3;
  shown.type = SampleType::u8;
  shown.bits = 8;
  shown.rgb_form = std::make_shared<const RgbForm>(RgbForm{std::move(stored), grid.alpha, grid.color_map});
  return shown;
}

Status check_tile_bytes(const TileGrid& grid, uint64_t limit) {
  const uint64_t bytes = tile_bytes(grid);
  if (bytes <= limit) return ok_status();
  return unsupported("a tile of {}x{} pixels decodes to {} bytes, more than the limit max_tile_bytes of {}",
                     grid.tile.w, grid.tile.h, bytes, limit);
}

Status check_image(const TileGrid& grid, const OpenOptions& options) {
  MICROTOME_TRY(check_grid(grid));
  return check_tile_bytes(grid, options.max_tile_bytes);
}

Status check_index(const SlideIndex& index, const OpenOptions& options) {
  if (index.levels.empty()) return corrupt("no levels, expected at least one");
  const TileGrid* above = nullptr;
  for (size_t i = 0; i < index.levels.size(); ++i) {
    const TileGrid* grid = index.levels[i].get();
    if (auto checked = check_image(*grid, options); !checked.ok())
      return std::move(checked).error().with_prefix(fmt::format("level {}", i));
    if (above != nullptr && (grid->size.w > above->size.w || grid->size.h > above->size.h))
      return corrupt("level {} is {}x{}, expected at most {}x{} of the one before it", i, grid->size.w,
                     grid->size.h, above->size.w, above->size.h);
    above = grid;
  }
  const size_t samples = index.levels.front()->format.samples;
  if (!index.channels.empty() && index.channels.size() != samples)
    return corrupt("{} channels, expected the {} samples of level 0", index.channels.size(), samples);
  for (auto it = index.associated.begin(); it != index.associated.end(); ++it) {
    if (auto checked = check_image(*it->second, options); !checked.ok())
      return std::move(checked).error().with_prefix("associated image " + it->first);
    if (std::any_of(index.associated.begin(), it,
                    [&](const auto& other) { return other.first == it->first; }))
      return corrupt("two associated images are named {}", it->first);
  }
  return ok_status();
}

}  // namespace

const XmlElement* Probe::xml() const {
  if (!xml_found) xml_found = tiff == nullptr ? std::nullopt : description_root(*tiff);
  return *xml_found ? &**xml_found : nullptr;
}

Result<std::shared_ptr<const Slide>> Slide::open(std::shared_ptr<const ByteSource> source,
                                                 const OpenOptions& options) {
  std::array<std::byte, 8> bytes{};
  const std::span head(bytes.data(), static_cast<size_t>(std::min<uint64_t>(source->size(), bytes.size())));
  MICROTOME_TRY(source->read_at(0, head));
  Probe probe{.source = source, .image = options.image};
  tiff::File file;
  if (tiff::is_tiff(head)) {
    MICROTOME_ASSIGN(file, tiff::parse(source));
    probe.tiff = &file;
  }
  for (const Format* format : formats()) {
    if (!format->detect(probe)) continue;
    auto index = format->open(probe);
    if (!index.ok()) return std::move(index).error().with_prefix(format->name);
    const size_t count = std::max<size_t>(index->images.size(), 1);
    if (options.image >= count)
      return out_of_range("image {}: the file has {} image{}", options.image, count, count == 1 ? "" : "s");
    return make(std::move(source), format->name, *std::move(index), options);
  }
  return unknown_format(head, source->size());
}

Result<std::shared_ptr<const Slide>> Slide::make(std::shared_ptr<const ByteSource> source,
                                                 std::string_view format, SlideIndex index,
                                                 const OpenOptions& options) {
  if (auto checked = check_index(index, options); !checked.ok())
    return std::move(checked).error().with_prefix(format);
  std::shared_ptr<Slide> slide(new Slide());
  slide->source_ = index.source ? std::move(index.source) : std::move(source);
  slide->format_ = format;
  slide->mpp_ = index.mpp;
  slide->objective_power_ = index.objective_power;
  slide->icc_profile_ = std::move(index.icc_profile);
  slide->raw_description_ = to_utf8(std::move(index.raw_description));
  slide->options_ = options;
  if (index.images.empty()) index.images.push_back(only_image(index));
  slide->file_images_ = std::move(index.images);

  const auto add_image = [&](std::unique_ptr<TileGrid> grid) {
    TileFormat short_format = short_format_of(*grid);
    if (options.channels == Channels::rgb) {
      short_format = as_rgb(std::move(short_format), *grid);
      grid->format = as_rgb(std::move(grid->format), *grid);
    }
    slide->images_.push_back({std::move(grid), std::move(short_format)});
  };
  const Size size_level0 = index.levels.front()->size;
  for (auto& grid : index.levels) {
    slide->levels_.push_back(make_level(*grid, size_level0, index.mpp));
    add_image(std::move(grid));
  }
  for (auto& [name, grid] : index.associated) {
    auto icc = index.associated_icc.find(name);
    slide->associated_.push_back(
        {.name = name,
         .image = slide->image_count(),
         .size = grid->size,
         .icc_profile = icc == index.associated_icc.end() ? std::nullopt : icc->second});
    add_image(std::move(grid));
  }

  slide->channels_ = std::move(index.channels);
  for (Channel& channel : slide->channels_) channel.name = to_utf8(std::move(channel.name));
  for (auto& [key, value] : index.properties) slide->properties_[to_utf8(key)] = to_utf8(std::move(value));
  Properties& properties = slide->properties_;
  properties.emplace("openslide.vendor", slide->format_);
  add_level_properties(slide->levels_, properties);
  add_associated_properties(slide->associated_, properties);
  if (slide->mpp_) {
    properties["openslide.mpp-x"] = format_double(slide->mpp_->x);
    properties["openslide.mpp-y"] = format_double(slide->mpp_->y);
  }
  if (slide->objective_power_)
    properties["openslide.objective-power"] = format_double(*slide->objective_power_);
  if (slide->icc_profile_)
    properties["openslide.icc-size"] = std::to_string(slide->icc_profile_->data.size());
  return std::shared_ptr<const Slide>(std::move(slide));
}

const AssociatedImage* Slide::find_associated(std::string_view name) const noexcept {
  for (const AssociatedImage& image : associated_)
    if (image.name == name) return &image;
  return nullptr;
}

namespace {

// The bytes at `index` of an image's arrays; size 0: none. In line, since indices of 10^6 tiles go through
// it.
[[gnu::always_inline]] inline Result<ByteRange> bytes_at(const TileGrid& grid, uint64_t index,
                                                         uint64_t file_bytes) {
  MICROTOME_ASSIGN(const uint64_t size, grid.byte_counts.at(index));
  if (size == 0) return ByteRange();
  MICROTOME_ASSIGN(const uint64_t offset, grid.offsets.at(index));
  const auto end = checked_add(offset, size);
  if (!end || *end > file_bytes)
    return corrupt("{} tile bytes at {} pass the end of the file ({} bytes)", size, offset, file_bytes);
  return ByteRange{offset, size};
}

Error partly_absent(size_t sample) {
  return unsupported("a tile that is there for some of its samples only (sample {} differs)", sample);
}

/// Of a planar tile whose first sample is absent: absent samples among others must not become background.
Status check_all_absent(const TileGrid& grid, int64_t col, int64_t row, uint64_t file_bytes) {
  const auto plane = static_cast<uint64_t>(grid.cols) * static_cast<uint64_t>(grid.rows);
  const auto index = static_cast<uint64_t>(row * grid.cols + col);
  for (size_t sample = 1; sample < stored_format(grid.format).samples; ++sample) {
    MICROTOME_ASSIGN(const ByteRange bytes, bytes_at(grid, sample * plane + index, file_bytes));
    if (bytes.size != 0) return partly_absent(sample);
  }
  return ok_status();
}

}  // namespace

Result<std::optional<TileRef>> Slide::tile(int number, int64_t col, int64_t row) const {
  const Image& entry = images_[static_cast<size_t>(number)];
  const TileGrid& grid = *entry.grid;
  MICROTOME_ASSIGN(const ByteRange bytes,
                   bytes_at(grid, static_cast<uint64_t>(row * grid.cols + col), source_->size()));
  if (bytes.size == 0) {
    if (grid.format.planar) MICROTOME_TRY(check_all_absent(grid, col, row, source_->size()));
    return std::optional<TileRef>();
  }
  const bool is_short = grid.last_row_is_short && row == grid.rows - 1;
  return std::optional(TileRef{bytes, is_short ? &entry.short_format : &grid.format});
}

Status Slide::planes(int number, int64_t col, int64_t row, std::span<ByteRange> ranges) const {
  const TileGrid& grid = image(number);
  const auto plane = static_cast<uint64_t>(grid.cols) * static_cast<uint64_t>(grid.rows);
  const auto index = static_cast<uint64_t>(row * grid.cols + col);
  for (size_t sample = 0; sample < ranges.size(); ++sample) {
    MICROTOME_ASSIGN(ranges[sample], bytes_at(grid, sample * plane + index, source_->size()));
    if ((ranges[sample].size == 0) != (ranges[0].size == 0)) return partly_absent(sample);
  }
  return ok_status();
}

std::string Slide::image_name(int number) const {
  const auto levels = static_cast<int>(levels_.size());
  if (number < levels) return fmt::format("level {}", number);
  return "associated image " + associated_[static_cast<size_t>(number - levels)].name;
}

}  // namespace microtome
