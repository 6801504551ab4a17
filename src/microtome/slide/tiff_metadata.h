// What a TIFF directory says beside its pixels: properties, resolution, ICC profile.
//
// Called by the adapters of TIFF-based formats. Metadata never keeps a slide from opening: text in another
// encoding is converted, values that make no sense are left out. What concerns colours is not metadata in
// that sense: an ICC profile that cannot be read is an error.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "microtome/base/bytes.h"
#include "microtome/base/error.h"
#include "microtome/slide/slide.h"
#include "microtome/tiff/directory.h"

namespace microtome {

/// The largest ICC profile that is believed; printer profiles reach 4 MB.
inline constexpr uint64_t kMaxIccBytes = uint64_t{16} << 20;

/// A text tag as valid UTF-8, up to its first NUL; empty where it is absent or cannot be read.
std::string tiff_text(const tiff::Directory& directory, uint16_t tag);

/// Adds tiff.* and openslide.comment as OpenSlide 4 names and formats them.
void add_tiff_properties(const tiff::Directory& directory, std::map<std::string, std::string>& properties);

/// From XResolution, YResolution and ResolutionUnit, where the unit is a length and both are positive.
std::optional<Mpp> mpp_from_resolution(const tiff::Directory& directory);

/// Nothing where the directory has none. Errors, without the directory's place: corrupt, io.
Result<std::optional<Bytes>> read_icc_profile(const tiff::Directory& directory);

}  // namespace microtome
