#include "microtome/slide/tiff_metadata.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/slide/text.h"

namespace microtome {
namespace {

using tiff::Directory;
namespace tag = tiff::tag;

constexpr uint16_t kDocumentName = 269, kXPosition = 286, kYPosition = 287;  // TIFF 6.0 section 8

enum class Unit : uint64_t { none = 1, inch = 2, centimeter = 3 };

/// ResolutionUnit; absent means inch (TIFF 6.0 section 8).
Unit resolution_unit(const Directory& directory) {
  const auto unit = directory.unsigned_value_or(tag::kResolutionUnit, uint64_t{2});
  return unit.ok() ? static_cast<Unit>(*unit) : Unit{0};
}

std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "none";
    case Unit::inch:
      return "inch";
    case Unit::centimeter:
      return "centimeter";
  }
  return "unknown";
}

/// A finite number, or nothing.
std::optional<double> finite(const Directory& directory, uint16_t tag) {
  if (!directory.has(tag)) return std::nullopt;
  const auto value = directory.real_value(tag);
  if (!value.ok() || !std::isfinite(*value)) return std::nullopt;
  return *value;
}

}  // namespace

std::string tiff_text(const Directory& directory, uint16_t tag) {
  auto text = directory.text(tag);
  return text.ok() ? to_utf8(*std::move(text)) : std::string();
}

void add_tiff_properties(const Directory& directory, std::map<std::string, std::string>& properties) {
  constexpr std::pair<uint16_t, const char*> kTexts[] = {
      {tag::kImageDescription, "openslide.comment"},
      {tag::kImageDescription, "tiff.ImageDescription"},
      {tag::kMake, "tiff.Make"},
      {tag::kModel, "tiff.Model"},
      {tag::kSoftware, "tiff.Software"},
      {tag::kDateTime, "tiff.DateTime"},
      {tag::kArtist, "tiff.Artist"},
      {tag::kHostComputer, "tiff.HostComputer"},
      {tag::kCopyright, "tiff.Copyright"},
      {kDocumentName, "tiff.DocumentName"},
  };
  for (const auto& [tag, name] : kTexts) {
    if (auto text = directory.text(tag); text.ok()) properties[name] = to_utf8(*std::move(text));
  }
  constexpr std::pair<uint16_t, const char*> kNumbers[] = {
      {tag::kXResolution, "tiff.XResolution"},
      {tag::kYResolution, "tiff.YResolution"},
      {kXPosition, "tiff.XPosition"},
      {kYPosition, "tiff.YPosition"},
  };
  for (const auto& [tag, name] : kNumbers) {
    if (const auto value = finite(directory, tag)) properties[name] = format_double(*value);
  }
  properties["tiff.ResolutionUnit"] = unit_name(resolution_unit(directory));
}

std::optional<Mpp> mpp_from_resolution(const Directory& directory) {
  const Unit unit = resolution_unit(directory);
  if (unit != Unit::inch && unit != Unit::centimeter) return std::nullopt;
  const double micrometres = unit == Unit::inch ? 25400 : 10000;
  const auto x = finite(directory, tag::kXResolution), y = finite(directory, tag::kYResolution);
  if (!x || !y || *x <= 0 || *y <= 0) return std::nullopt;
  const Mpp mpp{micrometres / *x, micrometres / *y};
  if (!std::isfinite(mpp.x) || !std::isfinite(mpp.y)) return std::nullopt;
  return mpp;
}

Result<std::optional<Bytes>> read_icc_profile(const Directory& directory) {
  const tiff::Entry* entry = directory.find(tag::kIccProfile);
  if (entry == nullptr || entry->count == 0) return std::optional<Bytes>();
  if (entry->count > kMaxIccBytes)
    return corrupt("ICC profile of {} bytes, expected at most {}", entry->count, kMaxIccBytes);
  MICROTOME_ASSIGN(auto profile, directory.bytes(tag::kIccProfile));
  return std::optional<Bytes>(std::move(profile));
}

}  // namespace microtome
