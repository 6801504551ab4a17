// Vendor formats: small adapters in one ordered table, specific first, generic last.
//
// Adding one is a file in slide/formats/ that exports a `const Format`, a word in slide/CMakeLists.txt and a
// row in formats_test.cc. A format need not be a TIFF: Probe::source is any bytes, and a SlideIndex may name
// another source for its ranges.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "microtome/base/error.h"
#include "microtome/io/byte_source.h"
#include "microtome/slide/slide.h"
#include "microtome/slide/xml.h"
#include "microtome/tiff/directory.h"

namespace microtome {

/// What detection may look at: the source, and its TIFF structure where it is one. Content decides, never the
/// name.
struct Probe {
  std::shared_ptr<const ByteSource> source;
  const tiff::File* tiff = nullptr;  ///< Null when the source is not a TIFF.
  size_t image = 0;                  ///< Which of the file's images to open: see SlideIndex::images.

  /// The root element, without children, of the first directory's ImageDescription; null where that is not
  /// XML. Formats of XML are told apart by it: it is read when the first of them asks, and kept for the
  /// others.
  const XmlElement* xml() const;
  mutable std::optional<std::optional<XmlElement>> xml_found{};  ///< What xml() keeps.
};

struct Format {
  std::string_view name;               ///< "aperio"; openslide.vendor and Slide::format().
  bool (*detect)(const Probe& probe);  ///< Cheap; never an error.
  Result<SlideIndex> (*open)(const Probe& probe);
};

/// In order of detection. Generated from slide/CMakeLists.txt.
std::span<const Format* const> formats() noexcept;

}  // namespace microtome
