// A slide: an immutable index of where every tile's bytes are, and what the vendor says about it.
//
// Opened by vendor adapters (slide/formats/), planned over by plan/, read by read/. It knows vendors, microns
// and associated images; it decodes nothing, starts no threads and holds no caches. Immutable after open()
// and thread-safe.
//
// Note [Every image is a grid of tiles]
// Levels and associated images are the same thing to the layers above: an image cut into a regular grid of
// tiles. A strip image is a grid of one column. Images are numbered: 0 … level_count-1 are the levels, the
// associated images follow.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/base/geometry.h"
#include "microtome/base/pixels.h"
#include "microtome/io/byte_source.h"
#include "microtome/tiff/lazy_array.h"

namespace microtome {

/// Micrometres per pixel.
struct Mpp {
  double x = 0, y = 0;
};

/// One image as a grid of tiles, and where their bytes are.
struct TileGrid {
  Size size;  ///< Of the image in pixels.
  Size tile;  ///< Of a tile in pixels; the last column and row may reach beyond `size`.
  int64_t cols = 0, rows = 0;
  TileFormat format;
  /// What samples beyond the colours are, and what palette indices stand for (as RgbForm has it).
  Alpha alpha = Alpha::none;
  std::vector<uint16_t> color_map = {};
  /// Strips: the last one is encoded with only the rows that remain (TIFF 6.0 section 3); tiles are always
  /// whole.
  bool last_row_is_short = false;
  /// Row-major, at least cols * rows values each; with planar samples that many for every sample, of which
  /// tile() gives the first's.
  tiff::LazyArray offsets, byte_counts;

  /// The pixels of tile (col, row) that belong to the image, in tile pixels: all of it but at the right and
  /// bottom.
  Rect shown(int64_t col, int64_t row) const noexcept;
};

struct Level {
  Size size;
  Size tile;
  double downsample_x = 1, downsample_y = 1;  ///< size of level 0 / size of this level, per axis.
  std::optional<Mpp> mpp;                     ///< Of this level: the slide's × downsample.
};

struct AssociatedImage {
  std::string name;  ///< "thumbnail", "label", "macro", as OpenSlide 4 names them.
  int image = 0;     ///< Its number; see Note [Every image is a grid of tiles].
  Size size;
  std::optional<Bytes> icc_profile;
};

/// One of the images that a file holds: a pyramid of its own, which is opened as a slide of its own.
struct FileImage {
  std::string name;  ///< What the file calls it, or where it is: "directory 2".
  std::string kind;  ///< "image"; or why it is none of its own right: "mask", "page", "reduced image".
  Size size;         ///< Of its level 0.
  size_t levels = 1;
  uint16_t samples = 0;
  SampleType type = SampleType::u8;
  /// Where the file has such axes: which of its series, time points and focal planes this is.
  uint32_t series = 0, t = 0, z = 0;
};

/// What pixels are to be: the samples as the file has them, or what they look like (codec/rgb.h).
enum class Channels : uint8_t { stored, rgb };

/// What to open of a file, and how to show it.
struct OpenOptions {
  size_t image = 0;  ///< Which of its images; most files have one.
  Channels channels = Channels::stored;
  /// What one tile may decode to. Slides use tiles below 1 MiB; the largest real ones are whole images stored
  /// as one compressed strip. Larger ones are refused before memory is taken for them.
  uint64_t max_tile_bytes = uint64_t{1} << 30;
};

/// A sample of the levels' pixels, where the file says what it is: a stain, a wavelength.
struct Channel {
  std::string name;                             ///< As the file has it; may be empty.
  std::optional<std::array<uint8_t, 3>> color;  ///< Red, green and blue in which the file wants it shown.
};

/// One tile's bytes, and how they are encoded.
struct TileRef {
  ByteRange bytes;
  const TileFormat* format = nullptr;  ///< Lives as long as the slide.
};

/// What an adapter finds out; Slide::open checks it and freezes it.
struct SlideIndex {
  /// What the grids' ranges are of, where that is not the file as it is: see append_to_source().
  std::shared_ptr<const ByteSource> source;
  std::vector<std::unique_ptr<TileGrid>> levels;  ///< Largest first.
  std::vector<std::pair<std::string, std::unique_ptr<TileGrid>>> associated;
  std::map<std::string, std::optional<Bytes>> associated_icc;
  std::map<std::string, std::string>
      properties;                 ///< Vendor's own; openslide.* ones that only the adapter knows.
  std::vector<Channel> channels;  ///< One for each sample of level 0, or none.
  std::optional<Mpp> mpp;         ///< Of level 0.
  std::optional<double> objective_power;
  std::optional<Bytes> icc_profile;  ///< Of the levels.
  std::string raw_description;       ///< Level 0's ImageDescription, as stored.
  /// All images of the file, of which the one that was asked for is opened. Empty: that one alone. With fewer
  /// than asked for nothing else of the index counts.
  std::vector<FileImage> images;
};

class Slide {
 public:
  /// Finds the first format whose detect() accepts the bytes and opens with it.
  /// Errors: unsupported when no format knows the bytes, naming those it tried; out_of_range when the file
  /// has no such image; unsupported for tiles beyond options.max_tile_bytes; corrupt, io as the adapter says.
  static Result<std::shared_ptr<const Slide>> open(std::shared_ptr<const ByteSource> source,
                                                   const OpenOptions& options = {});

  /// The same from an index made elsewhere: checks it (at least one level, positive sizes, grids that cover
  /// their images and arrays of matching length) and derives downsamples and openslide.* properties. Errors:
  /// corrupt.
  static Result<std::shared_ptr<const Slide>> make(std::shared_ptr<const ByteSource> source,
                                                   std::string_view format, SlideIndex index,
                                                   const OpenOptions& options = {});

  const ByteSource& source() const noexcept { return *source_; }
  std::string_view name() const noexcept { return source_->name(); }
  std::string_view format() const noexcept { return format_; }  ///< "aperio", "generic-tiff", …

  std::span<const Level> levels() const noexcept { return levels_; }
  std::span<const AssociatedImage> associated() const noexcept { return associated_; }
  const AssociatedImage* find_associated(std::string_view name) const noexcept;

  /// The images of the file, of which this slide is number opened_image().
  std::span<const FileImage> file_images() const noexcept { return file_images_; }
  size_t opened_image() const noexcept { return options_.image; }

  /// A number for `image` that tells its pixels from all others of the file, whichever of them are opened and
  /// how: slides of one file share caches.
  uint64_t tile_space(uint32_t image) const noexcept {
    const uint64_t opened = 2 * options_.image + (options_.channels == Channels::rgb ? 1 : 0);
    return opened << 32 | image;
  }

  int image_count() const noexcept { return static_cast<int>(images_.size()); }
  const TileGrid& image(int number) const noexcept { return *images_[static_cast<size_t>(number)].grid; }

  /// Where tile (col, row) of an image is, or nothing where the file has none (byte count 0: background).
  /// `image`, `col`, `row` exist. Errors, without the tile's place, which the caller knows: corrupt when the
  /// range passes the end of the source; io.
  /// With planar samples the range is that of the first one's tile; see planes().
  Result<std::optional<TileRef>> tile(int image, int64_t col, int64_t row) const;

  /// Where the samples' tiles are of a planar image: `ranges` has one for each. Errors: as tile()'s, and
  /// unsupported where some samples have a tile and others have none.
  Status planes(int image, int64_t col, int64_t row, std::span<ByteRange> ranges) const;

  /// One for each sample of the levels' pixels; none where the file does not name them.
  std::span<const Channel> channels() const noexcept { return channels_; }

  /// openslide.* and tiff.* as OpenSlide 4 names and spells them, the vendor's own, and
  /// microtome.other-images: what else the file holds, and why it is not shown. All valid UTF-8. Two of
  /// OpenSlide's are left out, since they would make every open read what few want: openslide.quickhash-1
  /// (the smallest level's tiles) and openslide.bounds-* of sparse TIFFs (every byte count of level 0).
  const std::map<std::string, std::string>& properties() const noexcept { return properties_; }
  std::optional<Mpp> mpp() const noexcept { return mpp_; }
  std::optional<double> objective_power() const noexcept { return objective_power_; }
  const std::optional<Bytes>& icc_profile() const noexcept { return icc_profile_; }
  const std::string& raw_description() const noexcept { return raw_description_; }

  /// "level 2" or "associated image label": for messages.
  std::string image_name(int number) const;

 private:
  struct Image {
    std::unique_ptr<const TileGrid> grid;
    TileFormat short_format;  // of the last row where last_row_is_short
  };
  Slide() = default;

  std::shared_ptr<const ByteSource> source_;
  std::string format_;
  OpenOptions options_;
  std::vector<FileImage> file_images_;
  std::vector<Level> levels_;
  std::vector<AssociatedImage> associated_;
  std::vector<Image> images_;
  std::vector<Channel> channels_;
  std::map<std::string, std::string> properties_;
  std::optional<Mpp> mpp_;
  std::optional<double> objective_power_;
  std::optional<Bytes> icc_profile_;
  std::string raw_description_;
};

}  // namespace microtome
