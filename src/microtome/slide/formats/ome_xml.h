// What OME-XML says of the images in a TIFF: their planes and where they are, channels, physical sizes.
//
// Called by formats/ome_tiff.cc. Knows XML and nothing of TIFF but that it has numbered directories. Pure
// functions. Source: the OME-TIFF specification, sections "DimensionOrder", "The TiffData element" and
// "Multi-file OME-TIFF"; the OME schema 2016-06.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/slide/slide.h"
#include "microtome/slide/xml.h"

namespace microtome {

/// One plane and the directory that holds it. `c` counts channels, each of which may have several samples.
struct OmePlane {
  uint32_t t = 0, z = 0, c = 0;
  size_t directory = 0;
};

/// One Image, which is what microscopists call a series.
struct OmeImage {
  std::string name;                             ///< Its Name, else its ID; may be empty.
  uint32_t size_z = 1, size_t = 1, size_c = 1;  ///< size_c: channels, not samples.
  std::vector<Channel> channels;      ///< size_c of them, or none where the file does not list them.
  std::vector<OmePlane> planes;       ///< Those in this file, by t, then z, then c; each at most once.
  std::set<std::string> other_files;  ///< Which the others are in, as far as they are named.
  /// Of a pixel. Nothing where the file does not say, or says it in pixels or another unit without a length.
  std::optional<Mpp> mpp;
  bool has_physical_size = false;  ///< Whether it says anything at all.
  std::optional<double> objective_power;
  std::map<std::string, std::string> properties;  ///< ome.*
};

struct OmeDocument {
  std::vector<OmeImage> images;  ///< Those that have pixels.
  std::string companion;         ///< The file that describes this one, where it does not do so itself.
};

/// What must be known of the TIFF.
struct OmeContainer {
  size_t directories = 0;          ///< In the main chain.
  uint16_t samples_per_pixel = 1;  ///< Of the first.
};

/// Stated limit: of all images together.
inline constexpr size_t kMaxOmePlanes = size_t{1} << 20;

/// `root`: the OME element. Errors: corrupt for sizes and indices that are no numbers, a DimensionOrder that
/// is none, more planes than kMaxOmePlanes.
Result<OmeDocument> read_ome_xml(const XmlElement& root, const OmeContainer& container);

/// A length in micrometres, or nothing: not a positive number, or a unit that is no length. An empty unit is
/// the schema's default, micrometres.
std::optional<double> ome_micrometres(std::string_view value, std::string_view unit);

}  // namespace microtome
